// Reading and writing the little-endian integers of all structures. Counts of 64 bits are safe integers: a value of
// 2^53 or more is not a number any writer of version 1 can have meant, so reading it yields undefined and the caller
// refuses it.
import { crc32 } from 'node:zlib';
import { assert } from '../foundation/assert.ts';
import type { CodeOf } from '../foundation/error-codes.ts';
import { corrupt, type PocketfulError } from '../foundation/errors.ts';

export const U32_MAX = 0xffff_ffff;
export const U40_MAX = 0xff_ffff_ffff;
export const CRC_BYTES = 4;

/** The same memory as a Buffer, for its integer accessors. */
export const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** CRC-32 (IEEE) of the parts one after the other. */
export function crcOf(...parts: readonly Uint8Array[]): number {
  let crc = 0;
  for (const part of parts) crc = crc32(part, crc);
  return crc;
}

export function readU64(view: Buffer, offset: number): number | undefined {
  const high = view.readUInt32LE(offset + 4);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + view.readUInt32LE(offset) : undefined;
}

export function writeU64(view: Buffer, value: number, offset: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, () => `${value} is not a 64-bit count`);
  view.writeUInt32LE(value % 0x1_0000_0000, offset);
  view.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4);
}

/** Asserts an integer in 0..max: a writer handing over anything else is a bug, not bad input. */
export function assertWithin(value: number, max: number, name: string): void {
  assert(
    Number.isInteger(value) && value >= 0 && value <= max,
    () => `${name} must be an integer in 0..${max}, not ${value}`,
  );
}

export const isZero = (view: Buffer, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) if (view[i] !== 0) return false;
  return true;
};

/** What every structure answers to a version it does not know: an old reader must never guess. */
export function unknownVersion(code: CodeOf<'corrupt'>, what: string, version: number, known: number): PocketfulError {
  return corrupt(
    code,
    `${what} is of format version ${version}, this release reads version ${known}: use a newer release of Pocketful`,
  );
}
