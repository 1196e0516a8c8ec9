// damage/CELL | VOLUME/GENERATION/COLUMN/SEQUENCE: an object that must exist on a drive and was not found as it must
// be. Doctor (and whoever reads columns whole) writes these rows and takes them away; they are findings, no part of
// what the store holds, and a store without any reads and writes alike.
import type { VolumeId } from '../../foundation/ids.ts';
import type { Attributes, Condition, Key, Row } from '../panda.ts';
import { countIn, malformedRow, padded, stringIn, volumeIdIn, wordIn } from './row-reader.ts';

/**
 * missing: no such object. short: not as long as it must be. wrong: its bytes changed. foreign: a sound object that
 * belongs elsewhere.
 */
export const DAMAGE_KINDS = ['missing', 'short', 'wrong', 'foreign'] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

/**
 * The sequence of a group's chunk, `pack` for the directory pack, or the name of a directory object of store format 1
 * (`dir-…`).
 */
export type DamagedPart = number | 'pack' | `dir-${string}`;

/** Which object of the store is meant. */
export interface DamagePlace {
  readonly volume: VolumeId;
  readonly generation: number;
  readonly column: number;
  readonly part: DamagedPart;
}

export interface DamageRow extends DamagePlace {
  readonly kind: DamageKind;
  /** When it was found first. */
  readonly sinceMs: number;
  /** A code of docs/format.md or docs/operations.md, such as CHUNK_MALFORMED. */
  readonly reason: string;
}

const COLUMN_DIGITS = 2;
const SEQ_DIGITS = 8;

export const damagePartition = (cell: string): string => `damage/${cell}`;

/** What the sort keys of a volume's rows begin with. */
export const damagePrefix = (volume: VolumeId): string => `${volume}/`;

const partText = (part: DamagedPart): string => (typeof part === 'number' ? padded(part, SEQ_DIGITS) : part);

export const damageKey = (cell: string, { volume, generation, column, part }: DamagePlace): Key => ({
  partition: damagePartition(cell),
  sort: `${damagePrefix(volume)}${generation}/${padded(column, COLUMN_DIGITS)}/${partText(part)}`,
});

export function damageFromRow(row: Row): DamageRow {
  const [volume = '', generation, column, part = ''] = row.sort.split('/');
  return {
    volume: volumeIdIn(row, volume),
    generation: Number(generation),
    column: Number(column),
    part: partFrom(row, part),
    kind: wordIn(row, 'k', DAMAGE_KINDS),
    sinceMs: countIn(row, 'a'),
    reason: stringIn(row, 'r'),
  };
}

function partFrom(row: Row, text: string): DamagedPart {
  if (/^\d+$/.test(text)) return Number(text);
  if (text === 'pack' || text.startsWith('dir-')) return text as DamagedPart;
  return malformedRow(row, 'it names no object');
}

export const damageAttributes = ({ kind, sinceMs, reason }: DamageRow): Attributes => ({
  k: kind,
  a: sinceMs,
  r: reason,
});

/** Nobody has noted anything else of the object since; undefined: still nothing. */
export const damageIsAsRead = (row: DamageRow | undefined): Condition =>
  row === undefined
    ? ['absent']
    : [
        { attribute: 'a', equals: row.sinceMs },
        { attribute: 'k', equals: row.kind },
        { attribute: 'r', equals: row.reason },
      ];
