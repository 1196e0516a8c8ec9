// The copying half of L2 (and of L3 where there is no queue): the buckets of leased volumes through the Live Coder,
// each volume retired as soon as it is empty. When the store is full, what was retired is erased at once to make room.
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { DrainingSources } from '../../volume/runs/drain-source.ts';
import { freeTrash } from '../../volume/runs/free.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { MoveResult } from '../../volume/write/move.ts';
import type { DrainTarget, MakeTarget } from '../run/actors.ts';
import type { Skipped } from '../run/leases.ts';

export interface Moved {
  buckets: number;
  groups: number;
  recordBytes: number;
  storedBytes: number;
  retired: number;
  readonly destinations: Set<VolumeId>;
  readonly skipped: Skipped[];
  /** Why it ended early. */
  stalled: Reason | undefined;
}

export const nothingMoved = (): Moved => ({
  buckets: 0,
  groups: 0,
  recordBytes: 0,
  storedBytes: 0,
  retired: 0,
  destinations: new Set(),
  skipped: [],
  stalled: undefined,
});

export function noteMove(moved: Moved, result: MoveResult): void {
  moved.buckets += result.moved.length;
  moved.groups += 1;
  moved.recordBytes += result.recordBytes;
  moved.storedBytes += result.storedBytes;
  moved.destinations.add(result.destination);
}

/** Moves all they hold, and ends their leases. A source that cannot be read whole stays, the others go on. */
export async function moveSources(
  store: VolumeStore,
  makeTarget: MakeTarget,
  run: RunId,
  volumes: readonly VolumeRow[],
  signal?: AbortSignal,
): Promise<Moved> {
  const moved = nothingMoved();
  const sources = new DrainingSources(store, run);
  const target = makeTarget(run, (result) => {
    sources.moved(result);
    noteMove(moved, result);
  });
  const unfed = new Set(volumes);
  try {
    for (const volume of volumes) {
      if (signal?.aborted) break;
      unfed.delete(volume);
      try {
        await sources.feed(volume, (content) => withRoom(store, sources, () => target.push(content), target));
      } catch (error) {
        if (!isKind(error, 'corrupt')) throw error;
        moved.skipped.push({
          volume: volume.id,
          reason: { code: error.code, text: `it cannot be read: ${error.message}` },
        });
      }
    }
    if (!signal?.aborted) await withRoom(store, sources, () => target.flush(), target);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    moved.stalled = reasonOf(error);
  }
  target.discard();
  for (const volume of unfed) sources.adopt(volume);
  await sources.end();
  moved.retired = sources.retired;
  return moved;
}

/**
 * One more try after the emptied volumes were erased, if the store was full. What was pushed stays with the coder
 * meanwhile.
 */
async function withRoom(
  store: VolumeStore,
  sources: DrainingSources,
  work: () => Promise<void>,
  target: DrainTarget,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isPocketfulError(error) || error.code !== 'STORE_FULL') throw error;
    await sources.retireDrained();
    // Space pressure: the inspection alone decides, the grace does not.
    const { freedZones } = await freeTrash(store, { ignoreGrace: true });
    if (freedZones === 0) throw error;
    await target.flush();
  }
}
