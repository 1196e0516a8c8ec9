// What every source of a journal does, whatever Panda it is of: one moment of the rows, what changed since the cursor,
// a cursor that moves once, one tender at a time; and what is shipped from it is the rows.
import { describe, expect, it } from 'vitest';
import { gatherRows } from '../../lib/engine/journal/gather-rows.ts';
import type { SimulatedClock } from '../../lib/foundation/clock.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import { ship } from '../../lib/journal/ship.ts';
import { type TendPorts, tendLadder } from '../../lib/journal/tend.ts';
import { type ImageRow, isDamaged, type JournalSource, type ShippedTo } from '../../lib/panda/journal-source.ts';
import type { Panda, Row, Write } from '../../lib/panda/panda.ts';
import { encodeAttributes } from '../../lib/panda/row-encoding.ts';
import { compareKeys } from '../../lib/panda/sort-order.ts';
import { attributesOfBytes } from '../../lib/panda/sqlite/read-row-bytes.ts';
import { MemoryShelf } from '../journal/memory-shelf.ts';
import { STORE } from '../journal/world.ts';

export interface OpenedJournal {
  readonly panda: Panda;
  readonly clock: SimulatedClock;
  write(writes: readonly Write[]): Promise<void>;
  /** A process of its own, as of what was written by now. */
  source(): JournalSource;
  /** All that was written by now is shipped. */
  settled(): void;
  close(): Promise<void>;
}

const put = (sort: string, n: number, partition = 'p/1'): Write => ({
  ...{ kind: 'put', partition, sort },
  attributes: { n, b: Buffer.from([n]) },
});
const gone = (sort: string, partition = 'p/1'): Write => ({ kind: 'delete', partition, sort });

async function textOf(rows: Iterable<unknown> | AsyncIterable<unknown>): Promise<string[]> {
  const texts: string[] = [];
  let before: ImageRow | undefined;
  for await (const one of rows as AsyncIterable<ImageRow>) {
    expect(isDamaged(one)).toBe(false);
    if (before !== undefined) expect(compareKeys(before, one)).toBeLessThan(0);
    before = one;
    const value = one.image === undefined ? '-' : encodeAttributes(attributesOfBytes(one, one.image));
    texts.push(`${one.partition}|${one.sort} ${value}`);
  }
  return texts;
}

const lineOf = ({ partition, sort, attributes }: Row): string => `${partition}|${sort} ${encodeAttributes(attributes)}`;

