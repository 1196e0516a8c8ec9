// The stream contract on real SQS calls, and what only SQS does: bodies it does not take, a queue that is not there.
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, it } from 'vitest';
import { present } from '../../lib/foundation/assert.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { hexOf } from '../../lib/foundation/ids.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { newSqsClient, SqsStream } from '../../lib/stream/sqs-stream.ts';
import { streamContract } from '../contract/stream.contract.ts';

// Named outright: without it these tests would make queues in somebody's account.
const endpoint = present(process.env['AWS_ENDPOINT_URL'], 'AWS_ENDPOINT_URL is not set');
const client = newSqsClient({ endpoint });
const queues: string[] = [];
const RECEIVES = 3;

async function newQueue(attributes: Record<string, string> = {}): Promise<string> {
  const name = `pocketful-stream-${hexOf(systemRandomness.bytes(8))}`;
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  queues.push(QueueUrl);
  return QueueUrl;
}

async function newStream(): Promise<SqsStream> {
  const dlqUrl = await newQueue();
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: dlqUrl, AttributeNames: ['QueueArn'] }),
  );
  const policy = JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: RECEIVES });
  const queueUrl = await newQueue({ RedrivePolicy: policy });
  return new SqsStream({ client: newSqsClient({ endpoint }), queueUrl, dlqUrl, clock: systemClock });
}

afterAll(async () => {
  for (const QueueUrl of queues) await client.send(new DeleteQueueCommand({ QueueUrl }));
  client.destroy();
});

streamContract('SQS', async () => ({
  stream: await newStream(),
  // SQS counts in whole seconds.
  clock: { advance: (ms) => systemClock.sleep(ms + 300) },
  knowsOldReceipts: false,
  toleranceMs: 5_000,
}));

describe('SQS stream', () => {
  it('sends more than a batch takes, by number and by bytes', async () => {
    const stream = await newStream();
    const sent = Array.from({ length: 23 }, (_, i) => `${i} ${'x'.repeat(30_000)}`);
    await stream.send(sent);
    const got = await stream.receive(100, 60_000);
    expect(got.map(({ body }) => body).sort()).toEqual([...sent].sort());
    await stream.ack(got.map(({ receipt }) => receipt));
    expect(await stream.figures()).toEqual({ ready: 0, inFlight: 0, oldestAgeMs: 0, dead: 0 });
    await stream.close();
  });

  it('redrives all dead letters', async () => {
    const stream = await newStream();
    await stream.send(Array.from({ length: 12 }, (_, i) => `poison ${i}`));
    for (let i = 0; i <= RECEIVES; i++) {
      const got = await stream.receive(20, 60_000);
      await stream.release(got.map(({ receipt }) => receipt));
    }
    expect(await stream.figures()).toMatchObject({ ready: 0, dead: 12 });
    expect(await stream.redrive()).toBe(12);
    expect(await stream.figures()).toMatchObject({ ready: 12, dead: 0 });
    await stream.close();
  });

  it('says that a queue is not there', async () => {
    const gone = new SqsStream({
      client: newSqsClient({ endpoint }),
      queueUrl: `${endpoint}/000000000000/pocketful-nowhere`,
      dlqUrl: `${endpoint}/000000000000/pocketful-nowhere-either`,
      clock: systemClock,
    });
    const missing = expect.objectContaining({ kind: 'missing', code: 'STREAM_MISSING' });
    await expect(gone.send(['a'])).rejects.toEqual(missing);
    await expect(gone.receive(1, 1000)).rejects.toEqual(missing);
    await expect(gone.figures()).rejects.toEqual(missing);
    await gone.close();
  });
});
