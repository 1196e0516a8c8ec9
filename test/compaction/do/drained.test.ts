// A drain in one process: which volumes it takes, by their rows alone, and what it says of them.
import { describe, expect, it } from 'vitest';
import { type DrainOptions, drain } from '../../../lib/compaction/do/drain.ts';
import { listJournal } from '../../../lib/compaction/run/journal.ts';
import type { VolumeId } from '../../../lib/foundation/ids.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { SMALL } from '../acting-world.ts';
import { handTargets } from '../move/drained-world.ts';
import { hex, sealedRows } from './scripted-batches.ts';

async function draining(fills: readonly number[]) {
  const made = await sealedRows(fills);
  const run = async (options: DrainOptions = {}) => {
    const seen: unknown[] = [];
    const report = await drain(made.p.volumes, handTargets().makeTarget, {
      onProgress: (progress) => void seen.push(progress),
      ...options,
    });
    return { report, seen };
  };
  const retired = async () =>
    (await listVolumes(made.world.panda, SMALL.cell))
      .filter(({ state }) => state === 'trash')
      .map(({ id }) => Number.parseInt(id, 16));
  return { ...made, run, retired };
}

const NOTHING = { sources: 0, retired: 0, movedBytes: 0, buckets: 0, storedBytes: 0, stalled: undefined };

describe('a drain', () => {
  it('takes what is sealed, warm and nobody’s, and retires what nothing lives in', async () => {
    const { run, retired, set, p } = await draining([0, 0, 0, 0, 0]);
    await set(1, { cl: 'hot' });
    await set(2, { s: 'open' });
    await set(3, { r: 'l2/p9/1' });
    const progress = { sources: 2, retired: 2, movedBytes: 0 };
    expect(await run()).toEqual({
      report: { ...progress, buckets: 0, storedBytes: 0, stalled: undefined },
      seen: [progress],
    });
    expect(await retired()).toEqual([0, 4]);
    expect(await listJournal(p.components)).toEqual([]);
    // Nothing is left to take.
    expect(await run()).toEqual({ report: NOTHING, seen: [] });
  });

  it('takes half full ones at the most, to the byte; a bucket that is not there any more is of no bytes', async () => {
    const { run, set } = await draining([0.5, 0.5]);
    const buckets = [0, 1, 2, 3, 77].map(hex);
    await set(0, { b: new Set(buckets) });
    const { report } = await run();
    expect(report.sources).toBe(2);
    expect((await run({ fillPermilleMax: 499 })).report).toEqual(NOTHING);
  });

  it('takes only those it is told to, however full', async () => {
    const { run, retired } = await draining([0, 0, 0.9]);
    expect((await run({ only: new Set([hex(1)] as VolumeId[]) })).report).toMatchObject({ sources: 1, retired: 1 });
    expect(await retired()).toEqual([1]);
    expect((await run({ only: new Set([hex(2)] as VolumeId[]) })).report.sources).toBe(1);
    expect((await run({ only: new Set([hex(9)] as VolumeId[]) })).report).toEqual(NOTHING);
    expect((await run({ sourcesMax: 0 })).report).toEqual(NOTHING);
  });

  it('leaves a source that cannot be read, and says why', async () => {
    const { run, retired } = await draining([0, 0.3]);
    const { report } = await run();
    expect(report).toMatchObject({ sources: 2, retired: 1, buckets: 0 });
    expect(report.stalled).toMatchObject({ code: 'RECORD_LOST', text: expect.stringMatching(/^it cannot be read: /) });
    expect(await retired()).toEqual([0]);
  });

  it('that is stopped gives its volumes back', async () => {
    const { run, retired, p } = await draining([0.3]);
    const { report, seen } = await run({ signal: AbortSignal.abort() });
    expect(report).toEqual({ ...NOTHING, sources: 1 });
    expect(seen).toEqual([{ sources: 1, retired: 0, movedBytes: 0 }]);
    expect([await retired(), await listJournal(p.components)]).toEqual([[], []]);
  });
});
