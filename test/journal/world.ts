// A Panda in a SQLite file, shelves in memory that fail as told, and a model of what its rows were at every commit.
import { join } from 'node:path';
import type { ByteRange } from '../../lib/drive/drive.ts';
import { driveBusy } from '../../lib/drive/errors.ts';
import type { Shelf, ShelfEntry } from '../../lib/drive/shelf.ts';
import { gatherRows } from '../../lib/engine/journal/gather-rows.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { Crash, type FaultPlan, scriptedPlan, underPlan } from '../../lib/foundation/faults.ts';
import { type StoreId, storeId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import type { TendPorts } from '../../lib/journal/tend.ts';
import type { JournalSource, JournalView, ShippedTo } from '../../lib/panda/journal-source.ts';
import type { Key, Row, Write } from '../../lib/panda/panda.ts';
import { encodeAttributes } from '../../lib/panda/row-encoding.ts';
import { storeKey } from '../../lib/panda/rows/store-row.ts';
import { SqliteJournal } from '../../lib/panda/sqlite/sqlite-journal.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { MemoryShelf } from './memory-shelf.ts';

export const STORE: StoreId = storeId('0123456789abcdef0123456789abcdef');
export const COPIES = 2;

export class FaultyShelf implements Shelf {
  readonly label: string;
  readonly #inner: Shelf;
  readonly #plan: () => FaultPlan;

  constructor(inner: Shelf, plan: () => FaultPlan) {
    this.label = inner.label;
    this.#inner = inner;
    this.#plan = plan;
  }

  put(epoch: number, name: string, parts: readonly Uint8Array[]): Promise<void> {
    return this.#call('put', name, () => this.#inner.put(epoch, name, parts));
  }
  read(epoch: number, name: string, range?: ByteRange): Promise<Uint8Array> {
    return this.#call('read', name, () => this.#inner.read(epoch, name, range));
  }
  list(): Promise<ShelfEntry[]> {
    return this.#call('list', '', () => this.#inner.list());
  }
  remove(epoch: number, names: readonly string[]): Promise<void> {
    return this.#call('remove', names.join(), () => this.#inner.remove(epoch, names));
  }

  #call<T>(operation: string, detail: string, call: () => Promise<T>): Promise<T> {
    return underPlan(this.#plan(), 'drive', operation, detail, call, () => driveBusy(this.label, operation));
  }
}

/** The cursor's changes are calls like those of drives. */
export class FaultySource implements JournalSource {
  readonly #inner: JournalSource;
  readonly #plan: () => FaultPlan;

  constructor(inner: JournalSource, plan: () => FaultPlan) {
    this.#inner = inner;
    this.#plan = plan;
  }

  look(): Promise<JournalView> {
    return this.#inner.look();
  }
  claim(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean> {
    return this.#inner.claim(before, next);
  }
  letGo(): Promise<void> {
    return this.#inner.letGo();
  }
  advance(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean> {
    return this.#call('advance', () => this.#inner.advance(before, next));
  }
  passOver(keys: readonly Key[]): Promise<void> {
    return this.#call('passOver', () => this.#inner.passOver(keys));
  }
  beginTending(owner: string, isGone: (owner: string) => boolean): Promise<boolean> {
    return this.#call('begin', () => this.#inner.beginTending(owner, isGone));
  }
  endTending(owner: string): Promise<void> {
    return this.#call('end', () => this.#inner.endTending(owner));
  }
  close(): void {
    this.#inner.close();
  }

  #call<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return underPlan(this.#plan(), 'panda', operation, '', call, () => driveBusy('panda', operation));
  }
}

const HEALTHY = scriptedPlan(() => 'none');
const KEK = { version: 1, key: new Uint8Array(32).fill(7) };

export class JournalWorld {
  readonly clock: SimulatedClock;
  readonly random: SeededRandomness;
  readonly shelves: readonly MemoryShelf[];
  readonly panda: SqlitePanda;
  readonly source: SqliteJournal;
  plan: FaultPlan = HEALTHY;
  /** By sequence: every row then, as text by its key. */
  readonly states: ReadonlyMap<string, string>[] = [new Map()];
  #processes = 0;

  private constructor(
    seed: number,
    clock: SimulatedClock,
    panda: SqlitePanda,
    shelves: readonly MemoryShelf[],
    source: SqliteJournal,
  ) {
    this.clock = clock;
    this.random = new SeededRandomness(seed);
    this.panda = panda;
    this.shelves = shelves;
    this.source = source;
  }

  static async make(folder: string, seed: number, drives = 4): Promise<JournalWorld> {
    const path = join(folder, `panda-${seed}-${Math.random().toString(36).slice(2)}`);
    const clock = new SimulatedClock();
    const panda = await SqlitePanda.open(path, { clock });
    const shelves = Array.from({ length: drives }, (_, i) => new MemoryShelf(`drive ${i}`));
    const world = new JournalWorld(seed, clock, panda, shelves, new SqliteJournal(path));
    await world.write([{ kind: 'put', ...storeKey, attributes: { ep: 0 } }]);
    return world;
  }

  async close(): Promise<void> {
    this.source.close();
    await this.panda.close();
  }

  /** One transaction, and what the rows are after it. */
  async write(writes: readonly Write[]): Promise<void> {
    await this.panda.transact(writes);
    const next = new Map(this.states.at(-1));
    for (const write of writes) {
      const name = `${write.partition}|${write.sort}`;
      if (write.kind === 'delete') next.delete(name);
      else if (write.kind === 'put') next.set(name, encodeAttributes(write.attributes));
    }
    this.states.push(next);
  }

  /** Some rows of a few keys, so that they change again and again. */
  async writeSome(): Promise<void> {
    const count = 1 + this.random.below(4);
    const keys = new Set(Array.from({ length: count }, () => this.random.below(30)));
    await this.write(
      [...keys].map((key): Write => {
        const at = { partition: `p/${key % 3}`, sort: `k\u00e4-${key}` };
        if (this.random.below(4) === 0) return { kind: 'delete', ...at };
        return { kind: 'put', ...at, attributes: { n: this.random.below(1000), b: this.random.bytes(key) } };
      }),
    );
  }

  /** A process of its own, dead once its plan says so. */
  start(plan: () => FaultPlan = () => this.plan): TendPorts & { readonly all: Shelves } {
    const all = this.shelvesNow(plan);
    const owner = `process-${this.#processes++}`;
    return {
      all,
      ...{ storeId: STORE, clock: this.clock, randomness: this.random, owner },
      source: new FaultySource(this.source, plan),
      isOwnerGone: (other) => other !== owner,
      shelvesOf: () => all,
      kekOf: async () => KEK.key,
      currentKek: async () => KEK,
    };
  }

  shelvesNow(plan: () => FaultPlan = () => HEALTHY, without: readonly number[] = []): Shelves {
    const places = this.shelves.flatMap((shelf, drive) =>
      without.includes(drive)
        ? []
        : [{ drive, shelf: new FaultyShelf(shelf, plan), domain: `${drive}`, isActive: true }],
    );
    return new Shelves(places, COPIES);
  }

  async cursor(): Promise<ShippedTo | undefined> {
    const view = await this.source.look();
    view.close();
    return view.cursor;
  }

  /** What the drives that are left give back. */
  async restored(without: readonly number[] = [], atMs?: number) {
    const rows = new Map<string, string>();
    const ports = { storeId: STORE, randomness: this.random, kekOf: async () => KEK.key };
    const fill = async (all: AsyncIterable<Row>): Promise<number> => {
      rows.clear();
      for await (const { partition, sort, attributes } of all)
        rows.set(`${partition}|${sort}`, encodeAttributes(attributes));
      return rows.size;
    };
    const gathered = await gatherRows(ports, this.shelvesNow(undefined, without), { atMs, fill });
    return { ...gathered, contents: rows };
  }
}

/** Runs until the plan ends the process; false if it came to its end. */
export async function dies(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return true;
  }
}
