// The drive contract on real S3 calls, and what only S3 does: answers of the service and of the lack of one.
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Drive } from '../../lib/drive/s3-drive.ts';
import { hexOf } from '../../lib/foundation/ids.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { driveContract } from '../contract/drive.contract.ts';

const clientOf = (endpoint = process.env['AWS_ENDPOINT_URL']): S3Client =>
  new S3Client({ forcePathStyle: true, ...(endpoint === undefined ? {} : { endpoint }) });
const newBucket = (): string => `pocketful-drive-${hexOf(systemRandomness.bytes(8))}`;
const coded = (kind: string, code: string): object => expect.objectContaining({ name: 'PocketfulError', kind, code });

for (const prefix of ['', 'shared/drive-3/'])
  driveContract(
    `S3, prefix '${prefix}'`,
    async () => {
      const client = clientOf();
      const bucket = newBucket();
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      const drive = new S3Drive({ client, bucket, prefix });
      return {
        drive,
        reopen: async () => new S3Drive({ client: clientOf(), bucket, prefix }),
        close: async () => {
          for (const ref of await drive.zones()) await drive.erase(ref);
          await client.send(new DeleteBucketCommand({ Bucket: bucket })); // refused unless everything is gone
          client.destroy();
        },
      };
    },
    { modelRuns: 10, races: 10 },
  );

describe('S3 drive', () => {
  const client = clientOf();
  const bucket = newBucket();
  const at = { zone: 1, generation: 0 };
  beforeAll(async () => {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  afterAll(async () => {
    await new S3Drive({ client, bucket }).erase(at);
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    client.destroy();
  });

  it('calls a bucket that is not there unavailable', async () => {
    const gone = new S3Drive({ client, bucket: newBucket() });
    const unavailable = coded('retry', 'DRIVE_UNAVAILABLE');
    await expect(gone.append(at, 'a', [])).rejects.toEqual(unavailable);
    await expect(gone.read(at, 'a')).rejects.toEqual(unavailable);
    await expect(gone.list(at)).rejects.toEqual(unavailable);
    await expect(gone.zones()).rejects.toEqual(unavailable);
    await expect(gone.erase(at)).rejects.toEqual(unavailable);
    await expect(gone.probe()).rejects.toEqual(unavailable);
  });

  it('ignores keys that are not of a drive', async () => {
    const drive = new S3Drive({ client, bucket });
    await drive.append(at, 'mine', [Buffer.from('x')]);
    const foreign = ['notes/readme', '1/notes/a', '1/0/UPPER', '01/0/a'];
    for (const Key of foreign) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
    expect(await drive.zones()).toEqual([at]);
    expect(await drive.list(at)).toEqual([{ name: 'mine', bytes: 1 }]);
    await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: foreign.map((Key) => ({ Key })) } }),
    );
  });
});
