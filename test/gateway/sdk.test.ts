// The endpoint through AWS's SDK for JavaScript, over sockets and a real store.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { ServedStore } from './served-store.ts';

const MIB = 1024 * 1024;
const Bucket = 'photos';
const md5 = (bytes: Uint8Array | string): string => createHash('md5').update(bytes).digest('hex');

let store: ServedStore;
let s3: S3Client;

beforeAll(async () => {
  store = await ServedStore.make();
  s3 = store.s3();
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  s3.destroy();
  await store.close();
});

const put = (Key: string, Body: string | Uint8Array, rest = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...rest }));
const text = async (Key: string, rest = {}): Promise<string> =>
  (await (await s3.send(new GetObjectCommand({ Bucket, Key, ...rest }))).Body?.transformToString()) ?? '';

describe('buckets', () => {
  it('are made, listed, found, and deleted when they are empty', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'other.bucket' }));
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual(['other.bucket', 'photos']);
    await s3.send(new HeadBucketCommand({ Bucket: 'other.bucket' }));
    const first = await s3.send(new ListBucketsCommand({ MaxBuckets: 1 }));
    const second = await s3.send(new ListBucketsCommand({ MaxBuckets: 1, ContinuationToken: first.ContinuationToken }));
    expect([first, second].map((page) => (page.Buckets ?? []).map(({ Name }) => Name))).toEqual([
      ['other.bucket'],
      ['photos'],
    ]);
    expect(second.ContinuationToken).toBeUndefined();
    expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
    await s3.send(new PutObjectCommand({ Bucket: 'other.bucket', Key: 'x', Body: 'x' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'other.bucket' }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    });
    await s3.send(new DeleteObjectCommand({ Bucket: 'other.bucket', Key: 'x' }));
    await s3.send(new DeleteBucketCommand({ Bucket: 'other.bucket' }));
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'other.bucket' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });
});

describe('objects', () => {
  it('are put and read back with what they were put with', async () => {
    const rest = { ContentType: 'text/plain', CacheControl: 'no-store', Metadata: { one: 'a b', zwei: 'ü' } };
    const { ETag, ChecksumCRC32 } = await put('a/b c+d%20ü//', 'hello', rest);
    expect(ETag).toBe(`"${md5('hello')}"`);
    expect(ChecksumCRC32).toBe('NhCmhg==');
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'a/b c+d%20ü//', ChecksumMode: 'ENABLED' }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(got).toMatchObject({ ...rest, ETag, ContentLength: 5, ChecksumCRC32 });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a/b c+d%20ü//' }));
    expect(head).toMatchObject({ ...rest, ETag, ContentLength: 5 });
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('are held to a checksum of %s', async (one) => {
    const sent = await put(`sum/${one}`, 'checked', { ChecksumAlgorithm: one });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: `sum/${one}`, ChecksumMode: 'ENABLED' }));
    expect(head[`Checksum${one}`]).toBeTruthy();
    expect(head[`Checksum${one}`]).toBe(sent[`Checksum${one}`]);
  });

  it('are refused, and never seen, when they are not what a checksum says', async () => {
    const wrong = put('bad', 'hello', { ChecksumCRC32: 'AAAAAA==' });
    await expect(wrong).rejects.toMatchObject({ name: 'BadDigest' });
    const other = put('bad', 'hello', { ContentMD5: createHash('md5').update('x').digest('base64') });
    await expect(other).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(text('bad')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('are read by ranges', async () => {
    const body = new SeededRandomness(1).bytes(3 * MIB + 17);
    await put('large', body);
    for (const [Range, from, to] of [
      ['bytes=0-0', 0, 1],
      ['bytes=1000000-2000000', 1_000_000, 2_000_001],
      ['bytes=3145000-', 3_145_000, body.length],
      ['bytes=-5', body.length - 5, body.length],
    ] as const) {
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'large', Range }));
      const bytes = await got.Body?.transformToByteArray();
      expect(got.ContentRange).toBe(`bytes ${from}-${to - 1}/${body.length}`);
      expect(Buffer.compare(bytes ?? new Uint8Array(), body.subarray(from, to))).toBe(0);
      expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'large', Range }))).ContentLength).toBe(to - from);
    }
    const beyond = s3.send(new GetObjectCommand({ Bucket, Key: 'large', Range: `bytes=${body.length}-` }));
    await expect(beyond).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('are written under conditions', async () => {
    const { ETag } = await put('c', '1', { IfNoneMatch: '*' });
    await expect(put('c', '2', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(put('c', '2', { IfMatch: '"00"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(put('none', '2', { IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
    await put('c', '2', { IfMatch: ETag?.replaceAll('"', '') });
    await expect(text('c', { IfNoneMatch: `"${md5('2')}"` })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    await expect(text('c', { IfMatch: ETag })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await text('c', { IfMatch: `"${md5('2')}"` })).toBe('2');
  });

  it('of sixteen writers at once under one condition, one is written', async () => {
    const writes = Array.from({ length: 16 }, (_, i) =>
      put('lease', String(i), { IfNoneMatch: '*' }).then(
        () => i,
        () => -1,
      ),
    );
    const winners = (await Promise.all(writes)).filter((i) => i >= 0);
    expect(winners).toHaveLength(1);
    expect(await text('lease')).toBe(String(winners[0]));
  });

  it('are copied without a byte stored, with their metadata or other', async () => {
    await put('from ü', 'copied', { Metadata: { a: '1' }, ContentType: 'text/x' });
    const CopySource = `/${Bucket}/${encodeURIComponent('from ü')}`;
    const { CopyObjectResult } = await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource }));
    expect(CopyObjectResult?.ETag).toBe(`"${md5('copied')}"`);
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'to' }))).toMatchObject({
      Metadata: { a: '1' },
      ContentType: 'text/x',
    });
    const replace = { MetadataDirective: 'REPLACE', Metadata: { b: '2' } } as const;
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource, ...replace }));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'to' }));
    expect([head.Metadata, head.ContentType]).toEqual([{ b: '2' }, 'binary/octet-stream']);
    expect(await text('to')).toBe('copied');
  });

  it('are deleted, one or many, there or not', async () => {
    for (const key of ['d/1', 'd/2', 'd/3']) await put(key, key);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd/none' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd/1' }));
    const Objects = ['d/2', 'd/3', 'd/4'].map((Key) => ({ Key }));
    const { Deleted = [], Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect([Deleted.length, Errors.length]).toEqual([3, 0]);
    expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'd/' }))).KeyCount).toBe(0);
  });

  it('have tags', async () => {
    await put('tagged', 'x', { Tagging: 'a=1&b=two%20words' });
    const tags = async () => (await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet;
    expect(await tags()).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: 'two words' },
    ]);
    await s3.send(
      new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet: [{ Key: 'c', Value: '3' }] } }),
    );
    expect(await tags()).toEqual([{ Key: 'c', Value: '3' }]);
    expect(await text('tagged')).toBe('x');
  });
});

