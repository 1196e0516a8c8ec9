// Rows of volumes and buckets without a byte on a drive, for whoever only reads rows; a queue that notes what is asked of it; and targets that are
// moved by hand.
import type { DrainTarget, MakeTarget } from '../../../lib/compaction/run/actors.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { bucketAttributes, bucketKey } from '../../../lib/panda/rows/bucket-row.ts';
import { newVolumeAttributes, type VolumeRow, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { MemoryStream } from '../../../lib/stream/memory-stream.ts';
import type { DeadLetter, Delivery } from '../../../lib/stream/stream.ts';
import type { BucketContent } from '../../../lib/volume/read/collect-bucket.ts';
import { readVolume } from '../../../lib/volume/rows/read-rows.ts';
import type { MoveResult } from '../../../lib/volume/write/move.ts';
import { World } from '../../store/harness.ts';
import { SMALL } from '../acting-world.ts';

export const hex = (n: number): string => n.toString(16).padStart(16, '0');
export const RUN = 'l3/p0/1' as RunId;

/** Volumes that drain under RUN, each with so many buckets of so many live bytes; bucket n of volume v is `hex(v * 1000 + n)`. */
export async function rowsOnly(volumes: Readonly<Record<number, number>>, liveBytes = 9) {
  const world = new World(5, SMALL, 6);
  const p = world.start();
  const extents = [0, 1, 2].map((drive) => ({ drive, zone: 1, zoneGeneration: 1 }));
  const put = async (writes: readonly Write[]): Promise<void> => {
    for (let at = 0; at < writes.length; at += 50) await world.panda.transact(writes.slice(at, at + 50));
  };
  for (const [v, count] of Object.entries(volumes)) {
    const id = hex(Number(v)) as VolumeId;
    const buckets = Array.from({ length: count }, (_, n) => hex(Number(v) * 1000 + n) as BucketId);
    const base = newVolumeAttributes({ class: 'warm', codec: 'xor-2-1', lane: 0, extents, createdAtMs: 0, token: 1 });
    const attributes = { ...base, s: 'draining', r: RUN, ...(count === 0 ? {} : { b: new Set<string>(buckets) }) };
    await put([
      { kind: 'put', ...volumeKey(SMALL.cell, id), attributes },
      ...buckets.map((bucket): Write => {
        const row = { volume: id, move: 0, seq: 0, token: 0, usedBytes: 9, liveBytes, slots: 1, createdAtMs: 0 };
        return { kind: 'put', ...bucketKey(SMALL.cell, bucket), attributes: bucketAttributes(row) };
      }),
    ]);
  }
  const volume = async (v: number): Promise<VolumeRow> =>
    (await readVolume(world.panda, SMALL.cell, hex(v) as VolumeId)) as VolumeRow;
  return { world, p, volume, put };
}

/** What is asked of it, as it comes. */
export class NotedStream extends MemoryStream {
  readonly notes: string[] = [];

  override async send(bodies: readonly string[]): Promise<void> {
    this.notes.push(`send ${bodies.length}`);
    return super.send(bodies);
  }
  override async receive(max: number, visibilityMs: number): Promise<Delivery[]> {
    const got = await super.receive(max, visibilityMs);
    this.notes.push(`receive ${max} for ${visibilityMs}: ${got.length}`);
    return got;
  }
  override async ack(receipts: readonly string[]): Promise<void> {
    this.notes.push(`ack ${receipts.join(' ')}`);
    return super.ack(receipts);
  }
  override async release(receipts: readonly string[]): Promise<void> {
    this.notes.push(`release ${receipts.join(' ')}`);
    return super.release(receipts);
  }
  override async dead(max: number): Promise<DeadLetter[]> {
    this.notes.push(`dead ${max}`);
    return super.dead(max);
  }
  take(): string[] {
    return this.notes.splice(0);
  }
}

export interface HandTarget {
  readonly run: RunId;
  readonly pushed: string[];
  /** Throws it at the next push or flush. */
  fails: Error | undefined;
  flushes: number;
  discards: number;
  moved(changes: Partial<MoveResult>): void;
}

/** A Live Coder that writes when it is told to. */
export function handTargets(): { readonly targets: HandTarget[]; readonly makeTarget: MakeTarget } {
  const targets: HandTarget[] = [];
  const makeTarget: MakeTarget = (run, onMoved) => {
    const one: HandTarget = {
      run,
      pushed: [],
      fails: undefined,
      flushes: 0,
      discards: 0,
      moved: (changes) =>
        onMoved({
          destination: 'd' as VolumeId,
          moved: [],
          skipped: [],
          recordBytes: 0,
          storedBytes: 0,
          ...changes,
        }),
    };
    targets.push(one);
    const mayFail = (): void => {
      const error = one.fails;
      one.fails = undefined;
      if (error !== undefined) throw error;
    };
    const target: DrainTarget = {
      push: async ({ bucket }: BucketContent) => {
        one.pushed.push(bucket.id);
        mayFail();
      },
      flush: async () => {
        one.flushes += 1;
        mayFail();
      },
      discard: () => {
        one.discards += 1;
      },
    };
    return target;
  };
  return { targets, makeTarget };
}
