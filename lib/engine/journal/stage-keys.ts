// The key versions of a stage beside its journal, each as KMS wrapped it: the row of the table, for who has no table.
// Names are written once; a later revision is written first, then the earlier ones go.
import { corrupt, isKind, isPocketfulError, missing, type PocketfulError } from '../../foundation/errors.ts';
import { type LadderScrub, type LadderScrubOptions, replaced } from '../../journal/scrub-ladder.ts';
import type { ShelfPlace, Shelves } from '../../journal/shelves.ts';
import type { Row } from '../../panda/panda.ts';
import { attributesOfBytes } from '../../panda/sqlite/read-row-bytes.ts';
import { rowBytesOf } from '../../panda/sqlite/row-bytes.ts';
import type { Components } from '../../volume/rows/components.ts';
import { type KeksRow, keksFromRow, keksKey } from '../wire/keks-row.ts';

/** Not of an epoch: keys outlive restores. */
const EPOCH = 0;
const NAME = /^keys-([0-9a-f]{8})$/;

const nameOf = (revision: number): string => `keys-${revision.toString(16).padStart(8, '0')}`;
const revisionOf = (name: string): number | undefined => {
  const found = NAME.exec(name)?.[1];
  return found === undefined ? undefined : Number.parseInt(found, 16);
};

/** Throws `retry` JOURNAL_UNSHIPPED as segments do. */
export async function keepStageKeys(shelves: Shelves, row: Row): Promise<void> {
  const { revision } = keksFromRow(row);
  const bytes = rowBytesOf(row, row.attributes);
  let kept = 0;
  for (const { shelf, isActive } of shelves.places) {
    if (!isActive) continue;
    try {
      await shelf.put(EPOCH, nameOf(revision), [bytes]);
      kept += 1;
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      if (error.code === 'CHUNK_EXISTS') kept += 1;
    }
  }
  if (kept < shelves.copies) throw shelves.unshipped(kept);
  for (const { shelf } of shelves.places) {
    const listed = await shelf.list().catch(() => []);
    const older = listed.flatMap(({ epoch, name }) =>
      epoch === EPOCH && (revisionOf(name) ?? revision) < revision ? [name] : [],
    );
    if (older.length > 0) await shelf.remove(EPOCH, older).catch(() => undefined);
  }
}

/** Of each key store the newest version that this process has seen beside the journal. */
const KEPT = new WeakMap<Components['keks'], number>();

/**
 * Before anything is written under a version: shards are read each at its pace, so the batch with the row that has it
 * may be far from shipped. The row is read after the key was, so it has it. Throws `retry` JOURNAL_UNSHIPPED.
 */
export async function keepVersion({ panda, keks }: Components, version: number, shelves: Shelves): Promise<void> {
  if ((KEPT.get(keks) ?? 0) >= version) return;
  const row = await panda.get(keksKey);
  if (row === undefined) return;
  await keepStageKeys(shelves, row);
  KEPT.set(keks, version);
}

/**
 * Every copy is the row of the table, on each drive that takes new objects: one that is not is written anew, and so is
 * one that is missing, as on a drive that was added.
 */
export async function scrubStageKeys(
  { places }: Shelves,
  row: Row,
  { onDamage }: Pick<LadderScrubOptions, 'onDamage'> = {},
): Promise<LadderScrub> {
  const sums = { objects: 0, bytes: 0, damaged: 0, replaced: 0, lostSegments: 0, unread: 0, done: true };
  const name = nameOf(keksFromRow(row).revision);
  const sound = rowBytesOf(row, row.attributes);
  for (const place of places.filter(({ isActive }) => isActive)) {
    const error = await faultOf(place, name, sound);
    if (error === undefined || isKind(error, 'corrupt')) {
      sums.objects += 1;
      sums.bytes += sound.byteLength;
    }
    if (error === undefined) continue;
    if (!isKind(error, 'corrupt', 'missing')) {
      sums.unread += 1;
      continue;
    }
    const isReplaced = await replaced(place, EPOCH, name, sound);
    if (isKind(error, 'missing') && isReplaced) continue;
    sums.damaged += 1;
    if (isReplaced) sums.replaced += 1;
    onDamage?.({ place: place.shelf.label, name, error, isReplaced });
  }
  return sums;
}

/** Undefined: the copy is sound. */
async function faultOf({ shelf }: ShelfPlace, name: string, sound: Uint8Array): Promise<PocketfulError | undefined> {
  try {
    const isSound = Buffer.compare(await shelf.read(EPOCH, name), sound) === 0;
    return isSound ? undefined : corrupt('SEGMENT_CORRUPT', `${name} on ${shelf.label} is not the row of the table`);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return error;
  }
}

/** The newest that any drive has sound. Throws `missing` JOURNAL_MISSING. */
export async function stageKeysOn(shelves: Shelves): Promise<KeksRow> {
  let newest: KeksRow | undefined;
  let last: unknown;
  for (const { shelf } of shelves.places) {
    try {
      for (const { epoch, name } of await shelf.list()) {
        const revision = epoch === EPOCH ? revisionOf(name) : undefined;
        if (revision === undefined || revision <= (newest?.revision ?? 0)) continue;
        const attributes = attributesOfBytes(keksKey, await shelf.read(EPOCH, name));
        const found = keksFromRow({ ...keksKey, attributes });
        if (found.revision !== revision) throw corrupt('SEGMENT_CORRUPT', `${name} on ${shelf.label} is another one`);
        newest = found;
      }
    } catch (error) {
      if (!isKind(error, 'corrupt', 'retry', 'missing', 'denied')) throw error;
      last = error;
    }
  }
  if (newest !== undefined) return newest;
  throw missing('JOURNAL_MISSING', 'no drive of the stage has its key versions beside the journal', last);
}
