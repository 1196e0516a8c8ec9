// The targets of the fuzz tests: a valid object of each structure, its parser, and inputs made from it by a seed. A parser
// may answer or throw a PocketfulError; anything else (a RangeError, a TypeError, an assertion) is a bug.
import { encodeBucketDirectory, parseBucketDirectory } from '../../lib/format/bucket-directory.ts';
import { checkChunk, parseChunkHeader } from '../../lib/format/chunk.ts';
import { parsePackHeader, parsePackIndex } from '../../lib/format/directory-pack.ts';
import { encodeGroupDirectory, parseGroupDirectory } from '../../lib/format/group-directory.ts';
import { parseRecord, parseRecordHeader } from '../../lib/format/record.ts';
import { crcOf } from '../../lib/format/wire.ts';
import { corrupt } from '../../lib/foundation/errors.ts';
import type { SeededRandomness } from '../../lib/foundation/randomness.ts';
import {
  sampleBucketDirectory,
  sampleChunk,
  sampleDirectoryPack,
  sampleGroup,
  sampleRecord,
  withParity,
} from './samples.ts';

export interface FuzzTarget {
  readonly name: string;
  readonly valid: Uint8Array;
  readonly parse: (bytes: Uint8Array) => unknown;
  /** Puts right the checksums a forger would put right, so that the checks behind them are reached. */
  readonly forge: (bytes: Buffer) => void;
  /** Every flipped bit and every cut is found by the structure's own checksum. */
  readonly sealed: boolean;
}

const sealAt = (bytes: Buffer, at: number): void => {
  if (at >= 0 && bytes.length >= at + 4) bytes.writeUInt32LE(crcOf(bytes.subarray(0, at)), at);
};

function sealRecord(bytes: Buffer): void {
  if (bytes.length >= 32) bytes.writeUInt32LE(crcOf(bytes.subarray(0, 28), bytes.subarray(32)), 28);
}

/** The whole of it, as readers do who have it all at hand. */
function parsePack(bytes: Uint8Array): unknown {
  const header = parsePackHeader(bytes);
  const directories = parsePackIndex(header, bytes).map(({ bucket, offset, length }) => [
    ...parseBucketDirectory(bytes.subarray(offset, offset + length), { bucket }).entries,
  ]);
  if (bytes.length !== header.totalBytes) throw corrupt('DIRECTORY_MALFORMED', 'it is not as long as it says');
  return directories;
}

function sealPack(bytes: Buffer): void {
  if (bytes.length < 64) return;
  const headBytes = 64 + 16 * bytes.readUInt32LE(40);
  if (headBytes <= bytes.length) bytes.writeUInt32LE(crcOf(bytes.subarray(64, headBytes)), 48);
  sealAt(bytes, 60);
}

const directoryHeader = { codec: 'xor-2-1', columnBytes: withParity('xor-2-1', [100, 109]) } as const;

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: 'record', valid: sampleRecord(), parse: parseRecord, forge: sealRecord, sealed: true },
  { name: 'record header', valid: sampleRecord(), parse: parseRecordHeader, forge: () => {}, sealed: false },
  { name: 'chunk', valid: sampleChunk(2), parse: (b) => checkChunk(b), forge: (b) => sealAt(b, 252), sealed: true },
  {
    name: 'chunk header',
    valid: sampleChunk(0).subarray(0, 256),
    parse: parseChunkHeader,
    forge: (b) => sealAt(b, 252),
    sealed: true,
  },
  {
    name: 'group directory',
    valid: encodeGroupDirectory(sampleGroup().entries),
    parse: (bytes) => parseGroupDirectory(bytes, directoryHeader),
    forge: () => {},
    sealed: false,
  },
  {
    name: 'bucket directory',
    valid: encodeBucketDirectory(sampleBucketDirectory),
    parse: (bytes) => [...parseBucketDirectory(bytes).entries],
    forge: (b) => sealAt(b, b.length - 4),
    sealed: true,
  },
  { name: 'directory pack', valid: sampleDirectoryPack(), parse: parsePack, forge: sealPack, sealed: true },
];

/** Noise, or the valid object cut, lengthened, overwritten in places, and half the time with its checksums put right. */
export function fuzzInput(target: FuzzTarget, randomness: SeededRandomness): Uint8Array {
  if (randomness.below(4) === 0) return randomness.bytes(randomness.below(400));
  const keep = randomness.below(3) === 0 ? randomness.below(target.valid.length + 1) : target.valid.length;
  const more = randomness.below(4) === 0 ? randomness.below(64) : 0;
  const bytes = Buffer.concat([target.valid.subarray(0, keep), randomness.bytes(more)]);
  for (let i = randomness.below(4); i > 0 && bytes.length > 0; i--) damage(bytes, randomness);
  if (randomness.below(2) === 0) target.forge(bytes);
  return bytes;
}

function damage(bytes: Buffer, randomness: SeededRandomness): void {
  const at = randomness.below(bytes.length);
  const interesting = [0, 1, 0x7f, 0x80, 0xff];
  switch (randomness.below(3)) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << randomness.below(8));
      return;
    case 1:
      bytes[at] = interesting[randomness.below(interesting.length)] as number;
      return;
    default:
      bytes.fill(
        interesting[randomness.below(interesting.length)] as number,
        at,
        Math.min(bytes.length, at + 1 + randomness.below(8)),
      );
  }
}
