// Chunked bodies cut by the network in every way, and bodies that are no chunks.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES_MAX, CHUNK_LINE_BYTES_MAX } from '../../lib/limits/gateway.ts';
import { ChunkDecoder } from '../../lib/s3/body/aws-chunked.ts';
import { isS3Fault } from '../../lib/s3/fault.ts';

const TRAILERS = ['x-amz-checksum-crc32'];
const BODY = Buffer.from('5\r\nhello\r\na;x=y\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n');

function decoded(pieces: readonly Uint8Array[], trailers = TRAILERS): { content: string; sum: string | undefined } {
  const decoder = new ChunkDecoder({ signer: undefined, trailers });
  const out: Uint8Array[] = [];
  for (const piece of pieces) out.push(...decoder.push(piece));
  return { content: Buffer.concat(out).toString(), sum: decoder.end().get('x-amz-checksum-crc32') };
}

describe('a chunked body', () => {
  it('is the same however it is cut in three', () => {
    for (let a = 0; a <= BODY.length; a++)
      for (let b = a; b <= BODY.length; b++) {
        const pieces = [BODY.subarray(0, a), BODY.subarray(a, b), BODY.subarray(b)];
        expect(decoded(pieces)).toEqual({ content: 'hello0123456789', sum: 'AAAAAA==' });
      }
  });

  it('is the same byte by byte', () => {
    const pieces = [...BODY].map((byte) => Uint8Array.of(byte));
    expect(decoded(pieces)).toEqual({ content: 'hello0123456789', sum: 'AAAAAA==' });
  });

  it('is not whole before its very end', () => {
    for (let end = 0; end < BODY.length; end++)
      expect(() => decoded([BODY.subarray(0, end)]), String(end)).toThrow(
        expect.objectContaining({ code: 'IncompleteBody' }),
      );
  });

  it.each([
    ['no length', 'x\r\n'],
    ['a negative length', '-1\r\n'],
    ['a length with a blank', ' 5\r\nhello\r\n'],
    ['a bare line feed', '5\nhello\n'],
    ['a longer chunk than it says', '4\r\nhello\r\n0\r\n\r\n'],
    ['a chunk too large', `${(CHUNK_BYTES_MAX + 1).toString(16)}\r\n`],
    ['a line too long', `5;${'x'.repeat(CHUNK_LINE_BYTES_MAX)}`],
    ['bytes behind the end', `${BODY.toString()}x`],
    ['a trailer twice', '0\r\nx-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:a\r\n\r\n'],
    ['a trailer nobody announced', '0\r\nx-amz-checksum-sha1:a\r\n\r\n'],
    ['no trailer where one was announced', '0\r\n\r\n'],
    ['a trailer without a value', '0\r\nx-amz-checksum-crc32\r\n\r\n'],
    ['trailers too long', `0\r\nx-amz-checksum-crc32:${'x'.repeat(CHUNK_LINE_BYTES_MAX)}\r\n\r\n`],
  ])('is refused with %s', (what, text) => {
    const code = what.includes('trailer') || what.includes('announced') ? 'MalformedTrailerError' : 'IncompleteBody';
    expect(() => decoded([Buffer.from(text)])).toThrow(expect.objectContaining({ code }));
  });

  it('of any bytes is read or refused, and never asks for more memory than came', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(
          fc.constantFrom(
            '5\r\nhello\r\n',
            '0\r\n',
            '\r\n',
            'a',
            ';',
            ':',
            '\n',
            'ffffffff\r\n',
            'x-amz-checksum-crc32:A\r\n',
          ),
          { maxLength: 12 },
        )
        .map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 6 }), (pieces) => {
        try {
          const { content } = decoded(pieces);
          expect(content.length).toBeLessThanOrEqual(pieces.reduce((sum, { length }) => sum + length, 0));
        } catch (error) {
          expect(isS3Fault(error)).toBe(true);
        }
      }),
      { numRuns: 3000, seed: 11 },
    );
  });
});
