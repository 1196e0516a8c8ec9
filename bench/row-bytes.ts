// Metadata of an object of one block, on both engines: rows as puts of 64 make them, in a SQLite file whose log is
// checkpointed, as it grew and with all pages full, and the same rows by DynamoDB's formula for the size of an item
// (lib/panda/attributes.ts), as they are read and written, and as they are billed when kept, with 100 bytes more each.
// Groups go when their volume is sealed; here none is, so they are told apart. What is shipped leaves the journal of
// the file; here nobody ships, so there is none. A row of a bucket and of a volume is shared by thousands.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PRICE_BOOK } from '../lib/cost/price-book.ts';
import { Frontend } from '../lib/frontend/frontend.ts';
import { rowBytes } from '../lib/panda/attributes.ts';
import { SqlitePanda } from '../lib/panda/sqlite/sqlite-panda.ts';
import { PRESETS } from '../lib/settings/settings.ts';
import { VolumeStore } from '../lib/volume/volume-store.ts';
import { World } from '../test/store/harness.ts';
import { incompressible } from '../test/store/sealed-overhead.ts';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';

const OBJECTS = 400_000;
const PER_CALL = 64;
/** Shorter than any real one: no row depends on it. */
const BODY_BYTES = 16;
/** What is told apart; all other rows are one figure. */
const TABLES = ['object', 'block', 'group'];

export const benches: Benches = { 'row-bytes': () => rowBytesOf(OBJECTS) };

export async function rowBytesOf(objects: number): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'row-bytes-'));
  try {
    const path = join(folder, 'panda.sqlite');
    const panda = await SqlitePanda.open(path, { isJournalled: false });
    await putAll(panda, objects);
    const items = await itemBytes(panda);
    await panda.close();
    const file = (await stat(path)).size;
    const { pagesBytes, fullBytes } = withoutGroups(path);
    const each = (name: string, bytes: number): Figure => ({ name, value: bytes / objects, unit: 'B' });
    const all = [...items.values()];
    return {
      bench: 'row-bytes',
      machine: `${objects.toLocaleString('en')} objects; ${machine()}`,
      figures: [
        each('SQLite: file', file),
        each('SQLite: pages of it but those of groups', pagesBytes),
        each('SQLite: file without groups, its pages full', fullBytes),
        each(
          'DynamoDB: items',
          sumOf(all, ({ bytes }) => bytes),
        ),
        each(
          'DynamoDB: as billed when kept',
          sumOf(all, ({ bytes, rows }) => bytes + rows * EXTRA_BYTES),
        ),
        ...[...items].map(([table, { bytes }]) => each(`DynamoDB: items of ${table}`, bytes)),
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Groups are rows of their own pages, mostly. */
function withoutGroups(path: string): { pagesBytes: number; fullBytes: number } {
  const database = new DatabaseSync(path);
  try {
    const number = (sql: string): number => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
    database.exec("DELETE FROM rows WHERE partition GLOB 'group/*'");
    const pageBytes = number('PRAGMA page_size');
    const pagesBytes = (number('PRAGMA page_count') - number('PRAGMA freelist_count')) * pageBytes;
    database.exec('VACUUM');
    return { pagesBytes, fullBytes: number('PRAGMA page_count') * pageBytes };
  } finally {
    database.close();
  }
}

const EXTRA_BYTES = PRICE_BOOK.dynamo.itemBytesExtra;

const sumOf = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((sum, one) => sum + of(one), 0);

async function putAll(panda: SqlitePanda, objects: number): Promise<void> {
  const { components } = new World(7, PRESETS.thrifty).start();
  const store = new VolumeStore({ ...components, panda });
  const frontend = new Frontend(store);
  for (let at = 0; at < objects; at += PER_CALL) {
    const items = Array.from({ length: Math.min(PER_CALL, objects - at) }, (_, i) => ({
      namespace: 'default',
      key: `backup/2026/blob-${at + i}`,
      body: incompressible(BODY_BYTES, at + i),
    }));
    for await (const outcome of frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
  }
}

interface Items {
  readonly rows: number;
  readonly bytes: number;
}

async function itemBytes(panda: SqlitePanda): Promise<Map<string, Items>> {
  const found = new Map<string, Items>();
  for await (const page of panda.scan())
    for (const row of page) {
      const table = row.partition.split('/', 1)[0] as string;
      const name = TABLES.includes(table) ? table : 'all others';
      const { rows, bytes } = found.get(name) ?? { rows: 0, bytes: 0 };
      found.set(name, { rows: rows + 1, bytes: bytes + rowBytes(row, row.attributes) });
    }
  return found;
}
