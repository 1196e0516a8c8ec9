// The deployed stage behind `pocketful serve` on this host, as an S3 client sees it: the host reads and writes buckets,
// table and key itself.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { presigned } from '../gateway/signed-request.ts';
import { pocketful } from './cli.ts';

const CLI = fileURLToPath(new URL('../../bin/pocketful.mjs', import.meta.url));
const Bucket = 'photos';
const PART_BYTES = 5 * 1024 * 1024;

interface Served {
  readonly endpoint: string;
  readonly admin: string;
  readonly child: ChildProcess;
}

async function served(address: string): Promise<Served> {
  const child = spawn(
    process.execPath,
    [CLI, 'serve', '--store', address, '--json', '--port', '0', '--admin-port', '0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const said = Promise.withResolvers<Omit<Served, 'child'>>();
  createInterface({ input: child.stdout }).once('line', (line) => said.resolve(JSON.parse(line)));
  child.once('exit', (code) => said.reject(new Error(`serve ended with ${code}`)));
  return { ...(await said.promise), child };
}

export function servedTests(address: string): void {
  describe('served to S3 clients by a host', () => {
    it('takes puts, parts and copies, gives ranges and presigned reads, and shows the stage', async () => {
      const made = await pocketful('access', 'add', 'host', '--allow', 'all', '--store', address, '--json');
      const { id, secret } = JSON.parse(made.stdout.toString()) as { id: string; secret: string };
      expect(await pocketful('serve', '--with-daemon', '--store', address)).toMatchObject({ code: 2 });
      const { endpoint, admin, child } = await served(address);
      const credentials = { accessKeyId: id, secretAccessKey: secret };
      const s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
      try {
        await s3.send(new CreateBucketCommand({ Bucket }));
        const body = systemRandomness.bytes(40_000);
        await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: body, IfNoneMatch: '*' }));
        await expect(
          s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'b', IfNoneMatch: '*' })),
        ).rejects.toMatchObject({
          name: 'PreconditionFailed',
        });
        const range = await s3.send(new GetObjectCommand({ Bucket, Key: 'a', Range: 'bytes=16380-16389' }));
        expect(Buffer.from((await range.Body?.transformToByteArray()) ?? [])).toEqual(
          Buffer.from(body.subarray(16_380, 16_390)),
        );
        await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/a` }));

        const parts = [systemRandomness.bytes(PART_BYTES), systemRandomness.bytes(1000)];
        const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'large' }));
        const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
        for (const [i, Body] of parts.entries()) {
          const { ETag } = await s3.send(
            new UploadPartCommand({ Bucket, Key: 'large', UploadId, PartNumber: i + 1, Body }),
          );
          Parts.push({ PartNumber: i + 1, ETag });
        }
        await s3.send(
          new CompleteMultipartUploadCommand({ Bucket, Key: 'large', UploadId, MultipartUpload: { Parts } }),
        );
        const url = presigned(endpoint, { id, secret }, `/${Bucket}/large`, Date.now());
        expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(Buffer.concat(parts));

        const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
        expect(Contents.map(({ Key }) => Key)).toEqual(['a', 'copy', 'large']);
        await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
        // What the host wrote, the stage's function reads.
        const copy = await pocketful('cat', 'copy', '--namespace', Bucket, '--store', address);
        expect(copy.stdout).toEqual(Buffer.from(body));
        expect(await (await fetch(`${admin}/readyz`)).text()).toBe('ready\n');
        expect(await (await fetch(`${admin}/ui`)).text()).toContain(`<bdi>${address}</bdi>`);
      } finally {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        expect((await ended)[0]).toBe(130);
      }
    });
  });
}
