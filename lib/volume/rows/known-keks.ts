// Whether the keys at hand are those that the store is written with: an older copy of a key file would wrap blocks by a
// version that is thought to be gone, or make another key of a number that is taken. The rows say which versions there
// are, and which key each is.
import { assert } from '../../foundation/assert.ts';
import { conflict, denied, isKind, type PocketfulError } from '../../foundation/errors.ts';
import { unwrapBek } from '../../keys/envelope.ts';
import { kekFingerprint } from '../../keys/fingerprint.ts';
import { isKeyDestroyed, type KekVersion } from '../../keys/keys.ts';
import { KEK_CLAIM_ATTEMPTS_MAX } from '../../limits/volume.ts';
import { type BlockRow, blockFromRow, blockPartitions } from '../../panda/rows/block-row.ts';
import { type KekRow, kekAttributes, kekFromRow, kekKey, kekPartition } from '../../panda/rows/kek-row.ts';
import type { Components } from './components.ts';
import { rowsOf } from './read-rows.ts';
import { transact } from './transact.ts';

/** Of blocks, where no row tells yet: every so many partitions one is asked. */
const SAMPLE_STEP = 32;

async function knownKeks({ panda }: Components): Promise<KekRow[]> {
  const rows: KekRow[] = [];
  for await (const row of rowsOf(panda, kekPartition)) rows.push(kekFromRow(row));
  return rows;
}

/**
 * The current version, to write under. Throws `denied` KEYS_BEHIND if the store has a newer one, KEK_WRONG if its
 * number belongs to another key. A version without a row gets it.
 */
export async function currentKek(components: Components): Promise<KekVersion & { readonly key: Uint8Array }> {
  for (let claims = 0; ; claims++) {
    try {
      const current = await lookedAt(components);
      if (current !== undefined) return { ...current, key: await components.keks.kek(current.version) };
    } catch (error) {
      // What was current is gone by now: another was made, everything wrapped by it, and this one destroyed.
      const isOld = isKind(error, 'conflict') || isKeyDestroyed(error);
      if (!isOld || claims >= KEK_CLAIM_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Undefined if its row had to be written: it is to be looked at once more. */
async function lookedAt(components: Components): Promise<KekVersion | undefined> {
  // Keys are read after the rows: a rotation makes its key before any row names it, so only keys of another time lack
  // it.
  const known = await knownKeks(components);
  const current = (await components.keks.versions()).find(({ state }) => state === 'current');
  assert(current !== undefined, 'a key store has a current KEK');
  const { version } = current;
  const newest = Math.max(0, ...known.map((row) => row.version));
  if (newest > version) throw behind(version, newest);
  const row = known.find((one) => one.version === version);
  if (row !== undefined) {
    if (!(await isKeyOf(components, row))) throw wrong(version);
    return current;
  }
  await claim(components, version);
  return undefined;
}

/**
 * What is wrong with the keys at hand, for doctor: versions that are not there, and such whose number belongs to
 * another key.
 */
export async function kekFaults(components: Components): Promise<PocketfulError[]> {
  const known = await knownKeks(components);
  const versions = await components.keks.versions();
  const newestHere = versions.at(-1)?.version ?? 0;
  const faults: PocketfulError[] = [];
  for (const row of known) {
    const here = versions.find(({ version }) => version === row.version);
    if (here === undefined) faults.push(behind(newestHere, row.version));
    else if (here.state !== 'destroyed' && !(await isKeyOf(components, row))) faults.push(wrong(row.version));
  }
  return faults;
}

async function isKeyOf({ keks, storeId }: Components, { version, fingerprint }: KekRow): Promise<boolean> {
  return Buffer.compare(kekFingerprint(storeId, version, await keks.kek(version)), fingerprint) === 0;
}

/**
 * The first to write under a version says which key it is. Blocks of a store from before there were such rows have a
 * say in it.
 */
async function claim(components: Components, version: number): Promise<void> {
  const key = await components.keks.kek(version);
  for await (const block of sampleBlocks(components)) {
    if (block.kekVersion > version) {
      const here = (await components.keks.versions()).at(-1)?.version ?? 0;
      if (here < block.kekVersion) throw behind(here, block.kekVersion);
      throw conflict('KEK_ROTATED', `version ${version} is not the current one any more`);
    }
    if (block.kekVersion === version && !opens(block, key)) throw wrong(version);
  }
  const fingerprint = kekFingerprint(components.storeId, version, key);
  const attributes = kekAttributes({ fingerprint, sinceMs: Math.max(0, components.clock.nowMs()) });
  const took = async (): Promise<boolean> => (await knownKeks(components)).some((row) => row.version === version);
  await transact(components, [{ kind: 'put', ...kekKey(version), attributes, if: ['absent'] }], took);
}

async function* sampleBlocks({ panda }: Components): AsyncGenerator<BlockRow> {
  for (const [i, partition] of blockPartitions().entries()) {
    if (i % SAMPLE_STEP !== 0) continue;
    const { rows } = await panda.query(partition, {}, { limit: 1 });
    for (const row of rows) yield blockFromRow(row);
  }
}

function opens({ wrappedBek }: BlockRow, key: Uint8Array): boolean {
  try {
    unwrapBek(wrappedBek, key).fill(0);
    return true;
  } catch (error) {
    if (isKind(error, 'denied')) return false;
    throw error;
  }
}

const behind = (here: number, there: number): PocketfulError =>
  denied(
    'KEYS_BEHIND',
    `these keys end at version ${here}, the store has version ${there}: they are an older copy, put the newest keys.json back`,
  );

const wrong = (version: number): PocketfulError =>
  denied(
    'KEK_WRONG',
    `key version ${version} is another key than the store's version ${version}: these keys were rotated apart from it, put the store's own keys.json back`,
  );
