// Batches of a table's stream shipped beside each other, cut off anywhere: whatever was acknowledged is what a restore
// takes, although what was not lies beside it on the drives.
import { describe, expect, it } from 'vitest';
import { gatherRows } from '../../lib/engine/journal/gather-rows.ts';
import { StreamJournal } from '../../lib/engine/ship/stream-journal.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { denied, retryLater } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import { ship, shipSnapshot } from '../../lib/journal/ship.ts';
import { STAGE_CLAIM_MS_MAX, STAGE_CLAIM_MS_MIN } from '../../lib/limits/journal.ts';
import type { ChangedRow, JournalSource } from '../../lib/panda/journal-source.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import { MemoryShelf } from './memory-shelf.ts';
import { STORE } from './world.ts';

const KEKS = [1, 2].map((version) => ({ version, key: new Uint8Array(32).fill(version) }));
const DIED = new Error('the invocation is over');
/** Where one stands still: before it claims, before its segment is there, before the cursor moves. */
const PLACES = ['claim', 'put', 'advance'] as const;
type Place = (typeof PLACES)[number];
/** Done by others at that place; rejects: the invocation dies there. */
type Meanwhile = () => Promise<unknown>;

class Forked {
  readonly panda = new MemoryPanda();
  readonly clock = new SimulatedClock();
  readonly shelf = new MemoryShelf();
  readonly #random = new SeededRandomness(1);
  /** Those before it are destroyed. */
  #key = 1;

  async begin(): Promise<void> {
    await this.panda.transact([{ kind: 'put', partition: 'store', sort: 'settings', attributes: { ep: 0 } }]);
    await this.shipped(this.source([]));
  }

