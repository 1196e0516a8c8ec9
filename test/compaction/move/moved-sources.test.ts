// Sources moved one after the other: where it ends early, and what becomes of those that were not reached.
import { describe, expect, it } from 'vitest';
import { moveSources, noteMove, nothingMoved } from '../../../lib/compaction/move/l2-move.ts';
import { corrupt, retryLater } from '../../../lib/foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../../lib/volume/runs/runs.ts';
import { Model } from '../../store/crash.ts';
import { World } from '../../store/harness.ts';
import { filesOf, putFiles, SMALL, sealedWorld } from '../acting-world.ts';
import { handTargets } from './drained-world.ts';

const prepared = sealedWorld({ volumes: 2, filesEach: 14, deletedEach: () => 0 });
const RUN = 'l2/p0/1' as RunId;
const FULL = retryLater('STORE_FULL', 'no zone is free');

async function leased(made?: World) {
  const world = made ?? (await prepared).world.clone();
  const p = world.start();
  const volumes: VolumeRow[] = [];
  for (const { id, state, class: cls } of await listVolumes(p.components.panda, SMALL.cell))
    if (state === 'sealed' && cls === 'warm') volumes.push((await takeRun(p.components, id, RUN)) as VolumeRow);
  const hands = handTargets();
  const states = async () =>
    (await listVolumes(world.panda, SMALL.cell))
      .filter(({ id }) => volumes.some((volume) => volume.id === id))
      .map(({ state, run }) => `${state} ${run}`);
  /** `act` is called before each push. */
  const move = (act: (pushes: number) => void = () => {}, signal?: AbortSignal) => {
    let pushes = 0;
    return moveSources(
      p.volumes,
      (run, onMoved) => {
        const target = hands.makeTarget(run, onMoved);
        return {
          ...target,
          push: (content) => {
            pushes += 1;
            act(pushes);
            return target.push(content);
          },
        };
      },
      RUN,
      volumes,
      signal,
    );
  };
  const target = () => hands.targets[0] as (typeof hands.targets)[number];
  return { world, p, volumes, hands, states, move, target };
}

const SEALED = 'sealed undefined';

describe('moves', () => {
  it('of every bucket of every source, then what waits; then the leases end', async () => {
    const { volumes, move, target, states } = await leased();
    expect(await move()).toEqual(nothingMoved());
    expect(target().pushed).toEqual(volumes.flatMap(({ buckets }) => [...buckets]));
    expect([target().flushes, target().discards]).toEqual([1, 1]);
    expect(await states()).toEqual([SEALED, SEALED]);
  });

  it('add up', () => {
    const moved = nothingMoved();
    const result = {
      destination: 'd' as VolumeId,
      moved: ['a', 'b'] as BucketId[],
      skipped: ['c'] as BucketId[],
      recordBytes: 30,
      storedBytes: 50,
    };
    noteMove(moved, result);
    noteMove(moved, { ...result, moved: ['e'] as BucketId[] });
    expect(moved).toEqual({
      ...nothingMoved(),
      buckets: 3,
      groups: 2,
      recordBytes: 60,
      storedBytes: 100,
      destinations: new Set(['d']),
    });
  });

  it('stop between two sources when they are told to, and nothing more is written', async () => {
    const first = await leased();
    expect(await first.move(undefined, AbortSignal.abort())).toEqual(nothingMoved());
    expect([first.target().pushed, first.target().flushes, first.target().discards]).toEqual([[], 0, 1]);
    expect(await first.states()).toEqual([SEALED, SEALED]);
    const { volumes, move, target, states } = await leased();
    const end = new AbortController();
    expect(await move(() => end.abort(), end.signal)).toEqual(nothingMoved());
    expect(target().pushed).toEqual([...(volumes[0]?.buckets ?? [])]);
    expect([target().flushes, target().discards]).toEqual([0, 1]);
    expect(await states()).toEqual([SEALED, SEALED]);
  });

  it('pass over a source that cannot be read, and say why', async () => {
    const { volumes, move, target, states } = await leased();
    const moved = await move((pushes) => {
      if (pushes === 1) throw corrupt('RECORD_LOST', 'of no use');
    });
    expect(moved).toEqual({
      ...nothingMoved(),
      skipped: [{ volume: volumes[0]?.id, reason: { code: 'RECORD_LOST', text: 'it cannot be read: of no use' } }],
    });
    expect(target().pushed).toEqual([...(volumes[1]?.buckets ?? [])]);
    expect(target().flushes).toBe(1);
    expect(await states()).toEqual([SEALED, SEALED]);
  });

  it('end where nothing can be written, with the reason; a mistake comes out', async () => {
    const { move, target, states } = await leased();
    const moved = await move((pushes) => {
      if (pushes === 2) throw retryLater('DRIVES_MISSING', 'too few');
    });
    expect(moved).toEqual({ ...nothingMoved(), stalled: { code: 'DRIVES_MISSING', text: 'too few' } });
    expect([target().pushed.length, target().flushes, target().discards]).toEqual([1, 0, 1]);
    expect(await states()).toEqual([SEALED, SEALED]);
    const other = await leased();
    await expect(
      other.move(() => {
        throw new TypeError('a mistake');
      }),
    ).rejects.toThrow('a mistake');
  });
});

describe('a store that is full', () => {
  it('ends them if nothing can be erased', async () => {
    const { move, target, states } = await leased();
    const moved = await move((pushes) => {
      if (pushes === 2) throw FULL;
    });
    expect(moved).toEqual({ ...nothingMoved(), stalled: { code: 'STORE_FULL', text: 'no zone is free' } });
    expect([target().pushed.length, target().flushes]).toEqual([1, 0]);
    expect(await states()).toEqual([SEALED, SEALED]);
  });

  it('goes on after what was emptied is erased, a single zone of it, too', async () => {
    const settings = { ...SMALL, hotCodec: 'single' as const };
    const world = new World(9, settings, 6);
    const p = world.start();
    await putFiles(p, new Model(), filesOf(9, 14, 1800));
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    await p.volumes.open.sealAll('warm');
    const trash = async () => (await listVolumes(world.panda, SMALL.cell)).filter(({ state }) => state === 'trash');
    expect((await trash()).map(({ extents }) => extents.length)).toEqual([1]);
    const { move, target, volumes } = await leased(world);
    const moved = await move((pushes) => {
      if (pushes === 2) throw FULL;
    });
    expect(moved).toEqual(nothingMoved());
    expect(await trash()).toEqual([]);
    // What was pushed before is tried again; what could not be pushed has stayed with the coder.
    expect(target().flushes).toBe(2);
    expect(target().pushed.length).toBe((volumes[0]?.buckets.size ?? 0) - 1);
  });
});
