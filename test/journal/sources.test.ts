// The contract of journal sources on a SQLite file, and on batches of a table's stream over a Panda in memory.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChangedRow, StreamJournal } from '../../lib/engine/ship/stream-journal.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { SqliteJournal } from '../../lib/panda/sqlite/sqlite-journal.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { journalSourceContract } from '../contract/journal-source.contract.ts';

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
    expect(await first.advance(undefined, { epoch: 0, ...(view.tip as NonNullable<typeof view.tip>) })).toBe(true);
    const again = await journal.source().look();
    expect(again.cursor?.sequence).toBe(1);
    expect(again.tip?.sequence).toBe(2);
    expect([...again.changes()].map(({ sort }) => sort)).toEqual(['a']);
  });
});
