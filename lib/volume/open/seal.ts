// SEAL (protocol 6): a full volume is closed for good. A volume that stays gets the directories of its buckets, as one
// pack on m + 1 columns, so that a moved slot is found by one small read, and its group rows go.
import { encodeBucketDirectory, type SlotLocation } from '../../format/bucket-directory.ts';
import { assert } from '../../foundation/assert.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { isKind } from '../../foundation/errors.ts';
import type { BucketId } from '../../foundation/ids.ts';
import { SEALED_BUCKETS_AT_ONCE } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import { deadFromRow, deadKey, isDead } from '../../panda/rows/bucket-row.ts';
import { unlisted } from '../../panda/rows/open-row.ts';
import {
  directoriesPending,
  endSeal,
  generationIs,
  revisionIs,
  stateIsOneOf,
} from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import { notePackFaults } from '../check/pack-in-the-way.ts';
import type { Directories } from '../read/directories.ts';
import type { Components } from '../rows/components.ts';
import { writesDirectories } from '../rows/directory-room.ts';
import type { DriveHealth } from '../rows/drive-health.ts';
import { dropGroupRows } from '../rows/drop-groups.ts';
import { readBucket, readVolume } from '../rows/read-rows.ts';
import { transact } from '../rows/transact.ts';
import { sealWrite } from '../steps/volume-steps.ts';
import type { Lease } from './lease.ts';
import { notStored, putPacks } from './put-pack.ts';

export interface SealStore {
  readonly components: Components;
  readonly health: DriveHealth;
  readonly directories: Directories;
}

/**
 * Seals the leased volume; the lease ends. From then on nothing is appended, so the directories are written after it.
 */
export async function sealVolume(store: SealStore, lease: Lease): Promise<void> {
  const volume = lease.volume;
  assert(volume.pendingSeq === undefined && volume.state === 'open', 'only a settled, open volume is sealed');
  const { settings, clock, panda } = store.components;
  const directoriesPending = writesDirectories(store.components, volume.class);
  const sealedAtMs = Math.max(0, clock.nowMs());
  const seal = [
    sealWrite(settings.cell, volume.id, lease.token, sealedAtMs, directoriesPending),
    unlisted('open', settings.cell, volume.id),
  ];
  const took = async (): Promise<boolean> => {
    const now = await readVolume(panda, settings.cell, volume.id);
    return now?.token === lease.token && now.state !== 'open';
  };
  try {
    await transact(store.components, seal, took);
  } catch (error) {
    lease.done(undefined);
    if (!isKind(error, 'conflict')) throw error;
    return; // somebody else leased it meanwhile, and will seal it
  }
  const sealed: VolumeRow = { ...volume, state: 'sealed', sealedAtMs, directoriesPending, owner: undefined };
  lease.done(sealed);
  if (directoriesPending) await finishSeal(store, sealed);
}

/**
 * Writes the directory pack of a sealed volume and drops its group rows. Anybody may do it, again too; the volume can
 * be read without. Throws `retry` DIRECTORY_NOT_STORED unless every column has it; it stays pending then.
 */
export async function finishSeal(store: SealStore, volume: VolumeRow): Promise<void> {
  for (let now: VolumeRow | undefined = volume; now !== undefined; ) now = await tryToFinish(store, now);
}

/** Undefined if it is finished, by whomever; else the volume, of which a repair has moved columns meanwhile. */
async function tryToFinish(store: SealStore, volume: VolumeRow): Promise<VolumeRow | undefined> {
  const { settings, panda } = store.components;
  const extraBytes = await writePack(store, volume);
  const finish: Write = {
    kind: 'update',
    ...volumeKey(settings.cell, volume.id),
    ...endSeal(volume.extentUsedBytes.map((bytes, i) => bytes + (extraBytes[i] as number))),
    if: [
      generationIs(volume.generation),
      revisionIs(volume.revision),
      stateIsOneOf('sealed', 'draining'),
      directoriesPending,
    ],
  };
  const took = async (): Promise<boolean> => {
    const now = await readVolume(panda, settings.cell, volume.id);
    return now?.generation === volume.generation && !now.directoriesPending;
  };
  try {
    await transact(store.components, [finish], took);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    const now = await readVolume(panda, settings.cell, volume.id);
    const isRepaired = now?.generation === volume.generation && now.revision > volume.revision;
    return isRepaired && now.directoriesPending ? now : undefined; // finished, flipped or freed by another worker
  }
  await dropGroupRows(store.components, volume);
  return undefined;
}

/**
 * On all of the m+1 columns: with fewer copies what the group rows say would survive fewer losses than the volume. The
 * bytes it takes, by column. What is in its way on a column is noted as damage, for it cannot be overwritten.
 */
async function writePack(store: SealStore, volume: VolumeRow): Promise<readonly number[]> {
  for (let judged = new Set<number>(); ; ) {
    // Encoded one by one: what is known of all slots of a volume of short records is many times as large.
    const directories = await directoriesOf(store, volume);
    const puts = await putPacks(store, volume, directories, 'as much');
    if (puts.failures.size === 0) return puts.bytes;
    // Another worker's may lack what has died since my rows were read: they are read again before it is called foreign.
    const foreign = [...puts.failures].filter(([, { code }]) => code === 'DIRECTORY_FOREIGN').map(([column]) => column);
    if (foreign.every((column) => judged.has(column))) {
      await notePackFaults(store.components, volume, puts.failures);
      throw notStored(volume, puts);
    }
    judged = new Set([...judged, ...foreign]);
  }
}

/** Of all buckets of a volume whose pack is not there. Throws RecordLost if nothing tells where something alive is. */
export async function directoriesOf(store: SealStore, volume: VolumeRow): Promise<Map<BucketId, Uint8Array>> {
  const found = await mapLimit([...volume.buckets], SEALED_BUCKETS_AT_ONCE, (id) => directoryOf(store, volume, id));
  return new Map(found.filter((directory) => directory !== undefined));
}

/** What is alive of a bucket, encoded. Undefined if it was moved meanwhile: nobody will look for it here. */
async function directoryOf(
  store: SealStore,
  volume: VolumeRow,
  id: BucketId,
): Promise<readonly [BucketId, Uint8Array] | undefined> {
  const { panda, settings, storeId } = store.components;
  const bucket = await readBucket(panda, settings.cell, id);
  if (bucket?.volume !== volume.id) return undefined;
  const dead = deadFromRow(await panda.get(deadKey(settings.cell, id)));
  const found = await store.directories.bucketPart(volume, bucket);
  const entries = new Map<number, SlotLocation>();
  for (const [slot, location] of found.entries) if (!isDead(dead, slot)) entries.set(slot, location);
  // A group that says nothing may hold what is dead alone, after a rebuild from less than the code survives.
  const alive = Array.from({ length: bucket.slots }, (_, slot) => slot).filter((slot) => !isDead(dead, slot));
  if (found.lost !== undefined && !alive.every((slot) => entries.has(slot)))
    throw found.lost.lost(`the directory of bucket ${id} in volume ${volume.id}`);
  const owner = { storeId, volumeId: volume.id, generation: volume.generation };
  return [id, encodeBucketDirectory({ ...owner, bucket: id, entries })];
}
