// Metadata of an object of one block, on both engines: rows as puts of 64 make them, in a SQLite file whose log is
// checkpointed, and the same rows by DynamoDB's formula for the size of an item (lib/panda/attributes.ts), as they are
// read and written, and as they are billed when kept, with 100 bytes more each. Groups of sealed volumes without a hot
// tier are gone; a bucket's and a volume's row is shared by thousands.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    const panda = await SqlitePanda.open(path);
    await putAll(panda, objects);
    const items = await itemBytes(panda);
    await panda.close();
    const each = (name: string, bytes: number): Figure => ({ name, value: bytes / objects, unit: 'B' });
    const all = [...items.values()];
    return {
      bench: 'row-bytes',
      machine: `${objects.toLocaleString('en')} objects; ${machine()}`,
      figures: [
        each('SQLite: file', (await stat(path)).size),
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
