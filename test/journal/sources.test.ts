// The contract of journal sources on a SQLite file, and on batches of a table's stream over a Panda in memory.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gatherRows } from '../../lib/engine/journal/gather-rows.ts';
import { StreamJournal } from '../../lib/engine/ship/stream-journal.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { readSegment } from '../../lib/journal/segments.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import { ship, shipSnapshot } from '../../lib/journal/ship.ts';
import type { ChangedRow } from '../../lib/panda/journal-source.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Row, Write } from '../../lib/panda/panda.ts';
import { SqliteJournal } from '../../lib/panda/sqlite/sqlite-journal.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { journalSourceContract } from '../contract/journal-source.contract.ts';
import { MemoryShelf } from './memory-shelf.ts';
import { STORE } from './world.ts';

const folder = temporaryFolder();
let files = 0;

journalSourceContract('SQLite', async () => {
  const path = join(folder, `panda-${files++}`);
  const clock = new SimulatedClock();
  const panda = await SqlitePanda.open(path, { clock });
  const sources: SqliteJournal[] = [];
  return {
    ...{ panda, clock },
    write: (writes) => panda.transact(writes),
    source() {
      const source = new SqliteJournal(path);
      sources.push(source);
      return source;
    },
    settled: () => {},
    async close() {
      for (const source of sources) source.close();
      await panda.close();
    },
  };
});

function streamed() {
  const clock = new SimulatedClock();
  const panda = new MemoryPanda();
  const randomness = new SeededRandomness(1);
  let batch: ChangedRow[] = [];
  return {
    ...{ panda, clock },
    async write(writes: readonly Write[]) {
      await panda.transact(writes);
      for (const { partition, sort } of writes)
        batch.push({ partition, sort, attributes: (await panda.get({ partition, sort }))?.attributes });
    },
    source: () => new StreamJournal({ panda, clock, randomness }, batch, clock.nowMs()),
    settled: () => {
      batch = [];
    },
    close: () => panda.close(),
  };
}

journalSourceContract('a stream', async () => streamed());

describe('a snapshot of a stream', () => {
  it('is merged out of what was shipped, not scanned, and has nothing that is gone', async () => {
    const journal = streamed();
    const shelf = new MemoryShelf();
    const shelves = new Shelves([{ drive: 0, domain: '0', isActive: true, shelf }], 1);
    const key = { version: 1, key: new Uint8Array(32).fill(7) };
    const ports = () => ({
      ...{ storeId: STORE, randomness: new SeededRandomness(3), source: journal.source(), shelvesOf: () => shelves },
      kekOf: async () => key.key,
      currentKek: async () => key,
    });
    const put = (sort: string, n: number): Write => ({ kind: 'put', partition: 'p', sort, attributes: { n } });
    await journal.write([
      { kind: 'put', partition: 'store', sort: 'settings', attributes: { ep: 0 } },
      put('a', 1),
      put('b', 1),
    ]);
    await ship(ports());
    journal.settled();
    await journal.write([put('b', 2), { kind: 'delete', partition: 'p', sort: 'a' }]);
    await ship(ports());
    journal.settled();
    journal.panda.scan = () => {
      throw new Error('nobody scans');
    };
    const snapshot = await shipSnapshot(ports());
    expect(snapshot).toMatchObject({ level: 'snapshot', to: { sequence: 2 } });
    const rows: string[] = [];
    for await (const some of readSegment({ ...ports(), shelves }, snapshot as NonNullable<typeof snapshot>))
      rows.push(...some.map(({ sort }) => sort));
    expect(rows).toEqual(['b', 'settings']);
  });
});

