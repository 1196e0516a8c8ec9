// The port over which runs are carried out: in this process, or by a stage's functions. What is planned, in which
// order, within which budgets and how it is reported is decided above it (rounds.ts), once for both.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { RunId } from '../../foundation/ids.ts';
import { type FreeReport, freeTrash } from '../../volume/runs/free.ts';
import { newRunId } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { Strategy } from '../facts/plan-settings.ts';
import type { Actors } from '../run/actors.ts';
import { STEP_TIME_UP } from '../run/journal.ts';
import { addOutcome, NO_OUTCOME, type Outcome } from '../run/reports.ts';
import { releaseJournalled, stepRun } from './run-step.ts';

export type Freed = Pick<FreeReport, 'freedVolumes' | 'freedZones'>;

export interface Batches {
  readonly store: VolumeStore;
  readonly runsAtOnce: number;
  /** Under which a run is journalled, so that those who carry it out may take it over and nobody else does. */
  newRun(strategy: Strategy | 'merge'): RunId;
  /**
   * A journalled run, step by step until it is done; told to stop, what is left of it is given back. Its journal is
   * gone then. A run that is not there is done, and has done nothing; throws `retry` RUN_HELD while somebody else who
   * may be alive works on it.
   */
  carry(run: RunId, signal: AbortSignal): Promise<Outcome>;
  /** Erases what the runs have emptied. */
  free(signal: AbortSignal): Promise<Freed>;
}

/** One after the other, here. */
export const inProcess = (actors: Actors): Batches => ({
  store: actors.store,
  runsAtOnce: 1,
  newRun: (strategy) => newRunId(actors.store.components, strategy),
  carry: (run, signal) => carryHere(actors, run, signal),
  free: () => freeTrash(actors.store),
});

export async function carryHere(actors: Actors, run: RunId, signal: AbortSignal): Promise<Outcome> {
  let sum = NO_OUTCOME;
  for (;;) {
    const step = signal.aborted ? await releaseJournalled(actors.store, run) : await stepRun(actors, run, signal);
    sum = addOutcome(sum, step);
    if (!step.done) continue;
    // Whoever said stop need not be told so.
    return signal.aborted && sum.stalled?.code === STEP_TIME_UP ? { ...sum, stalled: undefined } : sum;
  }
}

export const isHeld = (error: unknown): boolean => isPocketfulError(error) && error.code === 'RUN_HELD';
