// store | settings: what a store is, written last when it is made, so that a store without this row is not finished.
// store | creating holds the same facts while drives and keys are being made: whoever goes on uses the same ids.
import { corrupt, invalid } from '../../foundation/errors.ts';
import type { StoreId } from '../../foundation/ids.ts';
import { parseSettings, type Settings } from '../../settings/settings.ts';
import type { Attributes, Clause, Key, Row } from '../panda.ts';
import type { Change } from './change.ts';
import { countIn, listIn, storeIdIn, stringIn } from './row-reader.ts';

/**
 * Version of rows and drives together. A store of a newer version is refused, never guessed at.
 * 1: sealed volumes have an object per bucket directory. 2: some have a directory pack. 3: rows of blocks and objects
 * that were written since are packed. 4: drives have states, and extents of a volume may be replaced. 5: what was
 * deleted is listed in release rows, and what changes is journalled on the drives of a store in a directory.
 */
export const STORE_FORMAT = 5;
const FORMAT_OLDEST = 1;

export interface StoreRow {
  readonly storeId: StoreId;
  readonly settings: Settings;
  /** By drive id: paths (relative ones below the store's directory) or names of S3 buckets. */
  readonly drives: readonly string[];
  readonly createdAtMs: number;
}

export const storeKey: Key = { partition: 'store', sort: 'settings' };
export const storeCreatingKey: Key = { partition: 'store', sort: 'creating' };

/** Throws `invalid` STORE_VERSION, naming both versions. */
export function storeFromRow(row: Row): StoreRow {
  const format = countIn(row, 'f');
  if (format < FORMAT_OLDEST || format > STORE_FORMAT)
    throw invalid(
      'STORE_VERSION',
      `the store has format ${format}, this program knows formats ${FORMAT_OLDEST} to ${STORE_FORMAT}: use the release that made it`,
    );
  return {
    storeId: storeIdIn(row, stringIn(row, 'i')),
    settings: settingsIn(stringIn(row, 's')),
    drives: listIn(row, 'd').map(String),
    createdAtMs: countIn(row, 'a'),
  };
}

/** It becomes STORE_FORMAT before anything of it is written. */
export const isOlderFormat = (row: Row): boolean => countIn(row, 'f') < STORE_FORMAT;

export const storeAttributes = (store: StoreRow): Attributes => ({
  f: STORE_FORMAT,
  i: store.storeId,
  s: JSON.stringify(store.settings),
  d: store.drives,
  a: store.createdAtMs,
});

function settingsIn(text: string): Settings {
  try {
    return parseSettings(JSON.parse(text));
  } catch (cause) {
    throw corrupt('ROW_MALFORMED', 'the settings of the store cannot be read', cause);
  }
}

/** The row is this store's: nobody began another one in its place. */
export const storeIs = (storeId: StoreId): Clause => ({ attribute: 'i', equals: storeId });

/** Nobody has raised the format since the row was read. */
export const formatIsAsIn = (row: Row): Clause => ({ attribute: 'f', equals: countIn(row, 'f') });

/** Releases that do not know this format refuse the store from now on. */
export const raiseFormat: Change = { set: { f: STORE_FORMAT } };

/** The same row in the format of this release, if it is the store's. */
export const raised = (row: Row): Row =>
  row.partition === storeKey.partition && row.sort === storeKey.sort
    ? { ...row, attributes: { ...row.attributes, f: STORE_FORMAT } }
    : row;

/** Drives were added. */
export const setDrives = (drives: StoreRow['drives']): Change => ({ set: { d: drives } });
