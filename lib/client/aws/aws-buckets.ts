// The buckets of a deployed stage for a restore onto this machine, and its keys as long as KMS unwraps them.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Drive } from '../../drive/s3-drive.ts';
import { S3Shelf } from '../../drive/s3-shelf.ts';
import type { StageSource } from '../../engine/journal/restore-from-stage.ts';
import { assert } from '../../foundation/assert.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { KeyRingEntry } from '../../keys/key-ring.ts';
import { KmsKekStore } from '../../keys/kms-kek-store.ts';
import { findStage } from './aws-stage.ts';

export interface OpenedBuckets extends StageSource {
  close(): void;
}

/** Throws `missing` STAGE_MISSING, `denied` AWS_DENIED. Nothing of the table is read. */
export async function openStageBuckets(stage: string, clock: Clock): Promise<OpenedBuckets> {
  const cloudFormation = new CloudFormationClient({});
  const { drives, key } = await findStage(cloudFormation, stage).finally(() => cloudFormation.destroy());
  const client = new S3Client({});
  const kms = new KMSClient({});
  return {
    buckets: drives.split(',').map((bucket) => ({
      drive: new S3Drive({ client, bucket }),
      shelf: new S3Shelf({ client, bucket }),
    })),
    async unwrap(storeId, keks) {
      const rows = { load: async () => keks, save: () => assert(false, 'a restore changes no keys') };
      const store = new KmsKekStore({ client: kms, keyId: key, storeId, rows: rows as never, clock });
      const ring: KeyRingEntry<Uint8Array>[] = [];
      for (const { material, ...entry } of keks.keks)
        ring.push(material === undefined ? entry : { ...entry, material: await store.kek(entry.version) });
      return ring;
    },
    close() {
      client.destroy();
      kms.destroy();
    },
  };
}
