// Servers that take a connection and never answer: every client of AWS gives up in time, and says what to do next.

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newS3Client, S3Drive } from '../../lib/drive/s3-drive.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { DYNAMO_WITHIN, KMS_WITHIN, S3_WITHIN, SQS_WITHIN } from '../../lib/limits/aws.ts';
import { DynamoPanda, newDynamoClient } from '../../lib/panda/dynamo-panda.ts';
import { newSqsClient, SqsStream } from '../../lib/stream/sqs-stream.ts';

const open = new Set<Socket>();
let server: Server;
let endpoint = '';
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
/** As in the product, only much shorter. */
const soon = { connectionTimeout: 50, requestTimeout: 50, throwOnRequestTimeout: true };
const hole = () => ({ region: 'us-east-1', endpoint, credentials, requestHandler: soon, maxAttempts: 1 });

beforeAll(async () => {
  server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  for (const socket of open) socket.destroy();
  server.close();
});

describe('a black hole', () => {
  it('ends a read of a row as "try again", and a write as "not known"', async () => {
    const client = newDynamoClient(hole());
    const panda = new DynamoPanda({ client, table: 't', clock: systemClock, randomness: new SeededRandomness(1) });
    await expect(panda.get({ partition: 'p', sort: 's' })).rejects.toMatchObject({ kind: 'retry' });
    const put = panda.transact([{ kind: 'put', partition: 'p', sort: 's', attributes: { v: 1 } }]);
    await expect(put).rejects.toMatchObject({ kind: 'unknown', code: 'PANDA_UNKNOWN' });
    await panda.close();
  }, 60_000);

  it('ends calls of a drive and of a queue as "try again"', async () => {
    const s3 = newS3Client({ ...hole(), forcePathStyle: true });
    const drive = new S3Drive({ client: s3, bucket: 'b' });
    await expect(drive.read({ zone: 1, generation: 1 }, 'x')).rejects.toMatchObject({ kind: 'retry' });
    await expect(drive.append({ zone: 1, generation: 1 }, 'x', [new Uint8Array(9)])).rejects.toMatchObject({
      kind: 'retry',
    });
    s3.destroy();
    const urls = { queueUrl: `${endpoint}/q`, dlqUrl: `${endpoint}/d` };
    const stream = new SqsStream({ client: newSqsClient(hole()), ...urls, clock: systemClock });
    await expect(stream.receive(1, 1000)).rejects.toMatchObject({ kind: 'retry' });
    await stream.close();
  }, 60_000);
});

it('no client waits for ever by default', async () => {
  const made = { region: 'us-east-1', endpoint, credentials };
  const clients = [
    [newDynamoClient(made), DYNAMO_WITHIN],
    [newS3Client(made), S3_WITHIN],
    [newSqsClient(made), SQS_WITHIN],
    [new KMSClient({ ...made, requestHandler: KMS_WITHIN }), KMS_WITHIN],
  ] as const;
  for (const [client, bounds] of clients) {
    // Its settings are read when it sends something first.
    await client.config.requestHandler.handle({} as never).catch(() => {});
    const handler = client.config.requestHandler as { httpHandlerConfigs?: () => unknown };
    expect(handler.httpHandlerConfigs?.()).toMatchObject(bounds);
    client.destroy();
  }
});
