// quarantine/DRIVE | zone/generation: objects of a zone generation that belong to nothing the rows know, found by a
// sweep and not erased yet: a newer Panda, should one turn up, may know them.
import type { Attributes, Key, Row } from '../../panda.ts';
import { countIn, padded } from '../row-reader.ts';

interface ZoneGeneration {
  readonly zone: number;
  readonly generation: number;
}

export interface QuarantineRow extends ZoneGeneration {
  readonly sinceMs: number;
}

const ZONE_DIGITS = 7;

export const quarantinePartition = (drive: number): string => `quarantine/${drive}`;
export const quarantineKey = (drive: number, { zone, generation }: ZoneGeneration): Key => ({
  partition: quarantinePartition(drive),
  sort: `${padded(zone, ZONE_DIGITS)}/${generation}`,
});

export function quarantineFromRow(row: Row): QuarantineRow {
  const [zone, generation] = row.sort.split('/').map(Number);
  return { zone: zone ?? 0, generation: generation ?? 0, sinceMs: countIn(row, 'a') };
}

export const quarantineAttributes = ({ sinceMs }: Pick<QuarantineRow, 'sinceMs'>): Attributes => ({ a: sinceMs });