describe('a batch of a stream', () => {
  it('leaves out what shipping itself writes', async () => {
    const journal = streamed();
    await journal.write([
      { kind: 'put', partition: 'journal', sort: 'cursor', attributes: { ep: 0, q: 1, m: '00000001', t: 0 } },
    ]);
    const view = await journal.source().look();
    expect([...view.changes()]).toEqual([]);
    expect(view.tip).toMatchObject({ sequence: 1, mark: '00000001' });
  });

  it('delivered again is shipped again after what came later of other keys', async () => {
    const journal = streamed();
    await journal.write([{ kind: 'put', partition: 'p', sort: 'a', attributes: { n: 1 } }]);
    const first = journal.source();
    const view = await first.look();
    const next = { epoch: 0, ...(view.tip as NonNullable<typeof view.tip>) };
    expect(await first.claim(undefined, next)).toBe(true);
    expect(await first.advance(undefined, next)).toBe(true);
    const again = await journal.source().look();
    expect(again.cursor?.sequence).toBe(1);
    expect(again.tip?.sequence).toBe(2);
    expect([...again.changes()].map(({ sort }) => sort)).toEqual(['a']);
  });
});

describe('a batch of a stream that comes late', () => {
  const put = (n: number): Write => ({ kind: 'put', partition: 'p', sort: 'a', attributes: { n } });
  const key = { version: 1, key: new Uint8Array(32).fill(7) };

  /** A batch that was delivered to an invocation which stands still, and the next one, both of one key; `ship` ships one onto a shelf. */
  async function overtaken(laterMs: number) {
    const journal = streamed();
    const shelf = new MemoryShelf();
    const shelves = new Shelves([{ drive: 0, domain: '0', isActive: true, shelf }], 1);
    const ports = (source: StreamJournal) => ({
      ...{ storeId: STORE, randomness: new SeededRandomness(3), source, shelvesOf: () => shelves },
      kekOf: async () => key.key,
      currentKek: async () => key,
    });
    await journal.write([{ kind: 'put', partition: 'store', sort: 'settings', attributes: { ep: 0 } }]);
    await ship(ports(journal.source()));
    journal.settled();
    journal.clock.advance(laterMs);
    await journal.write([put(1)]);
    const [first, again] = [journal.source(), journal.source()];
    journal.settled();
    journal.clock.advance(laterMs);
    await journal.write([put(2)]);
    const second = journal.source();
    journal.settled();
    const restored = async (): Promise<unknown> => {
      const fill = async (rows: AsyncIterable<Row>): Promise<number> => {
        found = undefined;
        for await (const { sort, attributes } of rows) if (sort === 'a') found = attributes['n'];
        return 1;
      };
      let found: unknown;
      await gatherRows({ ...ports(first), storeId: STORE }, shelves, { atMs: undefined, fill });
      return found;
    };
    return { journal, shelf, first, again, second, restored, ship: (source: StreamJournal) => ship(ports(source)) };
  }

  it('brings no older image back, whether those that followed it were shipped in the same moment or later', async () => {
    for (const laterMs of [0, 1, 5000]) {
      const { first, again, second, restored, ship: shipped } = await overtaken(laterMs);
      await shipped(first);
      await shipped(second);
      expect(await restored()).toBe(2);
      await shipped(again);
      expect(await restored()).toBe(2);
    }
  });

  it('nor if it had looked before them', async () => {
    const { journal, shelf, first, again, second, restored, ship: shipped } = await overtaken(1);
    const write = shelf.put.bind(shelf);
    shelf.put = async (...args) => {
      shelf.put = write;
      // The one that was taken for dead is about to write its segment.
      await shipped(first);
      await shipped(second);
      await write(...args);
    };
    journal.clock.advance(1);
    await shipped(again);
    expect(await restored()).toBe(2);
  });

  it('says of a row that has gone since that it is gone', async () => {
    const { journal, first, again, second, restored, ship: shipped } = await overtaken(1);
    await shipped(first);
    await shipped(second);
    await journal.write([{ kind: 'delete', partition: 'p', sort: 'a' }]);
    await shipped(journal.source());
    await shipped(again);
    expect(await restored()).toBeUndefined();
  });
});
