// Somebody was quicker, or so Panda says: a use-case is run again and again, each time with another transaction refused as if one of its conditions
// did not hold. It begins anew or says that it cannot, and leaves nothing that does not add up.
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Page, Panda, QueryOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';
import { expectRecovered, type UseCase } from './use-cases.ts';

class QuickerOthers implements Panda {
  readonly refusesOverlap = true;
  readonly paysByWrite = true;
  transactions = 0;
  readonly #inner: MemoryPanda;
  readonly #at: number;

  constructor(inner: MemoryPanda, at: number) {
    [this.#inner, this.#at] = [inner, at];
  }

  async transact(writes: readonly Write[]): Promise<void> {
    this.transactions += 1;
    const failed = writes.findIndex((write) => write.if !== undefined);
    if (this.transactions === this.#at && failed !== -1) throw new PandaConflict([failed]);
    await this.#inner.transact(writes);
  }

  get = (key: Key): Promise<Row | undefined> => this.#inner.get(key);
  getMany = (keys: readonly Key[]): Promise<(Row | undefined)[]> => this.#inner.getMany(keys);
  query = (partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> =>
    this.#inner.query(partition, range, options);
  scan = (): AsyncIterable<readonly Row[]> => this.#inner.scan();
  async close(): Promise<void> {}
}

/** What those say that do not begin anew. */
export async function meetConflicts({ prepare, act }: UseCase, transactionsMax: number): Promise<string[]> {
  const prepared = await prepare();
  const run = async (at: number) => {
    const world = prepared.world.clone();
    const model = prepared.model.clone();
    const panda = new QuickerOthers(world.panda, at);
    const error = await act(world.start({ panda }), model).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (error !== undefined && !isPocketfulError(error)) throw error;
    return { world, model, panda, error };
  };
  const { panda, error: failed } = await run(0);
  if (failed !== undefined) throw failed;
  const codes = new Set<string>();
  const step = Math.max(1, Math.floor(panda.transactions / transactionsMax));
  for (let at = 1; at <= panda.transactions; at += step) {
    const { world, model, error } = await run(at);
    if (error !== undefined) codes.add(error.code);
    await expectRecovered(world, error === undefined ? model : undefined);
  }
  return [...codes].sort();
}
