// `aws:STAGE`: a deployed stage behind the face of a store.

import type { PocketfulStore } from '../face.ts';
import { AwsClient, type AwsClientOptions } from './aws-client.ts';

/** Throws `missing` STAGE_MISSING if the stage is not deployed here, `denied` AWS_DENIED without credentials. */
export function openStageClient(options: AwsClientOptions): Promise<PocketfulStore> {
  return AwsClient.open(options);
}
