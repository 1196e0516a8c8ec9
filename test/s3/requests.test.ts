// What a request asks for: its bucket and key, operation, range, conditions, attributes and pages.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isS3Fault } from '../../lib/s3/fault.ts';
import {
  attributeHeaders,
  attributesFrom,
  attributesOf,
  attributesText,
  overridesIn,
} from '../../lib/s3/request/attributes.ts';
import { checkCopySource, checkRead, writeRace, writeVersion } from '../../lib/s3/request/conditions.ts';
import { fromToken, limitOf, tokenOf } from '../../lib/s3/request/listing.ts';
import { operationOf } from '../../lib/s3/request/operation.ts';
import { copySpanOf, spanOf } from '../../lib/s3/request/range.ts';
import { copySourceOf, targetOf } from '../../lib/s3/request/target.ts';

const refused = (code: string) => expect.objectContaining({ code });
const map = (entries: Record<string, string> = {}) => new Map(Object.entries(entries));

describe('the target of a request', () => {
  it.each([
    ['/', 'h', undefined, undefined],
    ['/photos', 'h', 'photos', undefined],
    ['/photos/', 'h', 'photos', undefined],
    ['/photos//a', 'h', 'photos', '/a'],
    ['/photos/a%2Fb%20c+d%25', 'h:9000', 'photos', 'a/b c+d%'],
    ['/photos/..', 'h', 'photos', '..'],
    ['/a/b', 'photos.example.com:9000', 'photos', 'a/b'],
    ['/', 'my.photos.Example.com', 'my.photos', undefined],
    ['/photos/a', 'example.com', 'photos', 'a'],
  ])('%s at %s', (path, host, bucket, key) => {
    expect(targetOf(path, host, ['example.com'])).toEqual({ bucket, key });
  });

  it.each([
    ['/ab', 'InvalidBucketName'],
    ['/+access/x', 'InvalidBucketName'],
    ['/Photos', 'InvalidBucketName'],
    ['/a..b', 'InvalidBucketName'],
    ['/192.168.0.1/x', 'InvalidBucketName'],
    ['/photos/%ff', 'InvalidURI'],
    ['/photos/%', 'InvalidURI'],
    ['/photos/%00', 'InvalidURI'],
    [`/photos/${'x'.repeat(1025)}`, 'KeyTooLongError'],
  ])('%s is refused as %s', (path, code) => {
    expect(() => targetOf(path, 'h')).toThrow(refused(code));
  });

  it('of a copy is decoded, with or without a slash before it', () => {
    for (const text of ['photos/a%20b%2Fc', '/photos/a%20b/c', 'photos/a%20b/c?versionId=null'])
      expect(copySourceOf(text)).toEqual({ bucket: 'photos', key: 'a b/c' });
    expect(() => copySourceOf('photos/a?versionId=1')).toThrow(refused('NoSuchVersion'));
    for (const text of ['', 'photos', '/photos/', '/'])
      expect(() => copySourceOf(text)).toThrow(refused('InvalidArgument'));
    expect(() => copySourceOf('+access/PFX')).toThrow(refused('InvalidBucketName'));
  });
});

