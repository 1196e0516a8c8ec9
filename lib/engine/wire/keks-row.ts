// store | keks: the ciphertexts of a deployed store's KEK versions, one attribute each, and when each was made. A
// destroyed version has no attribute; the last one is current.
import type { StoredKeks } from '../../keys/kms-kek-store.ts';
import type { Attributes, Clause, Key, Row } from '../../panda/panda.ts';
import { bytesIn, countIn, countsIn } from '../../panda/rows/row-reader.ts';

export interface KeksRow {
  /** Grows by one with every change; 0: there is no row yet. */
  readonly revision: number;
  readonly keks: StoredKeks;
}

export const keksKey: Key = { partition: 'store', sort: 'keks' };

const materialName = (version: number): string => `m${version}`;

export function keksAttributes({ revision, keks }: KeksRow): Attributes {
  const materials = keks.flatMap(({ version, material }) =>
    material === undefined ? [] : [[materialName(version), material] as const],
  );
  return { v: revision, t: keks.map(({ createdAtMs }) => createdAtMs), ...Object.fromEntries(materials) };
}

export const keksFromRow = (row: Row): KeksRow => ({ revision: countIn(row, 'v'), keks: keksFrom(row) });

function keksFrom(row: Row): StoredKeks {
  const times = countsIn(row, 't');
  return times.map((createdAtMs, i): StoredKeks[number] => {
    const version = i + 1;
    if (row.attributes[materialName(version)] === undefined) return { version, createdAtMs, state: 'destroyed' };
    const state = version === times.length ? 'current' : 'previous';
    return { version, createdAtMs, state, material: bytesIn(row, materialName(version)) };
  });
}

/** Nobody has changed the keys since. */
export const revisionIs = (revision: number): Clause =>
  revision === 0 ? 'absent' : { attribute: 'v', equals: revision };
