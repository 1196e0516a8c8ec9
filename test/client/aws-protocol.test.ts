// The wire format to the frontend: what is refused, that the largest allowed bodies fit Lambda's payload, and that errors
// arrive as they were thrown.
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../lib/foundation/assert.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import { BODY_BYTES_MAX, PAYLOAD_BYTES_MAX } from '../../lib/limits/stage.ts';
import { parseRequest, resultOf, toBase64, toWire } from '../../lib/service/protocol.ts';

const object = { key: 'a', body: toBase64(Buffer.from('x')) };
const put = { op: 'put', namespace: 'default', objects: [object] };
const putOf = (...objects: object[]) => ({ ...put, objects });

describe('parseRequest', () => {
  it('takes what is well-formed', () => {
    expect(parseRequest(put)).toEqual(put);
    expect(parseRequest({ op: 'list', namespace: 'default' })).toEqual({ op: 'list', namespace: 'default' });
  });

  it.each([
    ['null', null, /request/],
    ['an unknown operation', { ...put, op: 'steal' }, /op/],
    ['an unknown field', { ...put, colour: 'red' }, /colour/],
    ['a body that is not base64', putOf({ ...object, body: '***' }), /objects\.0\.body/],
    ['a body that is too long', putOf({ ...object, body: 'A'.repeat(Math.ceil(BODY_BYTES_MAX / 3) * 4 + 4) }), /body/],
    ['an empty batch', putOf(), /objects/],
    ['a malformed batch', putOf({ key: 'a' }), /objects\.0\.body/],
    ['a negative range', { op: 'get', namespace: 'd', key: 'a', range: { offset: -1, length: 1 } }, /range\.offset/],
    ['a page that is too long', { op: 'list', namespace: 'default', limit: 1001 }, /limit/],
  ])('refuses %s', (_, request, message) => {
    expect(() => parseRequest(request)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'REQUEST_INVALID' }));
    expect(() => parseRequest(request)).toThrow(message);
  });

  it('lets the longest body into one payload, with name and metadata', () => {
    const body = toBase64(new Uint8Array(BODY_BYTES_MAX));
    const request = putOf({ key: '\u0001'.repeat(1024), body, metadata: '"'.repeat(2048) });
    expect(Buffer.byteLength(JSON.stringify(parseRequest(request)))).toBeLessThan(PAYLOAD_BYTES_MAX);
  });
});

describe('resultOf', () => {
  it('throws the error an answer carries', () => {
    const error = retryLater('DRIVES_MISSING', 'wait for drives');
    const answer = JSON.parse(JSON.stringify({ error: toWire(error) }));
    expect(() => resultOf('head', answer)).toThrow(
      expect.objectContaining({ kind: 'retry', code: 'DRIVES_MISSING', message: 'wait for drives' }),
    );
  });

  it('does not take an answer of another shape for a result', () => {
    expect(() => resultOf('head', { deleted: true })).toThrow(
      expect.objectContaining({ kind: 'unknown', code: 'ANSWER_MALFORMED' }),
    );
  });
});

describe('toWire', () => {
  it('does not turn a fault of ours into an answer', () => {
    const fault = new AssertionError('broken');
    expect(() => toWire(fault)).toThrow(fault);
  });
});
