// Ways to damage bytes, and what a parser then says: a PocketfulError's code, or the error itself if it is anything else.
import { crcOf } from '../../lib/format/wire.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';

/** The code of the PocketfulError thrown, undefined if nothing is; any other error passes through and fails the test. */
export function codeOf(parse: () => unknown): string | undefined {
  try {
    parse();
  } catch (error) {
    if (isPocketfulError(error) && error.kind === 'corrupt') return error.code;
    throw error;
  }
  return undefined;
}

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

/** A copy with the checksum of everything before `at` written at `at`: a forgery that only its content gives away. */
export function withCrcAt(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.alloc(Math.max(bytes.length, at + 4));
  copy.set(bytes);
  copy.writeUInt32LE(crcOf(copy.subarray(0, at)), at);
  return copy;
}

/** A copy with a u32 changed. */
export function withU32(bytes: Uint8Array, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(value, at);
  return copy;
}
