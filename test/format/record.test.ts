// Records: round trip, limits, and what a damaged or foreign one is called.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildRecord,
  parseRecord,
  parseRecordHeader,
  RECORD_BYTES_MAX,
  type RecordHeader,
  recordAad,
  recordBytes,
} from '../../lib/format/record.ts';
import { hexOf, newRecordId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { BLOCK_BYTES_MAX } from '../../lib/limits/frontend.ts';
import { codeOf, withCrcAt } from './damage.ts';
import { sampleBody, sampleRecord, sampleRecordHeader } from './samples.ts';

const headers = fc
  .record({
    seed: fc.nat(),
    plaintextBytes: fc.nat(3000),
    compressed: fc.boolean(),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(
    ({ seed, plaintextBytes, compressed, part }): RecordHeader => ({
      recordId: newRecordId(new SeededRandomness(seed)),
      compressed,
      plaintextBytes,
      bodyBytes: 16 + (compressed ? Math.floor(plaintextBytes * part) : plaintextBytes),
    }),
  );

describe('record', () => {
  it('round-trips any header and body', () => {
    fc.assert(
      fc.property(headers, fc.nat(), (header, seed) => {
        const body = new SeededRandomness(seed).bytes(header.bodyBytes);
        const record = buildRecord(header, body);
        expect(record.byteLength).toBe(recordBytes(header));
        expect(parseRecordHeader(record)).toEqual(header);
        const parsed = parseRecord(record);
        expect(parsed.header).toEqual(header);
        expect(hexOf(parsed.body)).toBe(hexOf(body));
        expect(hexOf(record.subarray(0, 28))).toBe(hexOf(recordAad(header)));
      }),
    );
  });

  it('parses in place, at any alignment', () => {
    const shifted = Buffer.concat([Buffer.alloc(3), sampleRecord()]).subarray(3);
    expect(parseRecord(shifted).header).toEqual(sampleRecordHeader);
  });

  it('holds 4 MiB of plaintext and refuses more', () => {
    const most = { ...sampleRecordHeader, compressed: false, plaintextBytes: BLOCK_BYTES_MAX };
    const record = buildRecord({ ...most, bodyBytes: BLOCK_BYTES_MAX + 16 }, new Uint8Array(BLOCK_BYTES_MAX + 16));
    expect(record.byteLength).toBeLessThanOrEqual(RECORD_BYTES_MAX);
    expect(parseRecord(record).header.plaintextBytes).toBe(BLOCK_BYTES_MAX);
    record.set([1, 1, 0, 0x40, 0], 3); // compressed, so that the body is not too short for it
    expect(codeOf(() => parseRecordHeader(record))).toBe('RECORD_MALFORMED');
  });

  it('refuses lengths that contradict each other', () => {
    const refused = (changes: Partial<RecordHeader>): void => {
      const header = { ...sampleRecordHeader, ...changes };
      expect(() => buildRecord(header, new Uint8Array(header.bodyBytes))).toThrow(/cannot hold a plaintext/);
      const forged = sampleRecord();
      Buffer.from(forged.buffer).writeUInt32LE(header.bodyBytes, 8);
      forged[3] = header.compressed ? 1 : 0;
      expect(codeOf(() => parseRecordHeader(forged))).toBe('RECORD_MALFORMED');
    };
    refused({ bodyBytes: 1033 }); // a compressed body longer than its plaintext
    refused({ bodyBytes: 15 }); // no room for the tag
    refused({ compressed: false, bodyBytes: 40 }); // 1,000 bytes do not fit 24
  });

  it('tells a newer version from a damaged version byte', () => {
    const record = sampleRecord();
    record[2] = 2;
    expect(codeOf(() => parseRecord(record))).toBe('RECORD_CHECKSUM');
    expect(codeOf(() => parseRecordHeader(record))).toBe('RECORD_VERSION');
    const newer = Buffer.concat([record.subarray(0, 28), sampleBody]);
    const crcFirst = withCrcAt(newer, newer.length);
    const rebuilt = Buffer.concat([record.subarray(0, 28), crcFirst.subarray(newer.length), sampleBody]);
    expect(codeOf(() => parseRecord(rebuilt))).toBe('RECORD_VERSION');
    expect(() => parseRecord(rebuilt)).toThrow('version 2');
  });

  it('refuses unknown flags, another magic and bytes beyond the record', () => {
    const flagged = sampleRecord();
    flagged[3] = 3;
    expect(codeOf(() => parseRecordHeader(flagged))).toBe('RECORD_MALFORMED');
    const foreign = sampleRecord();
    foreign[0] = 0;
    expect(codeOf(() => parseRecord(foreign))).toBe('RECORD_MALFORMED');
    expect(codeOf(() => parseRecord(Buffer.concat([sampleRecord(), Buffer.alloc(1)])))).toBe('RECORD_MALFORMED');
  });

  it('finds a body that belongs to another header', () => {
    const other = buildRecord(sampleRecordHeader, sampleBody.toReversed());
    const mixed = Buffer.concat([sampleRecord().subarray(0, 32), other.subarray(32)]);
    expect(codeOf(() => parseRecord(mixed))).toBe('RECORD_CHECKSUM');
  });
});
