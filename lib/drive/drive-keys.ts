// Keys of a drive, checked before any body touches its medium: no path traversal can be spelled with them, and the
// number of each zone and generation has one spelling only.
import { assert, assertCount } from '../foundation/assert.ts';
import type { ByteRange, ChunkListing, ZoneRef } from './drive.ts';

const NAME = /^[a-z0-9-]{1,64}$/;
const NUMBER = /^(?:0|[1-9][0-9]{0,15})$/;

export const isChunkName = (text: string): boolean => NAME.test(text);

/** The zone or generation spelled by a folder name, if it is one. */
export function numberOf(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `zone/generation`, asserted to be well-formed. */
export function zoneKey(at: ZoneRef): string {
  assertCount(at.zone, 'zone');
  assertCount(at.generation, 'generation');
  return `${at.zone}/${at.generation}`;
}

/** `zone/generation/name`, asserted to be well-formed. */
export function chunkKey(at: ZoneRef, name: string): string {
  assert(isChunkName(name), () => `a chunk name is 1 to 64 of a-z, 0-9 and '-', not ${JSON.stringify(name)}`);
  return `${zoneKey(at)}/${name}`;
}

export function assertRange(range: ByteRange | undefined): void {
  if (range === undefined) return;
  assertCount(range.offset, 'offset');
  assertCount(range.length, 'length');
}

export const byName = (a: ChunkListing, b: ChunkListing): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
export const byZone = (a: ZoneRef, b: ZoneRef): number => a.zone - b.zone || a.generation - b.generation;
