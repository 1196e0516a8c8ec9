// The shelf contract on real S3 calls.
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { S3Shelf } from '../../lib/drive/s3-shelf.ts';
import { hexOf } from '../../lib/foundation/ids.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { shelfContract } from '../contract/shelf.contract.ts';

for (const prefix of ['', 'shared/drive-3/'])
  shelfContract(`S3, prefix '${prefix}'`, async () => {
    const client = new S3Client({ forcePathStyle: true });
    const bucket = `pocketful-shelf-${hexOf(systemRandomness.bytes(8))}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const shelf = new S3Shelf({ client, bucket, prefix });
    return {
      shelf,
      close: async () => {
        for (const { epoch, name } of await shelf.list()) await shelf.remove(epoch, [name]);
        await client.send(new DeleteBucketCommand({ Bucket: bucket })); // refused unless everything is gone
        client.destroy();
      },
    };
  });
