// Key versions are bound to their key: an older copy of the key file neither seals, nor rotates into a number that is taken.
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbeddedAdmin } from '../../lib/client/file/embedded-admin.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { kekFaults } from '../../lib/volume/rows/known-keks.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, differing, filesOf, putFiles, SMALL } from './small-store.ts';

const root = temporaryFolder();
const adminOf = (store: EmbeddedStore): EmbeddedAdmin => new EmbeddedAdmin(store, 'default', async () => {});
/** Enough that a sample of the blocks tells, where no row does. */
const FILES = filesOf(1, 200, 900);

/** A rotated store, and what its key file was before. */
async function rotated(name: string) {
  const dir = join(root, name);
  const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES });
  await putFiles(store, FILES);
  const file = join(dir, 'keys.json');
  const old = fs.readFileSync(file);
  await adminOf(store).rotateKeys();
  await store.close();
  return { dir, file, old, now: fs.readFileSync(file) };
}

async function dropKekRows({ components: { panda } }: EmbeddedStore): Promise<void> {
  const { rows } = await panda.query('kek');
  expect(rows.map(({ sort }) => sort)).toEqual(['00000001', '00000002']);
  await panda.transact(rows.map(({ partition, sort }) => ({ kind: 'delete', partition, sort })));
}

describe('an older copy of the key file', () => {
  it.each(['rows', 'no rows yet'])('is refused by put, rotate, rewrap and destroy: %s', async (known) => {
    const { dir, file, old, now } = await rotated(`old ${known}`);
    fs.writeFileSync(file, old, { mode: 0o600 });
    const store = await openEmbedded(dir);
    if (known === 'no rows yet') await dropKekRows(store);
    const behind = { kind: 'denied', code: 'KEYS_BEHIND' };
    await expect(putFiles(store, filesOf(2, 3))).rejects.toMatchObject(behind);
    await expect(putFiles(store, FILES)).rejects.toMatchObject(behind);
    await expect(adminOf(store).rotateKeys()).rejects.toMatchObject(behind);
    await expect(adminOf(store).rewrapKeys()).rejects.toMatchObject(behind);
    expect(fs.readFileSync(file)).toEqual(old);
    if (known === 'rows') expect(await kekFaults(store.components)).toMatchObject([behind]);
    await store.close();
    fs.writeFileSync(file, now, { mode: 0o600 });
    const again = await openEmbedded(dir);
    await putFiles(again, filesOf(2, 3));
    expect(await differing(again, new Map([...FILES, ...filesOf(2, 3)]))).toEqual([]);
    expect(await kekFaults(again.components)).toEqual([]);
    await again.close();
  });

  it.each(['rows', 'no rows yet'])('rotated apart from its store is told from the real one: %s', async (known) => {
    const { dir, file, old } = await rotated(`apart ${known}`);
    fs.writeFileSync(file, old, { mode: 0o600 });
    const store = await openEmbedded(dir);
    await store.components.keks.rotate();
    if (known === 'no rows yet') await dropKekRows(store);
    const wrong = { kind: 'denied', code: 'KEK_WRONG', message: expect.stringContaining('version 2') };
    await expect(putFiles(store, filesOf(2, 3))).rejects.toMatchObject(wrong);
    await expect(adminOf(store).rotateKeys()).rejects.toMatchObject(wrong);
    if (known === 'rows') expect(await kekFaults(store.components)).toMatchObject([wrong]);
    await store.close();
  });
});
