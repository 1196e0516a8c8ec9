// Any Panda under a fault plan, for crash tests, and with transactions that are refused now and then, for soak tests.
import { assert } from '../foundation/assert.ts';
import { type PocketfulError, retryLater, unknownOutcome } from '../foundation/errors.ts';
import { type FaultPlan, underPlan } from '../foundation/faults.ts';
import type { Randomness } from '../foundation/randomness.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from './panda.ts';

/** This many of 1,000 transactions answer PANDA_BUSY and are not applied. */
export interface Busyness {
  readonly permille: number;
  readonly randomness: Randomness;
}

const lost = (): PocketfulError =>
  unknownOutcome('PANDA_UNKNOWN', 'the answer of the metadata store was lost (fault plan)');
const busy = (): PocketfulError => retryLater('PANDA_BUSY', 'the metadata store is busy (fault plan)');
const nameOf = (key: Key): string => `${key.partition}|${key.sort}`;

export class FaultyPanda implements Panda {
  readonly #inner: Panda;
  readonly #plan: FaultPlan;
  readonly #busyness: Busyness | undefined;

  constructor(inner: Panda, plan: FaultPlan, busyness?: Busyness) {
    assert(busyness === undefined || (busyness.permille >= 0 && busyness.permille <= 1000), 'permille is 0 to 1000');
    this.#inner = inner;
    this.#plan = plan;
    this.#busyness = busyness;
  }

  get refusesOverlap(): boolean {
    return this.#inner.refusesOverlap;
  }

  get paysByWrite(): boolean {
    return this.#inner.paysByWrite;
  }

  get(key: Key): Promise<Row | undefined> {
    return underPlan(this.#plan, 'panda', 'get', nameOf(key), () => this.#inner.get(key), busy);
  }

  getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    const detail = keys.map(nameOf).join(' ');
    return underPlan(this.#plan, 'panda', 'getMany', detail, () => this.#inner.getMany(keys, options), busy);
  }

  query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    const detail = `${partition}|${range?.from ?? ''}..${range?.to ?? ''}`;
    return underPlan(this.#plan, 'panda', 'query', detail, () => this.#inner.query(partition, range, options), busy);
  }

  /** An error of the plan is PANDA_UNKNOWN, whether the writes took effect (`after-error`) or not (`before-error`). */
  transact(writes: readonly Write[]): Promise<void> {
    const detail = writes.map((write) => `${write.kind} ${nameOf(write)}`).join(' ');
    return underPlan(this.#plan, 'panda', 'transact', detail, async () => this.#transact(writes), lost);
  }

  /** The plan is asked once a page. */
  async *scan(): AsyncIterable<readonly Row[]> {
    const pages = this.#inner.scan()[Symbol.asyncIterator]();
    for (;;) {
      const page = await underPlan(this.#plan, 'panda', 'scan', '', () => pages.next(), busy);
      if (page.done === true) return;
      yield page.value;
    }
  }

  /** Not under the plan: a dead process closes nothing. */
  close(): Promise<void> {
    return this.#inner.close();
  }

  async #transact(writes: readonly Write[]): Promise<void> {
    const { permille = 0, randomness } = this.#busyness ?? {};
    if (randomness !== undefined && randomness.below(1000) < permille) throw busy();
    await this.#inner.transact(writes);
  }
}
