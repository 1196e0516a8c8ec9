// Stores as earlier releases left them, whole: every row, every object on a drive, and what their objects are. They are checked in (golden/),
// made by the release that wrote that form; nobody writes them again.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { decodeAttributes } from '../../lib/panda/row-encoding.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { World } from './harness.ts';

export type StoredForm = 'format-1' | 'format-2' | 'format-3' | 'format-4';

interface GoldenStore {
  readonly seed: number;
  readonly nowMs: number;
  /** Partition, sort key, attributes as in a backup. */
  readonly rows: readonly (readonly [string, string, string])[];
  /** By drive: zone, its generation, name, bytes. */
  readonly drives: readonly (readonly (readonly [number, number, string, string])[])[];
  /** By key, of the namespace `default`. */
  readonly contents: Readonly<Record<string, string>>;
}

const KIB = 1024;
/** Small, and of few drives. */
export const GOLDEN_SETTINGS = settingsOf('demo', {
  preset: 'custom',
  blockBytesMax: KIB,
  extentBytes: 64 * KIB,
  bucketBytes: 4 * KIB,
  slotsPerBucketMax: 256,
  groupBytesMin: 12 * KIB,
  warmCodec: 'xor-2-1',
  openVolumes: 1,
});

/** The store as it was left; the processes that had it are as good as dead. */
export async function goldenWorld(form: StoredForm): Promise<{ world: World; contents: Map<string, Uint8Array> }> {
  const packed = readFileSync(new URL(`golden/${form}.json.gz`, import.meta.url));
  const stored = JSON.parse(gunzipSync(packed).toString()) as GoldenStore;
  const panda = new MemoryPanda();
  for (const [partition, sort, attributes] of stored.rows) {
    const put: Write = { kind: 'put', partition, sort, attributes: decodeAttributes(attributes) };
    await panda.transact([put]);
  }
  const drives: MemoryDrive[] = [];
  for (const [i, objects] of stored.drives.entries()) {
    const drive = new MemoryDrive(`drive-${i}`);
    for (const [zone, generation, name, bytes] of objects)
      await drive.append({ zone, generation }, name, [Buffer.from(bytes, 'base64')]);
    drives.push(drive);
  }
  const world = new World(stored.seed, GOLDEN_SETTINGS, drives, panda);
  world.clock.jumpTo(stored.nowMs);
  const contents = Object.entries(stored.contents).map(
    ([key, body]) => [key, new Uint8Array(Buffer.from(body, 'base64'))] as const,
  );
  return { world, contents: new Map(contents) };
}
