// Requests of nonsense that are signed as they should be: each is answered within a moment, and never by a fault of the server.
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { RawAnswer, RawCall } from './signed-request.ts';

const word = fc.constantFrom(
  'photos',
  'a',
  '%',
  '%00',
  '%ff',
  '..',
  '/',
  '//',
  '+',
  '?',
  '&',
  '=',
  'uploads',
  'uploadId=x',
  'partNumber=1',
  'partNumber=x',
  'list-type=2',
  'max-keys=x',
  'max-keys=0',
  'continuation-token=x',
  'delete',
  'tagging',
  'acl',
  'versionId=x',
  'x'.repeat(1100),
  'encoding-type=x',
  'prefix=%ff',
  'delimiter=%00',
  'policy',
  'attributes',
);
const header = fc.constantFrom(
  ['range', 'bytes=9-1'],
  ['range', 'bytes=99999999999999999999-'],
  ['if-match', '*'],
  ['if-none-match', 'x'],
  ['content-md5', 'x'],
  ['x-amz-checksum-crc32', 'x'],
  ['x-amz-copy-source', '%%'],
  ['x-amz-copy-source', 'photos/none'],
  ['x-amz-tagging', '&&='],
  ['x-amz-trailer', 'x'],
  ['x-amz-decoded-content-length', '-1'],
  ['x-amz-meta-a', '\u00ff'],
  ['x-amz-metadata-directive', 'x'],
  ['x-amz-sdk-checksum-algorithm', 'x'],
  ['x-amz-checksum-algorithm', 'MD5'],
  ['x-amz-acl', 'public-read'],
  ['content-type', ''],
  ['x-amz-object-attributes', ','],
);
const noise = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'),
  target: fc.array(word, { maxLength: 6 }).map((words) => `/${words.join('')}`),
  headers: fc.array(header, { maxLength: 3 }).map((some) => Object.fromEntries(some)),
  body: fc.oneof(
    fc.constantFrom('', '<Delete/>', '<CompleteMultipartUpload>', '5\r\nhello\r\n0\r\n\r\n', '<!DOCTYPE a>'),
    fc.string({ maxLength: 60 }),
  ),
  payloadHash: fc.constantFrom(
    undefined,
    undefined,
    'UNSIGNED-PAYLOAD',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x',
  ),
});

export const expectAnswered = (
  call: (one: RawCall) => Promise<RawAnswer>,
  parameters: { readonly numRuns: number; readonly seed: number },
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(noise, async ({ payloadHash, ...one }) => {
      const raw: RawCall = payloadHash === undefined ? one : { ...one, payloadHash };
      const startedMs = performance.now();
      const { status } = await call(raw);
      expect(status < 500 || status === 501, `${status} to ${JSON.stringify(raw)}`).toBe(true);
      expect(performance.now() - startedMs).toBeLessThan(2000);
    }),
    parameters,
  );
