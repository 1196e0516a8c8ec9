// Sample structures of the format tests: one fixed value of each, whose bytes are kept in golden/, and the small groups the
// fuzz tests damage.
import { type CodecName, parityBytes } from '../../lib/codec/codec.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import { type BucketDirectoryContent, encodeBucketDirectory } from '../../lib/format/bucket-directory.ts';
import { type ChunkHeader, encodeChunkHeader } from '../../lib/format/chunk.ts';
import { encodeDirectoryPack } from '../../lib/format/directory-pack.ts';
import { encodeGroupDirectory, type GroupEntry } from '../../lib/format/group-directory.ts';
import { buildRecord, type RecordHeader } from '../../lib/format/record.ts';
import { crcOf } from '../../lib/format/wire.ts';
import { appendId, bucketId, recordId, storeId, volumeId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';

export const STORE = storeId('00112233445566778899aabbccddeeff');
export const VOLUME = volumeId('a0a1a2a3a4a5a6a7');
export const APPEND = appendId('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
export const BUCKET_A = bucketId('b000000000000001');
export const BUCKET_B = bucketId('b000000000000002');
export const RECORD_1 = recordId('101112131415161718191a1b1c1d1e1f');
export const RECORD_2 = recordId('202122232425262728292a2b2c2d2e2f');
export const RECORD_3 = recordId('303132333435363738393a3b3c3d3e3f');

export const sampleRecordHeader: RecordHeader = {
  recordId: RECORD_1,
  compressed: true,
  plaintextBytes: 1000,
  bodyBytes: 40,
};
export const sampleBody: Uint8Array = Uint8Array.from({ length: 40 }, (_, i) => 0xc0 + i);

/** Three records in the columns of a 2+1 group; the lengths leave the columns unequal. */
export function sampleGroup(): { payloads: Uint8Array[]; entries: GroupEntry[] } {
  const randomness = new SeededRandomness(7);
  const record = (id: typeof RECORD_1, bodyBytes: number): Uint8Array =>
    buildRecord(
      { recordId: id, compressed: false, plaintextBytes: bodyBytes - 16, bodyBytes },
      randomness.bytes(bodyBytes),
    );
  const first = record(RECORD_1, 20);
  const second = record(RECORD_2, 16);
  const third = record(RECORD_3, 77);
  const left = Buffer.concat([first, second]);
  const parity = new Uint8Array(parityBytes(third.length));
  for (const column of [left, third])
    for (const [i, byte] of column.entries()) parity[i] = (parity[i] as number) ^ byte;
  const entries: GroupEntry[] = [
    { bucket: BUCKET_A, move: 0, slot: 5, recordId: RECORD_1, column: 0, offset: 0, length: first.length },
    { bucket: BUCKET_A, move: 0, slot: 6, recordId: RECORD_2, column: 0, offset: first.length, length: second.length },
    { bucket: BUCKET_B, move: 3, slot: 0, recordId: RECORD_3, column: 1, offset: 0, length: third.length },
  ];
  return { payloads: [left, third, parity], entries };
}

/** The whole object of one column of the sample group. */
export function sampleChunk(column: number): Uint8Array {
  const { payloads, entries } = sampleGroup();
  const directory = encodeGroupDirectory(column < 2 ? entries.filter((entry) => entry.column === column) : entries);
  const header = encodeChunkHeader({
    ...chunkHeaderOf(
      'xor-2-1',
      payloads.map((p) => p.length),
      column,
    ),
    columnCrcs: payloads.map((p) => crcOf(p)),
    directoryBytes: directory.length,
    directoryCrc: crcOf(directory),
  });
  return Buffer.concat([header, payloads[column] as Uint8Array, directory]);
}

/** A header whose checksums are made up: for tests of the header alone. */
export function chunkHeaderOf(codec: CodecName, columnBytes: readonly number[], column: number): ChunkHeader {
  return {
    storeId: STORE,
    volumeId: VOLUME,
    generation: 2,
    sequence: 41,
    token: 0x1_0000_0007,
    appendId: APPEND,
    kind: 'append',
    codec,
    column,
    columnBytes,
    columnCrcs: columnBytes.map((bytes, i) => (bytes === 0 ? 0 : 0x1000 + i)),
    directoryBytes: 75,
    directoryCrc: 0xdeadbeef,
  };
}

/** All columns of a codec from the lengths of its data columns. */
export function withParity(codec: CodecName, dataBytes: readonly number[]): number[] {
  const parity = parityBytes(Math.max(...dataBytes));
  return [...dataBytes, ...Array.from({ length: codecShape(codec).parityColumns }, () => parity)];
}

export const sampleBucketDirectory: BucketDirectoryContent = {
  storeId: STORE,
  volumeId: VOLUME,
  generation: 2,
  bucket: BUCKET_A,
  entries: new Map([
    [5, { sequence: 41, token: 0x1_0000_0007, column: 0, offset: 0, length: 52 }],
    [6, { sequence: 41, token: 0x1_0000_0007, column: 0, offset: 52, length: 48 }],
    [9, { sequence: 44, token: 9, column: 11, offset: 0x12_3456_789a, length: 4_194_352 }],
  ]),
};

export const samplePackOwner = { storeId: STORE, volumeId: VOLUME, generation: 2 };

/** Of two buckets, one of them empty. */
export const sampleDirectoryPack = (): Uint8Array =>
  Buffer.concat(
    encodeDirectoryPack(samplePackOwner, [
      [BUCKET_B, encodeBucketDirectory({ ...samplePackOwner, bucket: BUCKET_B, entries: [] })],
      [BUCKET_A, encodeBucketDirectory(sampleBucketDirectory)],
    ]),
  );

export const sampleRecord = (): Uint8Array => buildRecord(sampleRecordHeader, sampleBody);
