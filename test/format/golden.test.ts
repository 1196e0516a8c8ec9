// The contract of format version 1: the bytes of each structure as they were first written. A test that fails here means
// that stores in the field can no longer be read: the format needs a new version, never a new fixture.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeBucketDirectory, parseBucketDirectory } from '../../lib/format/bucket-directory.ts';
import { checkChunk, encodeChunkHeader, parseChunkHeader } from '../../lib/format/chunk.ts';
import { parsePackHeader, parsePackIndex } from '../../lib/format/directory-pack.ts';
import { encodeGroupDirectory, parseGroupDirectory } from '../../lib/format/group-directory.ts';
import { parseRecord, recordAad } from '../../lib/format/record.ts';
import { hexOf } from '../../lib/foundation/ids.ts';
import {
  BUCKET_A,
  BUCKET_B,
  chunkHeaderOf,
  sampleBody,
  sampleBucketDirectory,
  sampleChunk,
  sampleDirectoryPack,
  sampleGroup,
  samplePackOwner,
  sampleRecord,
  sampleRecordHeader,
  withParity,
} from './samples.ts';

const FOLDER = new URL('./golden/', import.meta.url);

/** A line or more for each field; everything after `#` is for people. */
function golden(name: string): Buffer {
  const text = readFileSync(new URL(`${name}.v1.hex`, FOLDER), 'utf8');
  return Buffer.from(text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''), 'hex');
}

const lrcHeader = chunkHeaderOf(
  'lrc-12-2-2',
  withParity('lrc-12-2-2', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 4_000_000_000]),
  11,
);

const written: Readonly<Record<string, () => Uint8Array>> = {
  record: sampleRecord,
  'chunk-xor-2-1-column-0': () => sampleChunk(0),
  'chunk-xor-2-1-column-2': () => sampleChunk(2),
  'chunk-header-lrc-12-2-2': () => encodeChunkHeader({ ...lrcHeader, kind: 'move' }),
  'group-directory': () => encodeGroupDirectory(sampleGroup().entries),
  'bucket-directory': () => encodeBucketDirectory(sampleBucketDirectory),
  'directory-pack': sampleDirectoryPack,
};

describe('format version 1', () => {
  it.each(Object.keys(written))('writes %s as it always did', (name) => {
    expect(hexOf((written[name] as () => Uint8Array)())).toBe(hexOf(golden(name)));
  });

  it('has a fixture for each structure and no other', () => {
    expect(readdirSync(FOLDER).toSorted()).toEqual(
      Object.keys(written)
        .map((name) => `${name}.v1.hex`)
        .toSorted(),
    );
  });

  it('reads the fixtures', () => {
    const { payloads, entries } = sampleGroup();
    const record = parseRecord(golden('record'));
    expect(record.header).toEqual(sampleRecordHeader);
    expect(hexOf(record.body)).toBe(hexOf(sampleBody));
    expect(hexOf(recordAad(record.header))).toBe(hexOf(golden('record').subarray(0, 28)));
    const chunk = checkChunk(golden('chunk-xor-2-1-column-2'));
    expect(hexOf(chunk.payload)).toBe(hexOf(payloads[2] as Uint8Array));
    expect(parseGroupDirectory(chunk.directory, chunk.header)).toEqual(entries);
    expect(parseGroupDirectory(golden('group-directory'), chunk.header)).toEqual(entries);
    expect(parseChunkHeader(golden('chunk-header-lrc-12-2-2'))).toEqual({ ...lrcHeader, kind: 'move' });
    const directory = parseBucketDirectory(golden('bucket-directory'), sampleBucketDirectory);
    expect(new Map(directory.entries)).toEqual(sampleBucketDirectory.entries);
    const pack = golden('directory-pack');
    const index = parsePackIndex(parsePackHeader(pack, samplePackOwner), pack);
    expect(index.map(({ bucket }) => bucket)).toEqual([BUCKET_A, BUCKET_B]);
    const [full, empty] = index.map(({ bucket, offset, length }) =>
      parseBucketDirectory(pack.subarray(offset, offset + length), { ...samplePackOwner, bucket }),
    );
    expect(new Map(full?.entries)).toEqual(sampleBucketDirectory.entries);
    expect([...(empty?.entries ?? [0])]).toEqual([]);
  });
});
