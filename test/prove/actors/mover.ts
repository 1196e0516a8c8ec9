// What moves data: the encoder, the strategies of compaction (of one process, and as a stage's steps do them), merges, the drainer and the
// workers of its queue.

import { inProcess } from '../../../lib/compaction/do/batches.ts';
import { drain } from '../../../lib/compaction/do/drain.ts';
import { drainPass, endDrains } from '../../../lib/compaction/do/drainer.ts';
import { planMergesNow } from '../../../lib/compaction/do/merge-now.ts';
import { planRuns } from '../../../lib/compaction/do/plan-runs.ts';
import { type CompactOptions, compact } from '../../../lib/compaction/do/rounds.ts';
import { stepRun } from '../../../lib/compaction/do/run-step.ts';
import type { PlanSettings } from '../../../lib/compaction/facts/plan-settings.ts';
import { workDelivered } from '../../../lib/compaction/move/l3/delivered.ts';
import { listDead, redriveDead } from '../../../lib/compaction/move/l3/stream-runs.ts';
import type { Actors } from '../../../lib/compaction/run/actors.ts';
import { beginJournal, listJournal, mergeTaskOf } from '../../../lib/compaction/run/journal.ts';
import { compactStore } from '../../../lib/engine/upkeep/compaction.ts';
import { encodeStage } from '../../../lib/engine/upkeep/stage-tasks.ts';
import type { RunId } from '../../../lib/foundation/ids.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../../lib/live-coder/live-coder.ts';
import { parkedRunId } from '../../../lib/volume/runs/runs.ts';
import { acceptable } from './client.ts';
import { type Acting, engineOf, type SimWorld } from './sim-world.ts';

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;

const VISIBILITY_MS = 30_000;
const STEPS_MAX = 6;
const MERGES_APART_MS = 3000;
/** Merges whatever can be merged. */
const MERGING = { rowsPerGibMax: 1, remnantFraction: 0.5, tierFactor: 2, sourcesMin: 2 };

/** Volumes as thin or as full as these small ones are belong to somebody. */
const LOOSE: Partial<PlanSettings> = { minAgeMs: 0, l3UpTo: 0.2, l2UpTo: 0.7, l1UpTo: 0.95, minFill: 0.1 };

export const actorsOf = ({ volumes, queue }: Acting, withQueue = true): Actors => ({
  store: volumes,
  ...(withQueue ? { stream: queue } : {}),
  makeTarget: (run, moved) => new LiveCoder(volumes, run, moved),
});

const compacting =
  (options: CompactOptions): Act =>
  async (_, acting, random) => {
    const rounds = random.below(6) === 0;
    await compact(inProcess(actorsOf(acting, random.below(2) === 0)), {
      threshold: 0.02,
      untilStable: rounds,
      ...options,
    });
  };

export const MOVER: Readonly<Record<string, Act>> = {
  encode: async (_, { volumes }, random) => {
    if (random.below(3) > 0) await volumes.open.sealAll('hot');
    await encodeHot(volumes, { force: true, flush: random.below(2) === 0 });
  },
  'seal-warm': async (_, { volumes }) => {
    await volumes.open.sealAll('warm');
  },
  drain: async (_, acting) => {
    await drain(acting.volumes, actorsOf(acting).makeTarget, { fillPermilleMax: 600, sourcesMax: 3 });
  },
  'compact-l1': compacting({ merge: false, settings: { ...LOOSE, strategies: ['l1'], l3UpTo: 0.02, l2UpTo: 0.05 } }),
  'compact-l2': compacting({ merge: false, settings: { ...LOOSE, strategies: ['l2'], l3UpTo: 0.05 } }),
  'compact-l3': compacting({ merge: false, settings: { ...LOOSE, strategies: ['l3'], l3UpTo: 0.6 } }),
  compact: compacting({ settings: LOOSE, merging: MERGING }),
  merge: compacting({ merge: 'only', merging: MERGING }),
  'plan-runs': async (_, { volumes }, random) => {
    await planRuns(volumes, 1 + random.below(4), { threshold: 0.02 });
  },
  'step-runs': stepSome,
  'step-same': stepSame,
  'merge-twice': mergeTwice,
  'drain-pass': async (_, { volumes, queue }) => {
    await drainPass(volumes, queue, { threshold: 0.02, l3UpTo: 0.6 });
  },
  'drain-work': workSome,
  'drain-twice': workTwice,
  'end-drains': async (_, { volumes }) => {
    await endDrains(volumes);
  },
  'encode-stage': async (_, acting, random) => {
    const all = random.below(2) === 0;
    const signal = timeUp(acting, 200 + random.below(20_000));
    await encodeStage(acting.volumes, { all, signal, stream: acting.queue });
  },
  'compact-store': async (_, acting, random) => {
    const threshold = random.below(3) === 0 ? {} : { threshold: 0.02 };
    await compactStore(engineOf(acting), { ...threshold, finish: random.below(2) === 0 });
  },
  'dead-letters': async (_, { volumes, queue }, random) => {
    const letters = await listDead(volumes, queue);
    if (letters.length === 0) return;
    if (random.below(3) === 0) await queue.drop(letters.map(({ id }) => id));
    else await redriveDead(queue, random.below(2) === 0 ? undefined : letters.slice(0, 1).map(({ id }) => id));
  },
};