describe('the operation', () => {
  const of = (method: string, query: Record<string, string>, key?: string, headers = {}) =>
    operationOf(method, { bucket: 'photos', key }, map(query), map(headers));

  it.each([
    ['GET', { 'list-type': '2' }, undefined, 'ListObjectsV2'],
    ['GET', { prefix: 'x' }, undefined, 'ListObjects'],
    ['POST', { delete: '' }, undefined, 'DeleteObjects'],
    ['PUT', { partNumber: '1', uploadId: 'x' }, 'k', 'UploadPart'],
    ['POST', { uploads: '' }, 'k', 'CreateMultipartUpload'],
    ['POST', { uploadId: 'x' }, 'k', 'CompleteMultipartUpload'],
    ['GET', { partNumber: '1' }, 'k', 'GetObject'],
    ['GET', { 'x-id': 'GetObject', versionId: 'null' }, 'k', 'GetObject'],
  ])('of %s %j on key %s is %s', (method, query, key, operation) => {
    expect(of(method, query as unknown as Record<string, string>, key)).toBe(operation);
  });

  it('of a copy is told by its header', () => {
    expect(of('PUT', {}, 'k', { 'x-amz-copy-source': 'a/b' })).toBe('CopyObject');
    expect(of('PUT', { partNumber: '1', uploadId: 'x' }, 'k', { 'x-amz-copy-source': 'a/b' })).toBe('UploadPartCopy');
  });

  it.each([
    ['GET', { policy: '' }, undefined, 'NoSuchBucketPolicy'],
    ['PUT', { policy: '' }, undefined, 'NotImplemented'],
    ['PUT', { versioning: '' }, undefined, 'NotImplemented'],
    ['GET', { lifecycle: '' }, undefined, 'NoSuchLifecycleConfiguration'],
    ['PUT', { retention: '' }, 'k', 'NotImplemented'],
    ['PUT', { acl: '' }, 'k', 'NotImplemented'],
    ['GET', { versionId: 'other' }, 'k', 'NoSuchVersion'],
    ['PATCH', {}, 'k', 'MethodNotAllowed'],
    ['POST', {}, 'k', 'MethodNotAllowed'],
  ])('of %s %j on key %s is refused as %s', (method, query, key, code) => {
    expect(() => of(method, query as unknown as Record<string, string>, key)).toThrow(refused(code));
  });

  it.each([
    'x-amz-server-side-encryption-customer-algorithm',
    'x-amz-object-lock-mode',
    'x-amz-grant-read',
    'x-amz-copy-source-server-side-encryption-customer-key',
  ])('with %s is refused, not done without it', (header) =>
    expect(() => of('PUT', {}, 'k', { [header]: 'x' })).toThrow(refused('NotImplemented')),
  );
});

