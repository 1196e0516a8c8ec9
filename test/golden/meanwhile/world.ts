// Small stores for steps, and records that only volumes know.

import { buildRecord } from '../../../lib/format/record.ts';
import { type BlockId, hexOf, newRecordId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import { deadFromRow, deadKey } from '../../../lib/panda/rows/bucket-row.ts';
import { type DriveState, driveAttributes, driveKey } from '../../../lib/panda/rows/drives/drive-row.ts';
import type { VolumeRow, VolumeState } from '../../../lib/panda/rows/volume-row.ts';
import { zoneAttributes, zoneKey } from '../../../lib/panda/rows/zone-row.ts';
import { type BucketContent, collectBucket } from '../../../lib/volume/read/collect-bucket.ts';
import { listVolumes, readBucket } from '../../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import type { NewRecord } from '../../../lib/volume/write/commit-append.ts';
import { deleteFiles, filesOf, putFiles, SMALL } from '../../compaction/acting-world.ts';
import { packlessDrive } from '../../repair/packless-drive.ts';
import { Model } from '../../store/crash.ts';
import { type Process, World } from '../../store/harness.ts';

const SEED = 23;
const CELL = 'c0';
export const STEPS = { ...SMALL, trashGraceMs: 0 };

export function recordsOf(lengths: readonly number[], seed = 1): NewRecord[] {
  const random = new SeededRandomness(seed);
  return lengths.map((bodyBytes) => {
    const recordId = newRecordId(random);
    const header = { recordId, compressed: false, plaintextBytes: bodyBytes - 16, bodyBytes };
    const record = new Uint8Array(buildRecord(header, random.bytes(bodyBytes)));
    return { blockId: hexOf(random.bytes(32)) as BlockId, recordId, record };
  });
}

export async function storeWith(files: number, bytesMax = 1500, drives = 6): Promise<World> {
  const world = new World(SEED, STEPS, drives);
  if (files > 0) await putFiles(world.start(), new Model(), filesOf(SEED, files, bytesMax));
  return world;
}

/** What is hot is encoded; the warm volume is open still. */
export async function encodedWorld(files = 8, isSealed = true, drives = 6): Promise<World> {
  return encoded(await storeWith(files, 1500, drives), isSealed);
}

/** Other files, and a volume of their own. */
export async function encodedMore(world: World, seed = 1): Promise<World> {
  await putFiles(world.start({ othersDead: true }), new Model(), filesOf(SEED + seed, 3, 1500));
  return encoded(world, true);
}

async function encoded(world: World, isSealed: boolean): Promise<World> {
  const { volumes } = world.start({ othersDead: true });
  await volumes.open.sealAll('hot');
  await encodeHot(volumes, { force: true, flush: true });
  if (isSealed) await volumes.open.sealAll('warm');
  await freeTrash(volumes, { ignoreGrace: true });
  return world;
}

/** Sealed, and no column took its directories. */
export async function pendingSealWorld(): Promise<World> {
  const world = await encodedWorld(6, false);
  const { components } = world.start({ othersDead: true });
  const drives = world.drives.map(packlessDrive);
  await new VolumeStore({ ...components, drives }).open.sealAll('warm');
  return world;
}

/** Some of what is in it is deleted. */
export async function thinned(world: World): Promise<World> {
  const keys = [...filesOf(SEED, 40, 1500).keys()].slice(0, 2);
  await deleteFiles(world.start({ othersDead: true }), new Model(), keys);
  return world;
}

export async function volumeIn({ panda }: Pick<World, 'panda'>, state: VolumeState): Promise<VolumeRow> {
  const found = (await listVolumes(panda, CELL)).find((volume) => volume.state === state);
  if (found === undefined) throw new Error(`no volume is ${state}`);
  return found;
}

/** All that lives in a volume, by the rows of the world, not of the process. */
export async function contentsOf({ volumes }: Process, world: World, source: VolumeRow): Promise<BucketContent[]> {
  const contents: BucketContent[] = [];
  for (const id of [...source.buckets].sort()) {
    const bucket = await readBucket(world.panda, CELL, id);
    if (bucket === undefined) continue;
    contents.push(await collectBucket(volumes, source, bucket, deadFromRow(await world.panda.get(deadKey(CELL, id)))));
  }
  return contents;
}

export async function marked(world: World, drive: number, state: DriveState, change = 2): Promise<World> {
  const attributes = driveAttributes({ state, change, sinceMs: 0, domain: undefined });
  await world.panda.transact([{ kind: 'put', ...driveKey(drive), attributes }]);
  return world;
}

/** Zones that belong to nothing, by rows and without any. */
export async function withStrays(): Promise<World> {
  const world = await encodedWorld(4);
  const used = zoneAttributes({ generation: 3, state: 'used', volume: '00000000000000ee' as never });
  const erasing = zoneAttributes({ generation: 2, state: 'erasing', volume: '00000000000000ee' as never });
  await world.panda.transact([
    { kind: 'put', ...zoneKey(1, 41), attributes: used },
    { kind: 'put', ...zoneKey(2, 42), attributes: erasing },
  ]);
  for (const [drive, zone, generation] of [
    [1, 41, 1],
    [1, 41, 3],
    [2, 42, 1],
    [3, 43, 4],
  ] as const)
    await world.drives[drive]?.append({ zone, generation }, 'x', [new Uint8Array(7)]);
  return marked(world, 2, 'active');
}
