// The objects of all namespaces of a `file:` store, for a server in front of it: what every put and delete of the
// embedded engine needs done before and after it, once for all that are under way.
import { PutTally } from '../../engine/status/put-tally.ts';
import type { EmbeddedStore } from '../../engine/wire/embedded/embedded-store.ts';
import type { StoreDisk } from '../../engine/wire/store-disk.ts';
import { isKind, isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import type { ComposeRequest, DeleteItem, DeleteOutcome, PutItem, PutOutcome } from '../../frontend/frontend.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import type { ObjectEngine } from '../face.ts';
import { deleteInPortions } from './delete-in-portions.ts';
import { HotRelief } from './hot-relief.ts';

export class EmbeddedObjects implements ObjectEngine {
  readonly clock: ObjectEngine['clock'];
  readonly randomness: ObjectEngine['randomness'];
  readonly get: ObjectEngine['get'];
  readonly head: ObjectEngine['head'];
  readonly list: ObjectEngine['list'];
  readonly read: ObjectEngine['read'];
  readonly #engine: EmbeddedStore;
  readonly #recover: () => Promise<void>;
  readonly #relief: HotRelief;
  readonly #tally: PutTally;

  constructor(engine: EmbeddedStore, recover: () => Promise<void>) {
    const { frontend, components } = engine;
    this.#engine = engine;
    this.#recover = recover;
    this.#relief = new HotRelief(engine);
    this.#tally = new PutTally(components, engine.bulk);
    this.clock = components.clock;
    this.randomness = components.randomness;
    this.get = (...args) => frontend.get(...args);
    this.head = (...args) => frontend.head(...args);
    this.list = (...args) => frontend.list(...args);
    this.read = (...args) => frontend.read(...args);
  }

  /**
   * The first item that finds a disk full is the last that is begun: that one, and those under way, fail with `retry`
   * DISK_FULL.
   */
  async *putAll(items: AsyncIterable<PutItem> | Iterable<PutItem>): AsyncGenerator<PutOutcome> {
    const { disk, frontend, journal } = this.#engine;
    disk.beforePut();
    await this.#recover();
    const relief = this.#relief;
    const { fromBytes: bulkFrom = Number.POSITIVE_INFINITY } = this.#engine.bulk ?? {};
    let full: PocketfulError | undefined;
    let notBegun: PutItem | undefined;
    async function* relieved() {
      for await (const item of items) {
        if (full !== undefined) return;
        // If more is to be shipped than waits by now, not even the reserve has room for it.
        if (journal?.refused !== undefined && (await disk.isShort())) {
          full = disk.full(journal.refused);
          notBegun = item;
          return;
        }
        const { sizeBytes = 0 } = item;
        const wait = relief.before(sizeBytes < bulkFrom ? sizeBytes : 0);
        if (wait !== undefined) await wait;
        yield item;
      }
    }
    const outcomes = frontend.putAll(relieved(), () => relief.relieve());
    for await (const outcome of this.#tally.counted(outcomes)) {
      if (!outcome.ok && (await isForRoom(disk, outcome.error))) full ??= disk.full(outcome.error);
      yield outcome.ok || full === undefined ? outcome : { ...outcome, error: full };
    }
    if (notBegun !== undefined && full !== undefined) yield { key: notBegun.key, ok: false, error: full };
  }

  /** Waits for a pass that makes room, and throws what it threw. */
  relieved(): Promise<void> {
    return this.#relief.end();
  }

  /** Counts what was put for the figures of the day. */
  tally(): Promise<void> {
    return this.#tally.write();
  }

  async *deleteAll(items: AsyncIterable<DeleteItem> | Iterable<DeleteItem>): AsyncGenerator<DeleteOutcome> {
    const { disk, frontend } = this.#engine;
    const isShort = await disk.beforeFreeing('deletes');
    try {
      await this.#recover();
      if (isShort) yield* deleteInPortions(this.#engine, items);
      else yield* frontend.deleteAll(items);
    } finally {
      disk.afterFreeing('deletes');
    }
  }

  async compose(request: ComposeRequest): Promise<ObjectRow> {
    await this.#recover();
    return this.#engine.frontend.compose(request);
  }
}

/** A disk that is full shows as drives that cannot be written, too. */
const isForRoom = async (disk: StoreDisk, error: Error): Promise<boolean> =>
  isPocketfulError(error) &&
  isKind(error, 'retry', 'unknown') &&
  (error.code === 'PANDA_FULL' || (await disk.isFull()));
