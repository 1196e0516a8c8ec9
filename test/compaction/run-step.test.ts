// A run in steps whose time is short: what was moved stays moved, leases are given back, and the next step goes on; a step that moves
// nothing at all gives up rather than be called for ever.
import { describe, expect, it } from 'vitest';
import { planRuns } from '../../lib/compaction/do/plan-runs.ts';
import { releaseJournalled, stepRun } from '../../lib/compaction/do/run-step.ts';
import { advance, listJournal } from '../../lib/compaction/run/journal.ts';
import type { JournalRow } from '../../lib/compaction/run/journal-row.ts';
import { measure } from '../../lib/engine/upkeep/measure.ts';
import { HOUR_MS } from '../../lib/foundation/durations.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import type { RunId } from '../../lib/foundation/ids.ts';
import { METRICS } from '../../lib/settings/metric-names.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { newRunId } from '../../lib/volume/runs/runs.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import type { Process } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { actorsOf, sealedWorld } from './acting-world.ts';

let made: ReturnType<typeof sealedWorld> | undefined;

/** Six thinned volumes, made once: each test has a copy of its own. */
async function thinned() {
  made ??= sealedWorld({ volumes: 6, filesEach: 90, deletedEach: () => 55 });
  const { world: first, model } = await made;
  const world = first.clone();
  return { world, model, p: world.start() };
}

/** One step whose time is up after so many groups. */
function step(p: Process, run: RunId, groupsMax: number) {
  const end = new AbortController();
  if (groupsMax === 0) end.abort();
  let groups = 0;
  const actors = actorsOf(p);
  return stepRun(
    {
      ...actors,
      makeTarget: (id, moved) =>
        actors.makeTarget(id, (result) => {
          moved(result);
          groups += 1;
          if (groups >= groupsMax) end.abort();
        }),
    },
    run,
    end.signal,
  );
}

describe('a run in steps', () => {
  it('is overdue by its last progress, not by its beginning; taking it over is none', async () => {
    const { world, p } = await thinned();
    const { runs } = await planRuns(p.volumes, 1, { strategies: ['l2'] });
    const run = runs[0] as RunId;
    const overdue = async () => (await measure(p.components))[METRICS.hoursOverdue];
    world.clock.advance(10 * HOUR_MS);
    expect(await overdue()).toBeCloseTo(4, 1);
    expect(await step(world.start(), run, 1)).toMatchObject({ done: false });
    expect(await overdue()).toBe(0);
    world.clock.advance(10 * HOUR_MS);
    const { startedAtMs, progressAtMs } = (await listJournal(p.components)).find(({ id }) => id === run) as JournalRow;
    expect(progressAtMs).toBe(startedAtMs + 10 * HOUR_MS);
    expect(await overdue()).toBeCloseTo(4, 1);
  });

  it('goes on where the step before stopped', async () => {
    const { world, model, p } = await thinned();
    const { runs } = await planRuns(p.volumes, 100, { strategies: ['l2'] });
    const run = runs[0] as RunId;
    let steps = 0;
    let retired = 0;
    for (let done = false; !done; steps++) {
      const report = await step(world.start(), run, 1);
      expect(report.stalled).toBeUndefined();
      expect(report.movedBuckets).toBeGreaterThan(0);
      ({ done } = report);
      retired += report.retired;
      const leased = (await listVolumes(p.components.panda, 'c0')).filter((volume) => volume.run !== undefined);
      expect(leased).toEqual([]);
    }
    expect(steps).toBeGreaterThan(1);
    expect(retired).toBeGreaterThan(1);
    expect((await listJournal(p.components)).map(({ id }) => id)).not.toContain(run);
    await expectSound(world.start());
    await model.expectIn(world.start());
  });

  it('ends when there is no time for a single group', async () => {
    const { world, p } = await thinned();
    const { runs } = await planRuns(p.volumes, 100, { strategies: ['l2'] });
    const run = runs[0] as RunId;
    expect(await step(world.start(), run, 0)).toMatchObject({ done: true, movedBuckets: 0, retired: 0 });
    expect((await listJournal(p.components)).map(({ id }) => id)).not.toContain(run);
    expect((await listVolumes(p.components.panda, 'c0')).filter((volume) => volume.run !== undefined)).toEqual([]);
  });

  it('plans nothing twice', async () => {
    const { world, p } = await thinned();
    const first = await planRuns(p.volumes, 100);
    const begun = first.runs[0] as RunId;
    await step(world.start(), begun, 1);
    const second = await planRuns(world.start().volumes, 100);
    const journals = await listJournal(p.components);
    const named = journals.flatMap(({ task }) => [...(task.host === null ? [] : [task.host]), ...task.sources]);
    expect(new Set(named).size).toBe(named.length);
    expect(journals.map(({ id }) => id).sort()).toEqual([...second.runs].sort());
    expect(second.resumed).toBe(journals.filter(({ phase }) => phase === 'COPY').length);
  });

  it('is given back by whoever finds it, unless somebody else is at it: other errors come out', async () => {
    const { world, p } = await thinned();
    const { runs } = await planRuns(p.volumes, 100, { strategies: ['l2'] });
    const run = runs[0] as RunId;
    const volumes = (components: Partial<Process['components']>) => new VolumeStore({ ...p.components, ...components });
    const busy = retryLater('PANDA_BUSY', 'not now');
    const panda = Object.create(world.panda, { get: { value: () => Promise.reject(busy) } });
    await expect(releaseJournalled(volumes({ panda }), run)).rejects.toBe(busy);
    const journal = (await listJournal(p.components)).find(({ id }) => id === run) as JournalRow;
    await advance(p.components, journal, { run: newRunId(p.components, 'l2') });
    const other = volumes({ owner: 'somebody-else', isOwnerGone: () => false });
    expect(await releaseJournalled(other, run)).toMatchObject({ done: true, stalled: { code: 'RUN_HELD' } });
    expect((await listJournal(p.components)).map(({ id }) => id)).toContain(run);
    expect(await releaseJournalled(p.volumes, run)).toMatchObject({ done: true, stalled: undefined });
    expect((await listJournal(p.components)).map(({ id }) => id)).not.toContain(run);
  });
});
