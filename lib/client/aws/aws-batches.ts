// Runs of a stage, carried out by its functions: L1, L2 and merges step by step by compactors, L3 by the drainer and
// the queue. What the state machine does meanwhile is in nobody's way.
import type { Batches } from '../../compaction/do/batches.ts';
import { newDrainerRun } from '../../compaction/do/drainer.ts';
import { readJournal, volumesOf } from '../../compaction/run/journal.ts';
import { addOutcome, NO_OUTCOME, type Outcome, spentOn } from '../../compaction/run/reports.ts';
import type { RunId } from '../../foundation/ids.ts';
import { STAGE_RUNS_AT_ONCE } from '../../limits/stage.ts';
import { readVolume } from '../../volume/rows/read-rows.ts';
import { parkedRunId } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { StageTasks } from './aws-tasks.ts';

export const onStage = (store: VolumeStore, tasks: StageTasks): Batches => ({
  store,
  runsAtOnce: STAGE_RUNS_AT_ONCE,
  newRun: (strategy) => (strategy === 'l3' ? newDrainerRun(store.components) : parkedRunId(store.components, strategy)),
  carry: (run, signal) => (run.startsWith('l3/') ? drained(store, tasks, run, signal) : stepped(tasks, run, signal)),
  free: async (signal) => (await tasks.gc({ signal })).free,
});

async function stepped(tasks: StageTasks, run: RunId, signal: AbortSignal): Promise<Outcome> {
  let sum = NO_OUTCOME;
  for (;;) {
    const step = await tasks.step(run, signal.aborted);
    sum = addOutcome(sum, step);
    if (step.done) return sum;
  }
}

/**
 * Until its journal is gone, or the drainer says why it stopped. Its volumes stay with the drainer then: the next
 * passes go on.
 */
async function drained(store: VolumeStore, tasks: StageTasks, run: RunId, signal: AbortSignal): Promise<Outcome> {
  const { components } = store;
  const journal = await readJournal(components, run);
  if (journal === undefined) return NO_OUTCOME;
  const isOver = async (): Promise<boolean> => (await readJournal(components, run)) === undefined;
  const { movedBytes, storedBytes, buckets, stalled } = await tasks.drain({ signal, begin: false, isOver });
  let retired = 0;
  for (const id of volumesOf(journal.task)) {
    const now = await readVolume(components.panda, components.settings.cell, id);
    if (now === undefined || now.state === 'trash' || now.state === 'erasing') retired += 1;
  }
  const spent = spentOn(components.settings, {
    copiedBytes: movedBytes,
    storedBytes,
    copiedBuckets: buckets,
    retired,
    destinations: 0,
    queued: true,
  });
  return { ...NO_OUTCOME, retired, movedBuckets: buckets, movedBytes, storedBytes, spent, stalled };
}
