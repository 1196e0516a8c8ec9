// zone/DRIVE | number: which volume an SMR zone belongs to. A zone that was never used has no row.
import type { DriveId, VolumeId } from '../../foundation/ids.ts';
import type { Attributes, Clause, Key, Row } from '../panda.ts';
import type { Change } from './change.ts';
import { countIn, optionalCount, optionalString, padded, wordIn } from './row-reader.ts';

export type ZoneState = 'used' | 'erasing' | 'free';

export interface ZoneRow {
  readonly zone: number;
  /** Keys of older generations on the drive are garbage. */
  readonly generation: number;
  readonly state: ZoneState;
  readonly volume: VolumeId | undefined;
  /**
   * Set by a restore that saw younger generations than the row's own on the drive: the zone is not written again below
   * this one, and what lies between is known and given up. Missing = 0.
   */
  readonly floor?: number | undefined;
}

const ZONE_DIGITS = 7;
export const zonePartition = (drive: number | DriveId): string => `zone/${drive}`;
export const zoneKey = (drive: number | DriveId, zone: number): Key => ({
  partition: zonePartition(drive),
  sort: padded(zone, ZONE_DIGITS),
});
export const zoneFromRow = (row: Row): ZoneRow => ({
  zone: Number(row.sort),
  generation: countIn(row, 'g'),
  state: wordIn(row, 's', ['used', 'erasing', 'free'] as const),
  volume: optionalString(row, 'v') as VolumeId | undefined,
  floor: optionalCount(row, 'n'),
});

/** The generation that whoever takes a free zone writes. */
export const nextGeneration = ({ generation, floor = 0 }: ZoneRow): number => Math.max(generation, floor);

/**
 * No chunk of a younger generation can have been written by who goes by this row: a zone is taken, in its row, before
 * it is written.
 */
export function writtenUpTo(row: ZoneRow | undefined): number {
  if (row === undefined) return 0;
  const { generation, state, floor = 0 } = row;
  return Math.max(state === 'used' ? generation : generation - 1, floor - 1);
}

/**
 * Of a generation that was erased, or given up by a restore: whatever came there later is a late put of a process that
 * is gone.
 */
export const isGivenUp = (row: ZoneRow | undefined, generation: number): boolean =>
  row !== undefined && generation <= writtenUpTo(row) && !(row.state === 'used' && row.generation === generation);

export const zoneAttributes = (zone: Omit<ZoneRow, 'zone'>): Attributes => ({
  g: zone.generation,
  s: zone.state,
  ...(zone.volume === undefined ? {} : { v: zone.volume }),
});

/** Nobody has erased the zone since its generation was read. */
export const zoneGenerationIs = (generation: number): Clause => ({ attribute: 'g', equals: generation });

/**
 * Taken and freed by somebody else meanwhile, it would be higher; it is lower where a restore has seen younger ones on
 * the drive.
 */
export const zoneGenerationAtMost = (generation: number): Clause => ({ attribute: 'g', atMost: generation });

export const zoneIs = (state: ZoneState): Clause => ({ attribute: 's', equals: state });

/** No flip has given it to another volume. */
export const zoneBelongsTo = (volume: VolumeId): Clause => ({ attribute: 'v', equals: volume });

/** free -> used; a floor has done its work then. */
export const takeZone = (volume: VolumeId, generation: number): Change => ({
  set: { s: 'used', v: volume, g: generation },
  remove: ['n'],
});

/** It is an extent of another volume from now on; what is written there stays. */
export const giveZone = (volume: VolumeId): Change => ({ set: { v: volume } });

/** used -> erasing: `generation` is the next one, and what is there of older ones is garbage. */
export const startErasingZone = (generation: number): Change => ({ set: { s: 'erasing', g: generation } });

/** erasing -> free. */
export const freeZone: Change = { set: { s: 'free' }, remove: ['v'] };

/** Whoever takes it next writes this generation: of a free zone its own, of any other its floor. */
export const raiseZone = (state: ZoneState, generation: number): Change => ({
  set: state === 'free' ? { g: generation } : { n: generation },
});
