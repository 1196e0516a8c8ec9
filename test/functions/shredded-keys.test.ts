// A block that was shredded on a stage: its wrapped key is looked for in every byte of every bucket, with the key in
// hand. Until its date it may be in the journal there; once that has passed it is nowhere.
import { expect, it } from 'vitest';
import { sweepStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { openPart } from '../../lib/journal/part.ts';
import { parsePartName } from '../../lib/journal/points.ts';
import { WRAPPED_BEK_BYTES } from '../../lib/keys/envelope.ts';
import { SHREDDED_KEPT_MS } from '../../lib/limits/journal.ts';
import { packedKey } from '../../lib/panda/rows/block/block-form.ts';
import { blockFromRow, blockPartitions } from '../../lib/panda/rows/block-row.ts';
import { filesOf } from '../engine/small-store.ts';
import { JournalStage } from './journal-stage.ts';

const BATCH = 500;
const signal = new AbortController().signal;

async function put(stage: JournalStage, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const { frontend } = stage.world.start();
  const items = [...files].map(([key, body]) => ({ namespace: 'default', key, body }));
  for await (const outcome of frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
}

/** Objects in the buckets in which the bytes are: as they lie there, and as the key opens them. */
async function holding({ world, shelves }: JournalStage, wanted: Buffer): Promise<string[]> {
  const kek = await world.start().components.keks.kek(1);
  const found: string[] = [];
  let segments = 0;
  for (const { objects } of shelves)
    for (const [key, bytes] of objects) {
      const name = key.split('/')[1] ?? '';
      if (Buffer.from(bytes).includes(wanted)) found.push(`${name}, in clear`);
      if (parsePartName(name) === undefined) continue;
      segments += 1;
      const rows = [...openPart(bytes, kek)];
      if (rows.some(({ image }) => image !== undefined && Buffer.from(image).includes(wanted))) found.push(name);
    }
  for (const drive of world.drives)
    for (const zone of await drive.zones())
      for (const { name } of await drive.list(zone))
        if (Buffer.from(await drive.read(zone, name)).includes(wanted)) found.push(`chunk ${name}`);
  expect(segments).toBeGreaterThan(0);
  return found;
}

/** The wrapped key of some block. */
async function someKey({ panda }: JournalStage): Promise<Buffer> {
  for (const partition of blockPartitions()) {
    const [row] = (await panda.query(partition)).rows;
    if (row !== undefined) return Buffer.from(packedKey(blockFromRow(row)).subarray(-WRAPPED_BEK_BYTES));
  }
  throw new Error('there is no block');
}

it('is in no bucket once its date has passed, in clear never', { timeout: 60_000 }, async () => {
  const stage = new JournalStage(1, 20);
  const { clock } = stage.world;
  await stage.begin();
  await put(stage, filesOf(1, 3));
  await stage.deliverAll(BATCH);
  const key = await someKey(stage);
  const at = await holding(stage, key);
  expect(at.length).toBeGreaterThan(0);
  expect(at.filter((name) => name.endsWith('in clear') || name.startsWith('chunk'))).toEqual([]);

  const { frontend } = stage.world.start();
  for (const name of filesOf(1, 3).keys()) await frontend.delete('default', name);
  clock.advance(2 * DAY_MS);
  expect((await sweepStage(stage.world.start().volumes, { signal })).slots).toBeGreaterThan(0);
  await stage.deliverAll(BATCH);
  const shreddedAtMs = clock.nowMs();
  expect(await holding(stage, key)).not.toEqual([]);

  for (let day = 0; clock.nowMs() <= shreddedAtMs + SHREDDED_KEPT_MS; day++) {
    clock.advance(DAY_MS);
    await put(stage, filesOf(100 + day, 1));
    await stage.deliverAll(BATCH);
  }
  expect(await holding(stage, key)).toEqual([]);
  expect(await holding(stage, await someKey(stage))).not.toEqual([]);
});
