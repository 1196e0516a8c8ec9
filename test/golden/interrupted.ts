// What comes of a use-case when calls of it fail, any of them, one or all from there on.

import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { type FaultMode, scriptedPlan } from '../../lib/foundation/faults.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { Panda, Write } from '../../lib/panda/panda.ts';
import type { UseCase } from '../faults/use-cases.ts';
import { foundNothing, left, RecordingPanda, sumOf } from './transcripts.ts';

/** A call is done or not, and its answer is lost, or it is refused for now. `places`: at how many calls that is tried. */
interface Interruption {
  readonly calls: string;
  readonly mode: FaultMode | 'conflict';
  readonly span: 'once' | 'always';
  readonly places: number;
}

const once = (calls: string, mode: Interruption['mode'], places: number): Interruption => ({
  calls,
  mode,
  span: 'once',
  places,
});
const always = (calls: string, mode: Interruption['mode']): Interruption => ({
  calls,
  mode,
  span: 'always',
  places: 3,
});

export const INTERRUPTIONS: Readonly<Record<string, readonly Interruption[]>> = {
  transactions: [
    once('panda transact', 'after-error', 8),
    once('panda transact', 'before-error', 8),
    always('panda transact', 'before-error'),
    once('panda transact', 'conflict', 24),
    always('panda transact', 'conflict'),
  ],
  'reads of rows': [once('panda get', 'before-error', 8), once('panda query', 'before-error', 8)],
  drives: [
    once('drive append', 'after-error', 4),
    once('drive append', 'before-error', 6),
    always('drive append', 'before-error'),
    once('drive read', 'before-error', 6),
    always('drive read', 'before-error'),
    once('drive list', 'before-error', 4),
    once('drive zones', 'before-error', 2),
    once('drive erase', 'before-error', 4),
    once('drive erase', 'after-error', 2),
  ],
};

/** Whoever waits for others to give way goes on till then. */
const CALLS_MAX = 3_000;
const GOES_ON = new Error('it goes on');

class ConflictingPanda extends RecordingPanda {
  readonly #isRefused: () => boolean;

  constructor(inner: Panda, isRefused: () => boolean) {
    super(inner, () => undefined);
    this.#isRefused = isRefused;
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    if (this.#isRefused()) throw new PandaConflict([0]);
    return super.transact(writes);
  }
}

/** So many answers of transactions are lost of those whose every answer is to be. */
const ANSWERS_MAX = 25;

/** Every one of so many, or some of them, evenly, the last one among them. */
export function placesOf(count: number, max: number): number[] {
  const places = Math.min(count, max);
  return Array.from({ length: places }, (_, i) => Math.round(((i + 1) * count) / places));
}

export interface InterruptedOptions {
  /** Every answer of a transaction is lost, each in turn. */
  readonly everyAnswer?: boolean;
  /** Of so many places one, where each takes long. */
  readonly every?: number;
}

/** Places of which the same comes are one line. */
export async function interruptedLines(
  { prepare, act }: UseCase,
  interruptions: readonly Interruption[],
  { everyAnswer = false, every = 1 }: InterruptedOptions = {},
): Promise<readonly string[]> {
  const prepared = await prepare();
  const run = async (at: number, { calls, mode, span }: Omit<Interruption, 'places'>) => {
    const world = prepared.world.clone();
    const counts = new Map<string, number>();
    let all = 0;
    const isHit = (name: string): boolean => {
      const count = counts.get(name) ?? 0;
      return name === calls && (count === at || (span === 'always' && count > at));
    };
    const plan = scriptedPlan(({ port, operation }) => {
      const name = `${port} ${operation}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      all += 1;
      if (all > CALLS_MAX) throw GOES_ON;
      return mode !== 'conflict' && isHit(name) ? mode : 'none';
    });
    const panda = new ConflictingPanda(world.panda, () => mode === 'conflict' && isHit('panda transact'));
    const told = await act(world.start({ plan, panda }), prepared.model.clone()).then(
      (value) => `tells ${sumOf(value ?? '')}`,
      (error: unknown) => {
        if (error === GOES_ON) return 'goes on';
        // It found nothing of what it is for.
        if (foundNothing(error)) return 'does not do it';
        if (isPocketfulError(error)) return `fails ${error.code} ${error.message}`;
        throw error;
      },
    );
    return { counts, told, all, leaves: await left(world) };
  };
  const calm = await run(0, { calls: '', mode: 'none', span: 'once' });
  const lines = [`${calm.told}, ${calm.all} calls, leaves ${calm.leaves}`];
  const same = (one: string, other: string): string => (one === other ? 'the same' : one);
  for (const interruption of interruptions) {
    const { calls, mode, span, places } = interruption;
    const isEvery = everyAnswer && calls === 'panda transact' && mode === 'after-error';
    const max = isEvery ? ANSWERS_MAX : Math.ceil(places / every);
    const outcomes = new Map<string, number[]>();
    for (const at of placesOf(calm.counts.get(calls) ?? 0, max)) {
      const { told, all, leaves } = await run(at, interruption);
      const outcome = `${same(told, calm.told)}, ${all} calls, leaves ${same(leaves, calm.leaves)}`;
      outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), at]);
    }
    for (const [outcome, ats] of outcomes) lines.push(`${calls} ${ats.join(' ')} ${mode} ${span}: ${outcome}`);
  }
  return lines;
}