  /** As before a key version is destroyed; then it is. */
  async destroysKey(): Promise<void> {
    const { panda, clock } = this;
    const source = new StreamJournal({ panda, clock, randomness: this.#random }, [], clock.nowMs(), { movesOn: true });
    const shelves = new Shelves([{ drive: 0, domain: '0', isActive: true, shelf: this.shelf }], 1);
    const before = this.#current();
    const ports = this.#ports();
    // Both versions are there until it is done.
    const kekOf = async (version: number): Promise<Uint8Array> => (KEKS[version - 1] ?? before).key;
    this.#key = 2;
    let isDone = false;
    while (!isDone)
      isDone = await shipSnapshot({ ...ports, kekOf, source, shelvesOf: () => shelves }, true).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'JOURNAL_BUSY' });
          return false;
        },
      );
  }

  /** A batch of one row, written after `laterMs`. */
  async batch(sort: string, n: number, laterMs = 1): Promise<() => StreamJournal> {
    this.clock.advance(laterMs);
    const attributes = { n };
    await this.panda.transact([{ kind: 'put', partition: 'p', sort, attributes }]);
    const atMs = this.clock.nowMs();
    return () => this.source([{ partition: 'p', sort, attributes }], atMs);
  }

  source(changed: readonly ChangedRow[], atMs = this.clock.nowMs()): StreamJournal {
    const { panda, clock } = this;
    return new StreamJournal({ panda, clock, randomness: this.#random }, changed, atMs);
  }

  async shipped(inner: StreamJournal, place?: Place, meanwhile: Meanwhile = async () => {}): Promise<void> {
    let isDue = true;
    let isDead = false;
    const at = async (here: Place): Promise<void> => {
      if (!isDue || here !== place) return;
      isDue = false;
      await meanwhile().catch((error: unknown) => {
        isDead = error === DIED;
        throw error;
      });
    };
    const source: JournalSource = {
      look: () => inner.look(),
      claim: async (before, next) => {
        await at('claim');
        return inner.claim(before, next);
      },
      letGo: async () => {
        if (!isDead) await inner.letGo();
      },
      advance: async (before, next) => {
        await at('advance');
        return inner.advance(before, next);
      },
      passOver: () => inner.passOver(),
      beginTending: (owner, isGone) => inner.beginTending(owner, isGone),
      endTending: (owner) => inner.endTending(owner),
      close: () => {},
    };
    const { shelf } = this;
    const stalled = Object.assign(new MemoryShelf(), {
      put: async (...args: Parameters<MemoryShelf['put']>) => {
        await at('put');
        await shelf.put(...args);
      },
    });
    const shelves = new Shelves([{ drive: 0, domain: '0', isActive: true, shelf: stalled }], 1);
    await ship({ ...this.#ports(), source, shelvesOf: () => shelves });
  }

  async restored(): Promise<Record<string, unknown>> {
    let found: Record<string, unknown> = {};
    await gatherRows(this.#ports(), new Shelves([{ drive: 0, domain: '0', isActive: true, shelf: this.shelf }], 1), {
      atMs: undefined,
      fill: async (rows) => {
        found = {};
        for await (const { partition, sort, attributes } of rows) if (partition === 'p') found[sort] = attributes['n'];
        return 1;
      },
    });
    return found;
  }

  #ports() {
    const kekOf = async (version: number): Promise<Uint8Array> => {
      if (version !== this.#key) throw denied('KEK_DESTROYED', `${version}`);
      return this.#current().key;
    };
    return { storeId: STORE, randomness: this.#random, kekOf, currentKek: async () => this.#current() };
  }

  #current(): (typeof KEKS)[number] {
    return KEKS[this.#key - 1] as (typeof KEKS)[number];
  }
}

const dies: Meanwhile = () => Promise.reject(DIED);

describe('batches of a stream beside each other', () => {
  it.each(PLACES)('one that died at its %s hides nothing that another shipped', async (place) => {
    for (const laterMs of [0, 1, 5000]) {
      const forked = new Forked();
      await forked.begin();
      const other = await forked.batch('b', 1);
      const dead = await forked.batch('a', 1, laterMs);
      await expect(forked.shipped(dead(), place, dies)).rejects.toBe(DIED);
      await forked.shipped(other());
      expect(await forked.restored()).toMatchObject({ b: 1 });
      await forked.shipped(dead());
      expect(await forked.restored()).toEqual({ a: 1, b: 1 });
    }
  });

  it.each(PLACES)('one that stands still at its %s, and dies later, neither', async (place) => {
    for (const later of PLACES) {
      const forked = new Forked();
      await forked.begin();
      const [first, other] = [await forked.batch('a', 1), await forked.batch('b', 1)];
      const stands: Meanwhile = async () => {
        await forked.shipped(other());
        expect(await forked.restored()).toMatchObject({ b: 1 });
      };
      let isOver = false;
      const run = forked.shipped(first(), place, stands).then(() => {
        isOver = true;
      });
      await run;
      expect(isOver).toBe(true);
      expect(await forked.restored()).toEqual({ a: 1, b: 1 });
      // Both again, in the other order, and one of them cut off.
      await forked.shipped(other());
      await expect(forked.shipped(first(), later, dies)).rejects.toBe(DIED);
      expect(await forked.restored()).toEqual({ a: 1, b: 1 });
    }
  });

  it('of two first snapshots the one that was acknowledged is taken', async () => {
    for (const place of PLACES) {
      const forked = new Forked();
      await forked.panda.transact([{ kind: 'put', partition: 'store', sort: 'settings', attributes: { ep: 0 } }]);
      const early = forked.source([]);
      const run = forked.shipped(early, place, async () => {
        const batch = await forked.batch('a', 1);
        await forked.shipped(batch());
        expect(await forked.restored()).toEqual({ a: 1 });
        throw DIED;
      });
      await expect(run).rejects.toBe(DIED);
      expect(await forked.restored()).toEqual({ a: 1 });
    }
  });

  it('a number is claimed once, however many die', async () => {
    const forked = new Forked();
    await forked.begin();
    for (let i = 0; i < 6; i++) {
      const batch = await forked.batch(`k${i}`, i);
      for (const place of PLACES) {
        await expect(forked.shipped(batch(), place, dies)).rejects.toBe(DIED);
        forked.clock.advance(STAGE_CLAIM_MS_MAX);
      }
    }
    const { segments } = await new Shelves([{ drive: 0, domain: '0', isActive: true, shelf: forked.shelf }], 1).list();
    const numbers = segments.map(({ to }) => to.sequence);
    expect(numbers.length).toBe(7);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('one that comes late from a quick shard, after one of a slow shard, brings no older image back', async () => {
    const forked = new Forked();
    await forked.begin();
    const slow = await forked.batch('slow', 1);
    const first = await forked.batch('a', 1, 5000);
    await forked.shipped(first());
    const second = await forked.batch('a', 2, 5000);
    await forked.shipped(second());
    await forked.shipped(slow());
    await forked.shipped(first());
    expect(await forked.restored()).toEqual({ a: 2, slow: 1 });
  });

  it.each(PLACES)(
    'one that stands still at its %s while a key is destroyed leaves nothing under that one',
    async (place) => {
      const forked = new Forked();
      await forked.begin();
      const batch = await forked.batch('a', 1);
      await forked.shipped(batch(), place, () => forked.destroysKey());
      expect(await forked.restored()).toEqual({ a: 1 });
    },
  );

  it('a snapshot that was deleted as a newer one was there, before it was read back, is made again', async () => {
    const forked = new Forked();
    await forked.begin();
    const { shelf } = forked;
    const [read, put] = [shelf.read.bind(shelf), shelf.put.bind(shelf)];
    const snapshots: string[] = [];
    shelf.put = async (epoch, name, parts) => {
      if (name.startsWith('s')) snapshots.push(name);
      await put(epoch, name, parts);
    };
    shelf.read = async (epoch, name, range) => {
      if (name === snapshots[0]) await shelf.remove(epoch, [name]);
      return read(epoch, name, range);
    };
    await forked.destroysKey();
    expect(snapshots).toHaveLength(2);
    expect(await forked.restored()).toEqual({});
  });

  it('nobody waits for one whose drives refused it', async () => {
    const forked = new Forked();
    await forked.begin();
    const batch = await forked.batch('a', 1);
    const refused: Meanwhile = () => Promise.reject(retryLater('DRIVE_BUSY', 'it is full'));
    for (let i = 0; i < 9; i++)
      await expect(forked.shipped(batch(), 'put', refused)).rejects.toMatchObject({ code: 'JOURNAL_UNSHIPPED' });
    const beforeMs = forked.clock.nowMs();
    await forked.shipped(batch());
    expect(forked.clock.nowMs()).toBe(beforeMs);
    expect(await forked.restored()).toEqual({ a: 1 });
  });

  it('one that may be writing is left alone, for twice as long each time that was not enough', async () => {
    const waits: number[] = [];
    for (const deaths of [1, 2, 3]) {
      const forked = new Forked();
      await forked.begin();
      const batch = await forked.batch('a', 1);
      for (let i = 1; i <= deaths; i++) {
        forked.clock.advance(STAGE_CLAIM_MS_MAX);
        await expect(forked.shipped(batch(), 'advance', dies)).rejects.toBe(DIED);
      }
      const beganMs = forked.clock.nowMs();
      let isShipped = false;
      while (!isShipped)
        isShipped = await forked.shipped(batch()).then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'JOURNAL_BUSY' });
            return false;
          },
        );
      waits.push(Math.floor((forked.clock.nowMs() - beganMs) / STAGE_CLAIM_MS_MIN));
      expect(await forked.restored()).toEqual({ a: 1 });
    }
    expect(waits).toEqual([1, 2, 4]);
  });
});
