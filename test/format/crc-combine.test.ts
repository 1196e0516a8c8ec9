import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crcOfJoined } from '../../lib/format/crc-combine.ts';
import { buildRecord, recordCrc } from '../../lib/format/record.ts';
import { recordId } from '../../lib/foundation/ids.ts';

const bytes = fc.uint8Array({ maxLength: 5000 });

describe('checksums of joined bytes', () => {
  it('are those of the bytes', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(crcOfJoined(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
      }),
    );
  });

  it('of long bytes too', () => {
    const a = Buffer.alloc(3, 0xa5);
    const b = Buffer.alloc(4 * 1024 * 1024 + 77, 0x5a);
    expect(crcOfJoined(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
  });

  it('of a record, without its body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 3000 }), (body) => {
        const header = {
          recordId: recordId('0123456789abcdef'.repeat(2)),
          compressed: false,
          plaintextBytes: body.length - 16,
          bodyBytes: body.length,
        };
        const record = buildRecord(header, body);
        expect(recordCrc(record)).toBe(crc32(record));
        record[40] = (record[40] as number) ^ 1;
        expect(recordCrc(record)).not.toBe(crc32(record));
      }),
    );
  });
});
