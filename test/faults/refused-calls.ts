// Panda refuses: a use-case is run again and again, each time with another call refused for a reason that no waiting mends. It says so, or what
// it says and leaves is what it would have been.
import { expect } from 'vitest';
import { denied, isPocketfulError } from '../../lib/foundation/errors.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';
import { rowsIn, toldOf } from './lost-answers.ts';
import { expectRecovered, type UseCase } from './use-cases.ts';

class RefusingPanda implements Panda {
  readonly refusesOverlap = true;
  readonly paysByWrite = true;
  calls = 0;
  refused = '';
  readonly #inner: Panda;
  readonly #at: number;

  readonly #error: Error;

  constructor(inner: Panda, at: number, error: Error = denied('PANDA_DENIED', 'refused')) {
    [this.#inner, this.#at, this.#error] = [inner, at, error];
  }

  get = (key: Key): Promise<Row | undefined> => this.#do(`get ${tableOf(key)}`, () => this.#inner.get(key));
  getMany = (keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> =>
    this.#do(`get ${namesOf(keys)}`, () => this.#inner.getMany(keys, options));
  query = (partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> =>
    this.#do(`query ${tableOf({ partition })}`, () => this.#inner.query(partition, range, options));
  transact = (writes: readonly Write[]): Promise<void> =>
    this.#do(`write ${namesOf(writes)}`, () => this.#inner.transact(writes));
  scan = (): AsyncIterable<readonly Row[]> => this.#inner.scan();
  async close(): Promise<void> {}

  async #do<T>(what: string, call: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.calls !== this.#at) return call();
    this.refused = what;
    throw this.#error;
  }
}

const tableOf = ({ partition }: Pick<Key, 'partition'>): string => partition.split('/')[0] as string;
const namesOf = (keys: readonly Key[]): string => [...new Set(keys.map(tableOf))].join(' ');

/** A delete is tried once more for each object alone; what a long one held is given back by whoever comes next. */
export const MENDED: Readonly<Record<string, readonly string[]>> = {
  'a delete, of short and long objects': [
    'get block',
    'get store',
    'get work',
    'query segment',
    'write object work removed',
    'write work',
    'write work segment block trash',
  ],
};

/** The refusals that nobody was told of, though something is otherwise than it would have been. */
export async function refuseCalls({ prepare, act }: UseCase, callsMax: number): Promise<string[]> {
  const prepared = await prepare();
  const run = async (at: number) => {
    const world = prepared.world.clone();
    const model = prepared.model.clone();
    const panda = new RefusingPanda(world.panda, at);
    const told = await act(world.start({ panda }), model).then(toldOf, (error: unknown) => error);
    return { world, model, panda, told, rows: JSON.stringify(rowsIn(world)) };
  };
  const calm = await run(0);
  if (typeof calm.told !== 'string') throw calm.told;
  const untold: string[] = [];
  const step = Math.max(1, Math.floor(calm.panda.calls / callsMax));
  for (let at = 1; at <= calm.panda.calls; at += step) {
    const { world, model, panda, told, rows } = await run(at);
    if (isPocketfulError(told)) expect([panda.refused, told.code]).toEqual([panda.refused, 'PANDA_DENIED']);
    else if (typeof told !== 'string') throw told;
    else if (told === calm.told && rows !== calm.rows) untold.push(panda.refused);
    await expectRecovered(world, isPocketfulError(told) ? undefined : model);
  }
  return [...new Set(untold)].sort();
}

/** Calls that fail by a mistake in a program: what failed, where that is kept from whoever asked. */
export async function makeMistakes({ prepare, act }: UseCase, callsMax: number): Promise<string[]> {
  const prepared = await prepare();
  const run = async (at: number, mistake: Error) => {
    const world = prepared.world.clone();
    const panda = new RefusingPanda(world.panda, at, mistake);
    const told = await act(world.start({ panda }), prepared.model.clone()).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { panda, told };
  };
  const calm = await run(0, new TypeError('not to come'));
  if (calm.told !== undefined) throw calm.told;
  const kept: string[] = [];
  const step = Math.max(1, Math.floor(calm.panda.calls / callsMax));
  for (let at = 1; at <= calm.panda.calls; at += step) {
    const mistake = new TypeError('a mistake');
    const { panda, told } = await run(at, mistake);
    if (told !== mistake) kept.push(panda.refused);
  }
  return [...new Set(kept)].sort();
}