describe('a range', () => {
  it.each([
    ['bytes=0-0', { offset: 0, length: 1 }],
    ['bytes=3-', { offset: 3, length: 7 }],
    ['bytes=-3', { offset: 7, length: 3 }],
    ['bytes=-30', { offset: 0, length: 10 }],
    ['bytes=0-100', { offset: 0, length: 10 }],
    ['bytes=5-3', undefined],
    ['bytes=0-1,3-4', undefined],
    ['lines=0-1', undefined],
    ['bytes=-', undefined],
    [undefined, undefined],
  ])('%s of ten bytes', (header, span) => {
    expect(spanOf(header, 10)).toEqual(span);
  });

  it.each([
    ['bytes=10-', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
  ] as const)('%s of %i bytes is not there', (header, size) => {
    expect(() => spanOf(header, size)).toThrow(refused('InvalidRange'));
  });

  it('of a copy has both ends, within the source', () => {
    expect(copySpanOf('bytes=2-4', 5)).toEqual({ offset: 2, length: 3 });
    for (const text of ['bytes=2-', 'bytes=-2', 'bytes=4-2', '0-1'])
      expect(() => copySpanOf(text, 5)).toThrow(refused('InvalidArgument'));
    expect(() => copySpanOf('bytes=0-5', 5)).toThrow(refused('InvalidRange'));
  });
});

describe('conditions', () => {
  const present = { etag: 'abc', version: 'v', createdAtMs: Date.UTC(2026, 0, 1, 0, 0, 5, 700) };
  const [before, same] = ['Thu, 01 Jan 2026 00:00:04 GMT', 'Thu, 01 Jan 2026 00:00:05 GMT'];

  it('on a read hold as RFC 9110 has it', () => {
    for (const ok of [
      { 'if-match': '"abc"' },
      { 'if-match': 'abc' },
      { 'if-match': '"x", "abc"' },
      { 'if-match': '*' },
      { 'if-none-match': '"x"' },
      { 'if-unmodified-since': same },
      { 'if-modified-since': before },
      { 'if-match': '"abc"', 'if-unmodified-since': before },
      { 'if-none-match': '"x"', 'if-modified-since': same },
    ])
      expect(() => checkRead(map(ok as unknown as Record<string, string>), present)).not.toThrow();
    for (const failed of [{ 'if-match': '"x"' }, { 'if-unmodified-since': before }])
      expect(() => checkRead(map(failed as unknown as Record<string, string>), present)).toThrow(
        refused('PreconditionFailed'),
      );
    for (const unchanged of [
      { 'if-none-match': 'abc' },
      { 'if-none-match': '*' },
      { 'if-none-match': 'W/"abc"' },
      { 'if-modified-since': same },
    ])
      expect(() => checkRead(map(unchanged as unknown as Record<string, string>), present)).toThrow(
        refused('NotModified'),
      );
    expect(() => checkCopySource(map({ 'x-amz-copy-source-if-none-match': 'abc' }), present)).toThrow(
      refused('PreconditionFailed'),
    );
    expect(() => checkCopySource(map({ 'if-none-match': 'abc' }), present)).not.toThrow();
  });

  it('on a write say at which version it must be', () => {
    expect(writeVersion(map(), present)).toBeUndefined();
    expect(writeVersion(map({ 'if-none-match': '*' }), undefined)).toBe('absent');
    expect(writeVersion(map({ 'if-match': '"abc"' }), present)).toBe('v');
    expect(() => writeVersion(map({ 'if-none-match': '*' }), present)).toThrow(refused('PreconditionFailed'));
    expect(() => writeVersion(map({ 'if-match': '"x"' }), present)).toThrow(refused('PreconditionFailed'));
    expect(() => writeVersion(map({ 'if-match': '"abc"' }), undefined)).toThrow(refused('NoSuchKey'));
    expect(() => writeVersion(map({ 'if-none-match': '"abc"' }), present)).toThrow(refused('NotImplemented'));
    expect(writeRace(map({ 'if-none-match': '*' })).status).toBe(412);
    expect(writeRace(map({ 'if-match': '"abc"' })).status).toBe(409);
  });
});

describe('attributes', () => {
  it('are kept and given back', () => {
    const headers = map({
      'content-type': 'text/x',
      'content-encoding': 'aws-chunked,gzip',
      'cache-control': 'no-store',
      'x-amz-meta-a': 'ü',
      'x-amz-tagging': 'k=v%20w&l=',
    });
    const attributes = attributesFrom(attributesText(attributesOf(headers)));
    expect(attributes).toEqual({
      t: 'text/x',
      h: { 'cache-control': 'no-store', 'content-encoding': 'gzip' },
      m: { a: 'ü' },
      g: { k: 'v w', l: '' },
    });
    expect(attributeHeaders(attributes)).toEqual({
      'content-type': 'text/x',
      'cache-control': 'no-store',
      'content-encoding': 'gzip',
      'x-amz-meta-a': 'ü',
      'x-amz-tagging-count': '2',
    });
    expect(attributesOf(map({ 'content-encoding': 'aws-chunked' }))).toEqual({});
    expect(attributeHeaders({})).toEqual({ 'content-type': 'binary/octet-stream' });
  });

  it('are bounded', () => {
    expect(() => attributesOf(map({ 'x-amz-meta-a': 'x'.repeat(2048) }))).toThrow(refused('MetadataTooLarge'));
    expect(() =>
      attributesOf(map({ 'x-amz-tagging': Array.from({ length: 11 }, (_, i) => `k${i}=v`).join('&') })),
    ).toThrow(refused('InvalidTag'));
    expect(() => attributesOf(map({ 'x-amz-tagging': 'a=1&a=2' }))).toThrow(refused('InvalidTag'));
  });

  it('of an answer hold no line of their own', () => {
    expect(overridesIn(map({ 'response-content-type': 'text/y' }))).toEqual({ 'content-type': 'text/y' });
    for (const value of ['a\r\nset-cookie: b', 'a\nb', 'a\0'])
      expect(() => overridesIn(map({ 'response-expires': value }))).toThrow(refused('InvalidArgument'));
  });
});

describe('pages', () => {
  it('lead on by tokens, and by nothing else', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
        (from) => fromToken(tokenOf(from)) === from,
      ),
      { seed: 1 },
    );
    fc.assert(
      fc.property(fc.string(), (token) => {
        try {
          return tokenOf(fromToken(token)) === token;
        } catch (error) {
          return isS3Fault(error);
        }
      }),
      { seed: 2 },
    );
    expect(() => fromToken('')).toThrow(refused('InvalidArgument'));
  });

  it('have at most a thousand names', () => {
    expect([limitOf(map()), limitOf(map({ 'max-keys': '0' })), limitOf(map({ 'max-keys': '2147483647' }))]).toEqual([
      1000, 0, 1000,
    ]);
    for (const text of ['-1', 'x', '1.5', '2147483648'])
      expect(() => limitOf(map({ 'max-keys': text }))).toThrow(refused('InvalidArgument'));
  });
});