/** As the state machine of a stage: ids of runs, each stepped for as long as there is time. */
async function stepSome(_: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const { runs } = await planRuns(acting.volumes, 3, { threshold: 0.02 });
  for (const run of runs)
    for (let step = 0; step < STEPS_MAX; step++) {
      const { done } = await stepRun(actorsOf(acting), run, timeUp(acting, 200 + random.below(4000)));
      if (done) break;
    }
}

/** Whatever run there is, whoever is at it: twice at once, as when a state machine is told that a step failed which goes on all the same. */
async function stepSame(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  if (random.below(2) === 0) await planRuns(acting.volumes, 2, { threshold: 0.02 });
  for (const { id } of await listJournal(acting.components))
    await stepAtOnce(world, acting, random, id, random.below(2) === 0 ? [0, 0] : [0]);
}

/** A merge, and somebody who takes it over while the first goes on. */
async function mergeTwice(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const { components, volumes } = acting;
  const task = mergeTaskOf(await planMergesNow(volumes, { merging: MERGING }));
  if (task === undefined) return;
  const { id } = await beginJournal(components, parkedRunId(components, 'merge'), task);
  await stepAtOnce(world, acting, random, id, [0, random.below(MERGES_APART_MS)]);
}

/** Each after so many milliseconds. */
async function stepAtOnce(
  world: SimWorld,
  acting: Acting,
  random: SeededRandomness,
  id: RunId,
  afterMs: readonly number[],
): Promise<void> {
  const step = async (pauseMs: number): Promise<void> => {
    try {
      if (pauseMs > 0) await acting.components.clock.sleep(pauseMs);
      await stepRun(actorsOf(acting), id, timeUp(acting, 200 + random.below(20_000)));
    } catch (error) {
      acceptable(world, error, ['retry', 'unknown', 'conflict']);
    }
  };
  await Promise.all(afterMs.map(step));
}

/** As a function that is handed a batch of messages; what it does not name as failed is acknowledged by the queue. */
async function workSome(_: SimWorld, acting: Acting, random: SeededRandomness, times = 1): Promise<void> {
  const { queue } = acting;
  for (let batch = 0; batch < 3; batch++) {
    const deliveries = await queue.receive(2 + random.below(9), VISIBILITY_MS);
    if (deliveries.length === 0) return;
    const work = async (): Promise<void> => {
      const { failed } = await workDelivered(actorsOf(acting), queue, deliveries, timeUp(acting, VISIBILITY_MS));
      const isFailed = new Set(failed);
      await queue.ack(deliveries.map(({ receipt }) => receipt).filter((receipt) => !isFailed.has(receipt)));
    };
    await Promise.all(Array.from({ length: times }, work));
  }
}

/** A queue may hand a batch to two functions at once. */
async function workTwice(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  await MOVER['drain-pass']?.(world, acting, random);
  await workSome(world, acting, random, 2);
}

/** Fires when so much of the process's time has passed. */
export function timeUp({ process }: Acting, afterMs: number): AbortSignal {
  const control = new AbortController();
  process.scheduler.schedule(afterMs * 1000, 0, process, () => control.abort());
  return control.signal;
}
