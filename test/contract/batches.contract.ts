// What `compact` needs of whoever carries its runs out, on every body: one process, and the functions of a stage.
import { describe, expect, it } from 'vitest';
import type { Batches } from '../../lib/compaction/do/batches.ts';
import { planNow } from '../../lib/compaction/do/plan-now.ts';
import type { Strategy } from '../../lib/compaction/facts/plan-settings.ts';
import { beginJournal, listJournal, taskOf } from '../../lib/compaction/run/journal.ts';
import { NO_OUTCOME } from '../../lib/compaction/run/reports.ts';
import { present } from '../../lib/foundation/assert.ts';
import type { RunId } from '../../lib/foundation/ids.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { newRunId, takeRun } from '../../lib/volume/runs/runs.ts';
import { sealedWorld } from '../compaction/acting-world.ts';
import type { Process, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const NEVER = new AbortController().signal;

export function batchesContract(body: string, batchesOn: (world: World, p: Process) => Batches): void {
  // Volumes of L2, two of L3 among them.
  const prepared = sealedWorld({ volumes: 6, filesEach: 90, deletedEach: (volume) => (volume < 2 ? 86 : 55) });

  async function fresh() {
    const made = await prepared;
    const [world, model] = [made.world.clone(), made.model.clone()];
    const p = world.start();
    const expectQuiet = async (): Promise<void> => {
      expect(await listJournal(p.components)).toEqual([]);
      expect(
        (await listVolumes(p.components.panda, p.components.settings.cell)).filter(({ run }) => run !== undefined),
      ).toEqual([]);
      await expectSound(world.start());
      await model.expectIn(world.start());
    };
    return { world, p, batches: batchesOn(world, p), expectQuiet };
  }

  async function begun({ p, batches }: Awaited<ReturnType<typeof fresh>>, strategy: Strategy) {
    const { plan } = await planNow(p.volumes, { settings: { strategies: [strategy] } });
    const run = present(plan.runs[0], `there is a run of ${strategy}`);
    return { run, id: (await beginJournal(p.components, batches.newRun(strategy), taskOf(plan.digest, run))).id };
  }

  describe(`batches: ${body}`, () => {
    for (const strategy of ['l2', 'l3'] as const)
      it(`carry a run of ${strategy} to its end, and say what it took`, async () => {
        const made = await fresh();
        const { id, run } = await begun(made, strategy);
        const outcome = await made.batches.carry(id, NEVER);
        expect(outcome).toMatchObject({ retired: run.sources.length, stalled: undefined, skipped: [] });
        expect(outcome.spent.bytesRead).toBe(outcome.movedBytes);
        expect(outcome.spent.metadataWrites).toBeGreaterThanOrEqual(3 * outcome.movedBuckets);
        await made.batches.free(NEVER);
        await made.expectQuiet();
      });

    it('have nothing done of a run that is not there', async () => {
      const { batches, expectQuiet } = await fresh();
      const outcome = await batches.carry('l2/parked/000000000000' as RunId, NEVER);
      expect(outcome).toMatchObject(JSON.parse(JSON.stringify(NO_OUTCOME)));
      await expectQuiet();
    });

    it('give a run back when told to stop', async () => {
      const made = await fresh();
      const { id } = await begun(made, 'l2');
      expect(await made.batches.carry(id, AbortSignal.abort())).toMatchObject({ retired: 0, movedBytes: 0 });
      await made.expectQuiet();
    });

    it('leave out what another run has taken since the plan, and say so', async () => {
      const made = await fresh();
      const { id, run } = await begun(made, 'l2');
      const [first] = run.sources;
      const other = newRunId(made.p.components, 'l1');
      await takeRun(made.p.components, first?.volume as never, other);
      const outcome = await made.batches.carry(id, NEVER);
      expect(outcome.skipped).toMatchObject([{ volume: first?.volume, reason: { code: 'VOLUME_OWNED' } }]);
      const owned = (await listVolumes(made.p.components.panda, 'c0')).filter(({ run: owner }) => owner === other);
      expect(owned.map(({ id: volume }) => volume)).toEqual([first?.volume]);
    });
  });
}