describe('listings', () => {
  const keys = ['a', 'b/1', 'b/2', 'b/c/3', 'c', 'd/1', 'd/2', 'e ü+&<', 'f'];

  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'listed' }));
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket: 'listed', Key, Body: 'x' }));
  });

  it.each([1, 2, 3, 1000])('page by page of %i, by delimiter, each name once', async (MaxKeys) => {
    const names: string[] = [];
    let token: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: 'listed', Delimiter: '/', MaxKeys, ContinuationToken: token }),
      );
      const found = [
        ...(page.Contents ?? []).map(({ Key = '' }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix),
      ];
      expect(page.KeyCount).toBe(found.length);
      expect(found.length).toBeLessThanOrEqual(MaxKeys);
      expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
      names.push(...found.sort());
      token = page.NextContinuationToken;
    } while (token !== undefined);
    expect(names.sort()).toEqual(['a', 'b/', 'c', 'd/', 'e ü+&<', 'f']);
  });

  it.each([1, 2, 1000])('V1 page by page of %i', async (MaxKeys) => {
    const names: string[] = [];
    let Marker: string | undefined;
    for (;;) {
      const page = await s3.send(new ListObjectsCommand({ Bucket: 'listed', Delimiter: '/', MaxKeys, Marker }));
      names.push(
        ...(page.Contents ?? []).map(({ Key = '' }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix),
      );
      if (!page.IsTruncated) break;
      Marker = page.NextMarker;
    }
    expect(names.sort()).toEqual(['a', 'b/', 'c', 'd/', 'e ü+&<', 'f']);
  });

  it('begin behind a name, and may be of none', async () => {
    const after = await s3.send(new ListObjectsV2Command({ Bucket: 'listed', StartAfter: 'c' }));
    expect((after.Contents ?? []).map(({ Key }) => Key)).toEqual(keys.slice(5));
    const none = await s3.send(new ListObjectsV2Command({ Bucket: 'listed', MaxKeys: 0 }));
    expect([none.KeyCount, none.IsTruncated]).toEqual([0, false]);
    const bad = s3.send(new ListObjectsV2Command({ Bucket: 'listed', ContinuationToken: 'none' }));
    await expect(bad).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});

describe('uploads in parts', () => {
  const begin = async (Key: string, rest = {}) => {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...rest }));
    return { Bucket, Key, UploadId };
  };

  it('become one object, which is read whole and by parts; Complete twice is answered the same', async () => {
    const random = new SeededRandomness(2);
    const bodies = [random.bytes(5 * MIB + 3), random.bytes(5 * MIB + 3), random.bytes(1000)];
    const upload = await begin('multi', { ContentType: 'video/x', Metadata: { m: 'p' }, ChecksumAlgorithm: 'CRC32' });
    const Parts: { PartNumber: number; ETag: string | undefined; ChecksumCRC32: string | undefined }[] = [];
    for (const [i, Body] of bodies.entries()) {
      await s3.send(new UploadPartCommand({ ...upload, PartNumber: i + 1, Body: 'x', ChecksumAlgorithm: 'CRC32' }));
      const sent = await s3.send(
        new UploadPartCommand({ ...upload, PartNumber: i + 1, Body, ChecksumAlgorithm: 'CRC32' }),
      );
      Parts.push({ PartNumber: i + 1, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 });
    }
    const listed = await s3.send(new ListPartsCommand(upload));
    expect((listed.Parts ?? []).map(({ Size, ETag }) => [Size, ETag])).toEqual(
      bodies.map((body, i) => [body.length, Parts[i]?.ETag]),
    );
    const sums = Buffer.concat(Parts.map(({ ChecksumCRC32 = '' }) => Buffer.from(ChecksumCRC32, 'base64')));
    const whole = Buffer.alloc(4);
    whole.writeUInt32BE(crc32(sums));
    const wrong = { ...upload, MultipartUpload: { Parts }, ChecksumCRC32: 'AAAAAA==' };
    await expect(s3.send(new CompleteMultipartUploadCommand(wrong))).rejects.toMatchObject({ name: 'BadDigest' });
    const complete = new CompleteMultipartUploadCommand({ ...wrong, ChecksumCRC32: whole.toString('base64') });
    const first = await s3.send(complete);
    expect(first.ChecksumCRC32).toBe(`${whole.toString('base64')}-3`);
    const again = await s3.send(complete);
    const etag = `"${md5(Buffer.concat(bodies.map((body) => createHash('md5').update(body).digest())))}-3"`;
    expect([first.ETag, again.ETag]).toEqual([etag, etag]);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'multi' }));
    expect(got).toMatchObject({ ETag: etag, ContentType: 'video/x', Metadata: { m: 'p' } });
    expect(Buffer.compare((await got.Body?.transformToByteArray()) ?? new Uint8Array(), Buffer.concat(bodies))).toBe(0);
    const second = await s3.send(new GetObjectCommand({ Bucket, Key: 'multi', PartNumber: 2 }));
    expect(second.PartsCount).toBe(3);
    expect(
      Buffer.compare((await second.Body?.transformToByteArray()) ?? new Uint8Array(), bodies[1] as Uint8Array),
    ).toBe(0);
    const attributes = await s3.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: 'multi',
        ObjectAttributes: ['ObjectSize', 'ObjectParts', 'Checksum'],
      }),
    );
    expect(attributes).toMatchObject({
      ObjectSize: 10 * MIB + 1006,
      ObjectParts: {
        TotalPartsCount: 3,
        IsTruncated: false,
        Parts: bodies.map(({ length }, i) => ({ PartNumber: i + 1, Size: length })),
      },
      Checksum: { ChecksumType: 'COMPOSITE' },
    });
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
    for await (const _ of store.open.objects.listAll('+parts')) expect.unreachable('a part is left');
  });

  it('take bytes of other objects as parts', async () => {
    const body = new SeededRandomness(3).bytes(6 * MIB);
    await put('source', body);
    const upload = await begin('copied');
    const copy = { ...upload, CopySource: `${Bucket}/source`, PartNumber: 1, CopySourceRange: 'bytes=7-5242999' };
    const { CopyPartResult } = await s3.send(new UploadPartCopyCommand(copy));
    const last = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'end' }));
    const Parts = [
      { PartNumber: 1, ETag: CopyPartResult?.ETag },
      { PartNumber: 2, ETag: last.ETag },
    ];
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'copied' }));
    const whole = Buffer.concat([body.subarray(7, 5_243_000), Buffer.from('end')]);
    expect(Buffer.compare((await got.Body?.transformToByteArray()) ?? new Uint8Array(), whole)).toBe(0);
  });

  it('are refused when parts are missing, out of order, too small, or the upload is gone', async () => {
    const upload = await begin('refused');
    const one = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'small' }));
    const two = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'small' }));
    const complete = (Parts: { PartNumber: number; ETag: string | undefined }[]) =>
      s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    const [a, b] = [
      { PartNumber: 1, ETag: one.ETag },
      { PartNumber: 2, ETag: two.ETag },
    ];
    await expect(complete([b, a])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete([a, b])).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await expect(complete([a, { PartNumber: 3, ETag: one.ETag }])).rejects.toMatchObject({ name: 'InvalidPart' });
    await expect(complete([{ PartNumber: 1, ETag: `"${md5('x')}"` }])).rejects.toMatchObject({ name: 'InvalidPart' });
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toHaveLength(1);
    await s3.send(new AbortMultipartUploadCommand(upload));
    await expect(complete([a])).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'x' }))).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
  });
});

it('had no fault that nobody expected', () => expect(store.internal).toEqual([]));
