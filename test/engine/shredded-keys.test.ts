// A block that was shredded: its wrapped key is looked for in every byte of every drive, with the key file in hand. Until
// its date it may be there; once that has passed it is nowhere.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { shredStore } from '../../lib/engine/upkeep/tend.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { openPart } from '../../lib/journal/part.ts';
import { parsePartName } from '../../lib/journal/points.ts';
import { WRAPPED_BEK_BYTES } from '../../lib/keys/envelope.ts';
import { SHREDDED_KEPT_MS } from '../../lib/limits/journal.ts';
import { packedKey } from '../../lib/panda/rows/block/block-form.ts';
import { blockFromRow, blockPartitions } from '../../lib/panda/rows/block-row.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, filesOf, putFiles, SMALL } from './small-store.ts';

const dir = join(temporaryFolder(), 'store');

/** Files of the store in which the bytes are: as they lie there, and as the key opens them. */
async function holding(store: EmbeddedStore, wanted: Buffer): Promise<string[]> {
  const kek = await store.components.keks.kek(1);
  const found: string[] = [];
  let segments = 0;
  for (const path of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const bytes = readFileSync(join(path.parentPath, path.name));
    if (bytes.includes(wanted)) found.push(`${path.name}, in clear`);
    if (parsePartName(path.name) === undefined) continue;
    segments += 1;
    const isIn = [...openPart(bytes, kek)].some(
      ({ image }) => image !== undefined && Buffer.from(image).includes(wanted),
    );
    if (isIn) found.push(path.name);
  }
  expect(segments).toBeGreaterThan(0);
  return found;
}

it('is on no drive once its date has passed, in clear never', { timeout: 60_000 }, async () => {
  const clock = new SimulatedClock();
  await using made = await opened(createEmbedded(dir, { settings: SMALL, drives: DRIVES, clock }));
  await putFiles(made.store, filesOf(1, 3));
  await made.store.close();

  const within = async <T>(use: (store: EmbeddedStore) => Promise<T>): Promise<T> => {
    await using again = await opened(openEmbedded(dir, { clock }));
    return await use(again.store);
  };
  const key = await within(someKey);
  expect(await within((store) => holding(store, key))).not.toEqual([]);
  await within(async (store) => {
    for (const name of filesOf(1, 3).keys()) await store.frontend.delete('default', name);
    clock.advance(2 * DAY_MS);
    expect((await shredStore(store)).slots).toBeGreaterThan(0);
  });
  const shreddedAtMs = clock.nowMs();
  const early = await within((store) => holding(store, key));
  expect(early).not.toEqual([]);
  expect(early.filter((name) => name.endsWith('in clear') && !name.startsWith('panda'))).toEqual([]);
  for (let day = 0; clock.nowMs() <= shreddedAtMs + SHREDDED_KEPT_MS; day++) {
    clock.advance(DAY_MS);
    await within((store) => putFiles(store, filesOf(100 + day, 1)));
  }
  expect(await within((store) => holding(store, key))).toEqual([]);
  const living = await within(someKey);
  expect(await within((store) => holding(store, living))).not.toEqual([]);
});

/** The wrapped key of some block. */
async function someKey({ components }: EmbeddedStore): Promise<Buffer> {
  for (const partition of blockPartitions()) {
    const [row] = (await components.panda.query(partition)).rows;
    if (row !== undefined) return Buffer.from(packedKey(blockFromRow(row)).subarray(-WRAPPED_BEK_BYTES));
  }
  throw new Error('there is no block');
}

async function opened(opening: Promise<EmbeddedStore>) {
  const store = await opening;
  let isClosed = false;
  const close = store.close.bind(store);
  store.close = async () => {
    if (!isClosed) await close();
    isClosed = true;
  };
  return { store, [Symbol.asyncDispose]: () => store.close() };
}
