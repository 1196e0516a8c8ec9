// The drainer: leases the sparsest volumes for L3, keeps the queue filled with one group's worth of their buckets as
// long as flow control lets it, and retires what is empty. All it knows is in Panda, so every pass may be another
// process, and a pass may die anywhere.

import { isKind } from '../../foundation/errors.ts';
import { hexOf, type RunId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import { DRAIN_RUNS_MAX } from '../../limits/compaction.ts';
import type { Write } from '../../panda/panda.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Stream, StreamFigures } from '../../stream/stream.ts';
import type { Components } from '../../volume/rows/components.ts';
import { readVolume } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';
import { endSource } from '../../volume/runs/drain-source.ts';
import { ownerOf, retireVolume, takeRun } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { FLOW_LIMITS, type Flow, type FlowLimits, flowOf } from '../move/l3/flow.ts';
import { deadBuckets, sendDraining } from '../move/l3/stream-runs.ts';
import { budgetsLeft } from '../plan/budget.ts';
import { coderStall } from '../run/coder-state.ts';
import {
  advance,
  beginJournal,
  DRAINER_OWNER,
  endJournal,
  progressed,
  requireJournal,
  taskOf,
  volumesOf,
} from '../run/journal.ts';
import type { JournalRow } from '../run/journal-row.ts';
import { leasePlanned } from '../run/leases.ts';
import { metadataWritesLeft, readPeriod } from '../run/period.ts';
import { readThreshold } from '../threshold/row.ts';
import { type PlanOptions, planNow } from './plan-now.ts';
import { queuedAttributes, queuedKey, queuedMsFromRow } from './queued-row.ts';

/** What a pass came to: flow control's own codes, nothing to do, or the code of an error that ended it. */
export const NOTHING_TO_DRAIN = 'NOTHING_TO_DRAIN';

export interface DrainerReport {
  /** Messages sent in this pass. */
  readonly sent: number;
  /** Volumes emptied and retired. */
  readonly retired: number;
  /** Runs begun, and ended. */
  readonly begun: number;
  readonly ended: number;
  /** Volumes that are still draining. */
  readonly draining: number;
  readonly reason: Reason;
  readonly stream: StreamFigures;
}

export interface DrainerOptions extends Omit<PlanOptions, 'settings'> {
  /** False: what was begun is worked off, and nothing else. */
  readonly begin?: boolean;
  /** Instead of the planner's own boundary: fuller volumes, too, such as what packing has left over. */
  readonly l3UpTo?: number | undefined;
  readonly limits?: FlowLimits;
  readonly signal?: AbortSignal;
}

/** One pass. Throttled metadata or a busy queue ends it early, with the reason. */
export async function drainPass(
  store: VolumeStore,
  stream: Stream,
  options: DrainerOptions = {},
): Promise<DrainerReport> {
  const pass = new DrainerPass(store, stream, options);
  try {
    await pass.run();
  } catch (error) {
    if (!isKind(error, 'retry', 'unknown')) throw error;
    pass.reason = reasonOf(error);
  }
  return pass.report();
}

/** Ends all runs of the drainer: what was moved stays moved, messages on their way are outdated. How many. */
export async function endDrains(store: VolumeStore): Promise<number> {
  const journals = await drains(store.components);
  for (const journal of journals) {
    for (const id of volumesOf(journal.task)) {
      const volume = await readVolume(store.components.panda, store.components.settings.cell, id);
      if (volume?.run === journal.run) await endSource(store, volume, journal.run);
    }
    await endJournal(store.components, journal);
  }
  return journals.length;
}

/** An id for a run that the drainer works off, whoever begins it. */
export const newDrainerRun = (components: Components): RunId =>
  `l3/${DRAINER_OWNER}/${hexOf(components.randomness.bytes(6))}` as RunId;

const drains = async (components: Components): Promise<JournalRow[]> =>
  (await requireJournal(components)).filter(
    ({ task, run }) => task.strategy === 'l3' && ownerOf(run) === DRAINER_OWNER,
  );

const ONLY_DEAD: Reason = { code: 'DEAD_LETTERS', text: 'all that is left to drain are dead letters: look at them' };
const NOTHING: Reason = { code: NOTHING_TO_DRAIN, text: 'nothing is worth draining' };

class DrainerPass {
  reason: Reason = NOTHING;
  readonly #store: VolumeStore;
  readonly #stream: Stream;
  readonly #options: DrainerOptions;
  #figures: StreamFigures = { ready: 0, inFlight: 0, oldestAgeMs: 0, dead: 0 };
  #sent = 0;
  #retired = 0;
  #begun = 0;
  #ended = 0;
  #draining: VolumeRow[] = [];

  constructor(store: VolumeStore, stream: Stream, options: DrainerOptions) {
    this.#store = store;
    this.#stream = stream;
    this.#options = options;
  }

  async run(): Promise<void> {
    let runs = 0;
    for (const journal of await drains(this.#store.components)) if (await this.#tend(journal)) runs += 1;
    const flow = await this.#flow();
    this.reason = flow.reason;
    if (flow.send === 0) return;
    const mayBegin = this.#options.begin ?? true;
    if (mayBegin && this.#bucketsDraining() < flow.send && runs < DRAIN_RUNS_MAX)
      await this.#begin(DRAIN_RUNS_MAX - runs, flow.send);
    // Which of them are on their way is not known: only once none is, what Panda says is draining is sent (again).
    const depth = this.#figures.ready + this.#figures.inFlight;
    if (depth === 0) await this.#send(flow.send);
    if (this.#draining.length === 0) this.reason = NOTHING;
    else if (depth === 0 && this.#sent === 0 && this.#figures.dead > 0) this.reason = ONLY_DEAD;
  }

  report(): DrainerReport {
    return {
      sent: this.#sent,
      retired: this.#retired,
      begun: this.#begun,
      ended: this.#ended,
      draining: this.#draining.length,
      reason: this.reason,
      stream: this.#figures,
    };
  }

  #bucketsDraining(): number {
    return this.#draining.reduce((sum, { buckets }) => sum + buckets.size, 0);
  }

  /** Retires what is empty, ends the run when nothing of it is draining. True if it goes on. */
  async #tend(journal: JournalRow): Promise<boolean> {
    const { components } = this.#store;
    let left = 0;
    let retired = 0;
    const held = journal.phase === 'PREPARE' ? await this.#lease(journal) : journal;
    for (const id of volumesOf(held.task)) {
      const volume = await readVolume(components.panda, components.settings.cell, id);
      if (volume?.state !== 'draining' || volume.run !== held.run) continue;
      if (volume.buckets.size === 0 && (await retireVolume(components, volume, held.run))) {
        retired += 1;
        continue;
      }
      this.#draining.push(volume);
      left += 1;
    }
    this.#retired += retired;
    if (left > 0) {
      if (retired > 0) await advance(components, held, progressed(components));
      return true;
    }
    await endJournal(components, held);
    this.#ended += 1;
    return false;
  }

  /** A volume that has changed since the plan is left out by its state. */
  async #lease(journal: JournalRow): Promise<JournalRow> {
    const { planned } = journal.task;
    for (const [at, id] of volumesOf(journal.task).entries()) {
      const [generation, buckets] = planned?.[at] ?? [];
      if (generation === undefined || buckets === undefined) await takeRun(this.#store.components, id, journal.run);
      else await leasePlanned(this.#store, journal.run, { volume: id, generation, buckets });
    }
    return (await advance(this.#store.components, journal, { phase: 'COPY' })) ?? journal;
  }

  async #begin(runsMax: number, bucketsMax: number): Promise<void> {
    const { components } = this.#store;
    const { limits: _, begin: __, signal, l3UpTo, ...rest } = this.#options;
    const { state } = await readThreshold(components);
    const period = await readPeriod(components);
    const budgets = period && budgetsLeft(period.budgets, period.spent);
    if (period !== undefined && budgets === undefined) return;
    const { plan } = await planNow(this.#store, {
      threshold: state.threshold,
      ...rest,
      ...(budgets === undefined ? {} : { budgets }),
      settings: { strategies: ['l3'], ...(l3UpTo === undefined ? {} : { l3UpTo }) },
    });
    for (const run of plan.runs.slice(0, runsMax)) {
      if (this.#bucketsDraining() >= bucketsMax || signal?.aborted) break;
      const journal = await beginJournal(components, newDrainerRun(components), taskOf(plan.digest, run));
      this.#begun += 1;
      await this.#tend(journal);
    }
  }

  async #send(max: number): Promise<void> {
    const dead = await deadBuckets(this.#stream, this.#figures);
    for (const volume of this.#draining) {
      if (this.#sent >= max || this.#options.signal?.aborted) break;
      this.#sent += await sendDraining(this.#store, this.#stream, volume, max - this.#sent, dead);
    }
    if (this.#sent > 0) await markQueued(this.#store.components);
  }

  async #flow(): Promise<Flow> {
    const { components } = this.#store;
    const figures = await this.#stream.figures();
    const depth = figures.ready + figures.inFlight;
    const since = depth === 0 ? undefined : await queuedSinceMs(components);
    const oldestAgeMs = Math.max(figures.oldestAgeMs, since === undefined ? 0 : components.clock.nowMs() - since);
    this.#figures = { ...figures, oldestAgeMs };
    return flowOf(
      {
        stream: this.#figures,
        coderWaitingBytes: 0,
        // With an empty queue nobody would find out that it can write again.
        coderStalled: depth === 0 ? undefined : await coderStall(components),
        metadataWritesLeft: await metadataWritesLeft(components),
      },
      this.#options.limits ?? FLOW_LIMITS,
    );
  }
}

async function queuedSinceMs(components: Components): Promise<number | undefined> {
  const row = await components.panda.get(queuedKey);
  return row === undefined ? undefined : queuedMsFromRow(row);
}

async function markQueued(components: Components): Promise<void> {
  const put: Write = { kind: 'put', ...queuedKey, attributes: queuedAttributes(Math.max(0, components.clock.nowMs())) };
  await transact(components, [put], async () => false);
}