export function journalSourceContract(name: string, open: () => Promise<OpenedJournal>): void {
  const within = async (use: (journal: OpenedJournal) => Promise<void>): Promise<void> => {
    const journal = await open();
    try {
      await use(journal);
    } finally {
      await journal.close();
    }
  };
  const rowsOf = async (panda: Panda): Promise<string[]> => {
    const lines: string[] = [];
    for await (const page of panda.scan())
      lines.push(...page.filter(({ partition }) => partition !== 'journal').map(lineOf));
    return lines.sort();
  };
  const moved = async (source: JournalSource, epoch = 0): Promise<ShippedTo> => {
    const view = await source.look();
    const { tip, cursor } = view;
    view.close();
    const next = { epoch, sequence: tip?.sequence ?? 0, mark: tip?.mark ?? '', atMs: tip?.atMs ?? 0 };
    expect(await source.claim(cursor, next)).toBe(true);
    expect(await source.advance(cursor, next)).toBe(true);
    return next;
  };

  describe(`journal source: ${name}`, () => {
    it('has a point and no cursor at first, and all rows in the order of their keys', () =>
      within(async (journal) => {
        await journal.write([put('b', 2), put('\u00e4', 3), put('a', 1, 'o/2')]);
        const view = await journal.source().look();
        expect(view).toMatchObject({ cursor: undefined, waiting: { commits: expect.any(Number) } });
        expect(view.tip?.sequence).toBeGreaterThan(0);
        expect((await textOf(view.all())).sort()).toEqual(await rowsOf(journal.panda));
        view.close();
      }));

    it('moves its cursor from where it is, once', () =>
      within(async (journal) => {
        await journal.write([put('a', 1)]);
        const [one, two] = [journal.source(), journal.source()];
        const views = [await one.look(), await two.look()];
        for (const view of views) view.close();
        const [mine, theirs] = views.map(({ tip }) => ({ epoch: 0, ...(tip as NonNullable<typeof tip>) }));
        expect(await one.claim(undefined, mine as ShippedTo)).toBe(true);
        await two.claim(undefined, theirs as ShippedTo);
        expect(await one.advance(undefined, mine as ShippedTo)).toBe(true);
        expect(await two.advance(undefined, theirs as ShippedTo)).toBe(false);
        const after = await one.look();
        expect(after).toMatchObject({ cursor: mine, waiting: { commits: 0, sinceMs: undefined } });
        expect(after.tip).toMatchObject({ sequence: mine?.sequence, mark: mine?.mark });
        after.close();
        expect(await two.advance({ ...(mine as ShippedTo), mark: '00000001' }, theirs as ShippedTo)).toBe(false);
      }));

    it('says what changed since the cursor: the newest image of each row, and what is gone', () =>
      within(async (journal) => {
        await journal.write([put('a', 1), put('b', 1), put('c', 1)]);
        const before = await moved(journal.source());
        journal.settled();
        await journal.write([put('c', 2), put('b', 2)]);
        await journal.write([gone('a'), put('c', 3)]);
        const view = await journal.source().look();
        expect(view.cursor).toEqual(before);
        expect(view.tip?.sequence).toBeGreaterThan(before.sequence);
        const changed = await textOf(view.changes());
        expect(changed).toHaveLength(3);
        expect(changed[0]).toBe('p/1|a -');
        expect(changed.slice(1)).toEqual((await rowsOf(journal.panda)).filter((line) => /^p\/1\|[bc]/.test(line)));
        view.close();
      }));

    it('a cursor of another epoch is none: the first of the new one replaces it', () =>
      within(async (journal) => {
        await journal.write([put('a', 1)]);
        await moved(journal.source(), 0);
        journal.settled();
        await journal.write([put('a', 2)]);
        const source = journal.source();
        const view = await source.look();
        view.close();
        const next = { epoch: 1, ...(view.tip as NonNullable<typeof view.tip>) };
        expect(await source.claim(undefined, next)).toBe(true);
        expect(await source.advance(undefined, next)).toBe(true);
        const after = await journal.source().look();
        expect(after.cursor).toEqual(next);
        after.close();
      }));

    it('has one tender at a time, and another once that one is gone', () =>
      within(async (journal) => {
        await journal.write([put('a', 1)]);
        await moved(journal.source());
        const [a, b] = [journal.source(), journal.source()];
        expect(await a.beginTending('a', () => false)).toBe(true);
        journal.clock.advance(2 * DAY_MS);
        expect(await b.beginTending('b', () => false)).toBe(false);
        expect(await b.beginTending('b', (owner) => owner === 'a')).toBe(true);
        await a.endTending('a');
        journal.clock.advance(2 * DAY_MS);
        expect(await a.beginTending('a', () => false)).toBe(false);
        await b.endTending('b');
        expect(await a.beginTending('a', () => false)).toBe(true);
      }));

    it('is shipped and tended, and what the drives give back is the rows', () =>
      within(async (journal) => {
        const places = [0, 1, 2].map((drive) => ({
          ...{ drive, domain: `${drive}`, isActive: true },
          shelf: new MemoryShelf(`${drive}`),
        }));
        const shelves = new Shelves(places, 2);
        const random = new SeededRandomness(1);
        const ports = (): TendPorts => ({
          ...{ storeId: STORE, clock: journal.clock, randomness: random, source: journal.source(), owner: 'me' },
          isOwnerGone: () => false,
          shelvesOf: () => shelves,
          kekOf: async () => new Uint8Array(32).fill(7),
          currentKek: async () => ({ version: 1, key: new Uint8Array(32).fill(7) }),
        });
        await journal.write([{ kind: 'put', partition: 'store', sort: 'settings', attributes: { ep: 0 } }]);
        for (let i = 0; i < 30; i++) {
          await journal.write([put(`k-${random.below(9)}`, i), random.below(3) === 0 ? gone('x') : put('x', i)]);
          journal.clock.advance(400_000);
          const process = ports();
          await ship(process);
          journal.settled();
          await tendLadder(process);
          // Delivered once more, or looked at once more: nothing changes.
          if (i % 5 === 0) await ship(ports());
          const lines: string[] = [];
          const { reached } = await gatherRows(ports(), shelves, {
            atMs: undefined,
            fill: async (rows) => {
              lines.length = 0;
              for await (const row of rows) lines.push(lineOf(row));
              return lines.length;
            },
          });
          expect(reached.way.length).toBeLessThanOrEqual(18);
          expect(lines.sort()).toEqual(await rowsOf(journal.panda));
        }
        const levels = (await shelves.list()).segments.map(({ level }) => level);
        expect(levels.some((level) => level !== 'snapshot' && level > 0)).toBe(true);
      }));
  });
}
