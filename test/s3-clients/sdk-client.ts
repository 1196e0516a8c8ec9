// AWS's SDK for JavaScript against the endpoint; over https its streams come in unsigned chunks with a trailer.
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

const [scheme = 'http'] = process.argv.slice(2);
const Bucket = `sdk-${scheme}`;
const s3 = new S3Client({ endpoint: process.env['endpoint'] as string, forcePathStyle: true, maxAttempts: 1 });
await s3.send(new CreateBucketCommand({ Bucket }));
for (const bytes of [0, 1, 65_536, 65_537, 5_000_000]) {
  const body = randomBytes(bytes);
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    const Key = `${bytes}/${ChecksumAlgorithm}`;
    const Body = scheme === 'https' ? Readable.from(bytes === 0 ? [] : [body]) : body;
    await s3.send(
      new PutObjectCommand({ Bucket, Key, Body, ContentLength: bytes, ChecksumAlgorithm, ContentEncoding: 'x' }),
    );
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    const read = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    if (Buffer.compare(read, body) !== 0) throw new Error(`${Key} reads otherwise`);
    const { ETag, ContentEncoding, ...head } = await s3.send(
      new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }),
    );
    if (ETag !== `"${createHash('md5').update(body).digest('hex')}"`) throw new Error(`${Key} has ETag ${ETag}`);
    if (ContentEncoding !== 'x') throw new Error(`${Key} has encoding ${ContentEncoding}`);
    if (head[`Checksum${ChecksumAlgorithm}`] === undefined) throw new Error(`${Key} has no checksum`);
  }
}
s3.destroy();
