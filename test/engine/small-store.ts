// Folders of embedded stores for tests, and settings that make everything small.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { settingsOf } from '../../lib/settings/settings.ts';

const KIB = 1024;

/** Six drives are enough, and a few dozen files fill volumes. */
export const SMALL = settingsOf('demo', {
  preset: 'custom',
  blockBytesMax: KIB,
  extentBytes: 64 * KIB,
  bucketBytes: 4 * KIB,
  slotsPerBucketMax: 256,
  groupBytesMin: 12 * KIB,
  warmCodec: 'xor-2-1',
  openVolumes: 1,
});
export const DRIVES = 6;

export const filesOf = (seed: number, count: number, bytesMax = 1800): Map<string, Uint8Array> => {
  const random = new SeededRandomness(seed);
  return new Map(Array.from({ length: count }, (_, i) => [`f/${seed}-${i}`, random.bytes(random.below(bytesMax) + 1)]));
};

export async function putFiles(store: EmbeddedStore, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const items = [...files].map(([key, body]) => ({ namespace: 'default', key, body }));
  for await (const outcome of store.frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
}

/** Names of files that do not read back as given. */
export async function differing(store: EmbeddedStore, files: ReadonlyMap<string, Uint8Array>): Promise<string[]> {
  const wrong: string[] = [];
  for (const [key, body] of files)
    if (Buffer.compare(await store.frontend.read('default', key, 1e8), body) !== 0) wrong.push(key);
  return wrong;
}

/** Opens it, and closes it whatever happens. */
export async function withStore<T>(dir: string, use: (store: EmbeddedStore) => Promise<T>): Promise<T> {
  const store = await openEmbedded(dir);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Copies of a store for each test to break, below a folder; each call makes one. */
export function copiesBelow(folder: string): (made: string) => string {
  let copies = 0;
  return (made) => {
    const dir = join(folder, `copy-${copies++}`);
    cpSync(made, dir, { recursive: true });
    return dir;
  };
}
