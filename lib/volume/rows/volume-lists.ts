// Which volumes are open, and which are hot, from their own small partitions (lib/panda/rows/open-row.ts). A row there
// is a hint: releases before these rows make and seal volumes without them. What is missing is found by whoever lists
// all volumes in any case; what is too much, by whoever reads the row of the volume.
import { isKind } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { KEYS_AT_ONCE } from '../../limits/panda.ts';
import {
  completed,
  isCompleteRow,
  isListedIn,
  listedIn,
  listedKey,
  listedLate,
  listPartition,
  unlisted,
  VOLUME_LISTS,
  type VolumeList,
} from '../../panda/rows/open-row.ts';
import { type BadRowSink, readOrTell } from '../../panda/rows/row-reader.ts';
import { type VolumeRow, volumeFromRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Components } from './components.ts';
import { listVolumes, rowsOf } from './read-rows.ts';
import { transact, transactUnlessConflict } from './transact.ts';

/** The volumes of a list; in a store that only older releases have written to, all volumes are looked at first. */
export async function listedVolumes(components: Components, list: VolumeList): Promise<Set<VolumeId>> {
  const found = await rowsOfList(components, list);
  if (found.isComplete) return found.ids;
  await mendVolumeLists(components);
  return (await rowsOfList(components, list)).ids;
}

async function rowsOfList(
  { panda, settings, badRow }: Components,
  list: VolumeList,
): Promise<{ readonly ids: Set<VolumeId>; readonly isComplete: boolean }> {
  const ids = new Set<VolumeId>();
  let isComplete = false;
  for await (const row of rowsOf(panda, listPartition(list, settings.cell))) {
    if (isCompleteRow(row)) isComplete = true;
    else {
      const id = readOrTell(row, listedIn, badRow);
      if (id !== undefined) ids.add(id);
    }
  }
  return { ids, isComplete };
}

/**
 * Every volume there is; the lists are held against them and mended. For maintenance, which looks at all volumes
 * anyway.
 */
export async function mendVolumeLists(components: Components): Promise<VolumeRow[]> {
  const { panda, settings, clock } = components;
  // Lists first: a volume that stands in one was there then, so that one without a row afterwards is gone for good.
  const before = new Map(
    await Promise.all(VOLUME_LISTS.map(async (list) => [list, await rowsOfList(components, list)] as const)),
  );
  const unread = new Set<string>();
  const bad: BadRowSink | undefined =
    components.badRow &&
    ((row) => {
      unread.add(row.sort);
      components.badRow?.(row);
    });
  const volumes = await listVolumes(panda, settings.cell, bad);
  for (const [list, { ids }] of before) {
    const belong = volumes.filter((volume) => isListedIn(list, volume));
    const wanted = new Set<string>([...belong.map(({ id }) => id), ...unread]);
    const missing = belong.filter(({ id }) => !ids.has(id));
    for (const volume of await stillMissing(components, list, missing))
      await transactUnlessConflict(components, listedLate(list, settings.cell, volume), async () => true);
    const gone = [...ids].filter((id) => !wanted.has(id));
    await unlist(components, list, gone);
  }
  // Each by itself: many may do so at once, and plain writes of one row do not refuse each other.
  for (const [list, { isComplete }] of before)
    if (!isComplete)
      await transact(components, [completed(list, settings.cell, Math.max(0, clock.nowMs()))], async () => false);
  return volumes;
}

/** One that was made since the list was read has its row by now. */
async function stillMissing(
  { panda, settings }: Components,
  list: VolumeList,
  volumes: readonly VolumeRow[],
): Promise<VolumeRow[]> {
  const missing: VolumeRow[] = [];
  for (let at = 0; at < volumes.length; at += KEYS_AT_ONCE) {
    const some = volumes.slice(at, at + KEYS_AT_ONCE);
    const rows = await panda.getMany(some.map(({ id }) => listedKey(list, settings.cell, id)));
    missing.push(...some.filter((_, i) => rows[i] === undefined));
  }
  return missing;
}

/**
 * The rows of volumes of a list, those that still belong there; for the others the list is mended. A volume is sealed
 * and freed for good, so that this needs no condition.
 */
export async function readListed(
  components: Components,
  list: VolumeList,
  ids: readonly VolumeId[],
): Promise<VolumeRow[]> {
  const found: VolumeRow[] = [];
  const gone: VolumeId[] = [];
  for (let at = 0; at < ids.length; at += KEYS_AT_ONCE)
    for (const [id, volume] of await readSome(components, ids.slice(at, at + KEYS_AT_ONCE))) {
      if (volume !== undefined && isListedIn(list, volume)) found.push(volume);
      else gone.push(id);
    }
  await unlist(components, list, gone);
  return found;
}

/** Those whose rows cannot be read are told, and left out. */
async function readSome(
  { panda, settings, badRow }: Components,
  ids: readonly VolumeId[],
): Promise<Map<VolumeId, VolumeRow | undefined>> {
  const keys = ids.map((id) => volumeKey(settings.cell, id));
  const read = new Map<VolumeId, VolumeRow | undefined>();
  const rows = await panda.getMany(keys).catch((error: unknown) => {
    if (badRow === undefined || !isKind(error, 'corrupt')) throw error;
    return undefined; // one of them: one by one
  });
  for (const [i, id] of ids.entries())
    try {
      const row = rows === undefined ? await panda.get(volumeKey(settings.cell, id)) : rows[i];
      read.set(id, row === undefined ? undefined : volumeFromRow(row));
    } catch (error) {
      if (badRow === undefined || !isKind(error, 'corrupt')) throw error;
      badRow({ ...volumeKey(settings.cell, id), error });
    }
  return read;
}

async function unlist(components: Components, list: VolumeList, ids: readonly VolumeId[]): Promise<void> {
  for (const id of ids) await transact(components, [unlisted(list, components.settings.cell, id)], async () => false);
}

/**
 * How many volumes are hot, in whatever state. Where they seem to be more than `enough`, each is looked at: an older
 * release freed some without a word.
 */
export async function countHot(components: Components, enough: number): Promise<number> {
  const ids = await listedVolumes(components, 'hot');
  if (ids.size <= enough) return ids.size;
  return (await readListed(components, 'hot', [...ids])).length;
}
