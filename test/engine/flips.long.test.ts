// Hundreds of random faults on a small store of files, one after the other: flipped bytes, cut, zeroed, swapped, foreign and deleted chunks
// and packs. `doctor --read` finds every one of them on its column, and nothing on a sound store. The seed is printed; SEED sets it.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examine } from '../../lib/engine/doctor/doctor.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { filesOf, putFiles, SMALL } from './small-store.ts';

const FLIPS = Number(process.env['FLIPS'] ?? 340);
const OTHERS = Math.ceil((FLIPS * 89) / 340);
const SEED = Number(process.env['SEED'] ?? 20261);
const CODECS = [
  ['rs-6-3', 9],
  ['lrc-12-2-2', 16],
  ['xor-2-1', 6],
] as const;
const folder = mkdtempSync(join(tmpdir(), 'pocketful-flips-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function makeStore(dir: string, seed: number, codec: (typeof CODECS)[number][0], drives: number): Promise<void> {
  const settings = settingsOf('demo', { ...SMALL, warmCodec: codec, groupBytesMin: 48 * 1024 });
  const store = await createEmbedded(dir, { settings, drives });
  await putFiles(store, filesOf(seed, 40));
  await store.volumes.open.sealAll('hot');
  await encodeHot(store.volumes, { force: true, flush: true });
  await store.volumes.open.sealAll('warm');
  await freeTrash(store.volumes, { ignoreGrace: true });
  await putFiles(store, filesOf(seed + 1, 4));
  await store.close();
}

const objectsOf = (dir: string): string[] =>
  readdirSync(join(dir, 'drives'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(\d+-\d+|dirs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

const driveOf = (dir: string, path: string): number => Number(path.slice(join(dir, 'drives').length + 1).split('/')[0]);

describe.each(CODECS)(`every fault on %s is found (seed ${SEED})`, (codec, drives) => {
  const dir = join(folder, codec);
  const foreign = join(folder, `${codec}-foreign`);
  const random = new SeededRandomness(SEED);
  let store: EmbeddedStore;
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;

  beforeAll(async () => {
    console.log(`seed ${SEED}`);
    await makeStore(dir, SEED, codec, drives);
    await makeStore(foreign, SEED + 7, codec, drives);
    store = await openEmbedded(dir);
  });
  afterAll(() => store.close());

  /** What is wrong with the object at `path` now, and with no other. */
  async function found(path: string): Promise<string> {
    const { damage, level } = await examine(store, { readAll: true });
    expect(level).not.toBe('healthy');
    expect(damage.map(({ drive }) => drive)).toEqual([driveOf(dir, path)]);
    return damage[0]?.kind as string;
  }

  async function tried(path: string, bytes: Uint8Array | undefined, kinds: readonly string[]): Promise<void> {
    const sound = readFileSync(path);
    if (bytes === undefined) rmSync(path);
    else writeFileSync(path, bytes);
    expect(kinds, path).toContain(await found(path));
    writeFileSync(path, sound);
  }

  it('is sound before', async () => {
    expect(await examine(store, { readAll: true })).toMatchObject({
      level: 'healthy',
      findings: [],
    });
  });

  it(`${FLIPS} flipped bytes`, async () => {
    const objects = objectsOf(dir);
    for (let i = 0; i < FLIPS; i++) {
      const path = pick(objects);
      const bytes = readFileSync(path);
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 + random.below(255));
      await tried(path, bytes, ['wrong']);
    }
  });

  it(`${OTHERS} objects cut, zeroed, swapped, foreign or deleted`, async () => {
    const objects = objectsOf(dir);
    const strangers = objectsOf(foreign);
    for (let i = 0; i < OTHERS; i++) {
      const path = pick(objects);
      const bytes = readFileSync(path);
      const other = pick(objects.filter((one) => basename(one) !== 'dirs' && one !== path));
      if (i % 5 === 0) await tried(path, bytes.subarray(0, random.below(bytes.length)), ['short', 'wrong']);
      else if (i % 5 === 1) await tried(path, new Uint8Array(bytes.length), ['wrong']);
      else if (i % 5 === 2) await tried(path, readFileSync(pick(strangers)), ['foreign', 'wrong', 'short']);
      else if (i % 5 === 3) await tried(path, readFileSync(other), ['foreign', 'wrong', 'short']);
      else await tried(path, undefined, ['missing']);
    }
  });

  it('is sound afterwards', async () => {
    const report = await examine(store, { readAll: true });
    expect(report).toMatchObject({ level: 'healthy', findings: [], damage: [] });
  });
});
