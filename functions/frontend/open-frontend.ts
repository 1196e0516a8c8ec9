// The frontend's store, opened once; puts that see little room call the stage's encoder. A file of its own, as no other
// function calls one.
import { Logger } from '@aws-lambda-powertools/logger';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { encoderCall } from '../../lib/client/aws/aws-encoder.ts';
import { newS3Client } from '../../lib/drive/s3-drive.ts';
import { S3Shelf } from '../../lib/drive/s3-shelf.ts';
import { newFunctionOwner, storeOf } from '../../lib/engine/wire/deployed.ts';
import { stageOf } from '../../lib/engine/wire/stage-environment.ts';
import { LAMBDA_EVENT_WITHIN } from '../../lib/limits/aws.ts';
import { FrontendService } from '../../lib/service/service.ts';
import { beginEvent, deployed, once } from '../deployment.ts';

const onUncalled = (error: Error): void => new Logger().warn('the encoder could not be called', error);

const frontend = once(async () => {
  const opened = await deployed();
  const { encoder, staging, account } = stageOf(process.env);
  const call = encoder && encoderCall(new LambdaClient({ requestHandler: LAMBDA_EVENT_WITHIN }), encoder, onUncalled);
  const shelf = staging && new S3Shelf({ client: newS3Client(), bucket: staging, account, folder: 'staged' });
  const store = storeOf(opened, newFunctionOwner(opened.randomness));
  return new FrontendService(store, call || undefined, shelf || undefined);
});

/** For a request that has so much time. */
export function openFrontend(remainingMs: number): Promise<FrontendService> {
  beginEvent(remainingMs);
  return frontend();
}
