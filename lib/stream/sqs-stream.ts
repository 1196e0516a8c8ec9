// A stream in SQS: a standard queue whose redrive policy counts the receives, and the queue of its dead letters. Its
// figures are approximate, as SQS's are, and the age of the oldest message is what this process has seen of it: SQS
// does not tell it.
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { assert } from '../foundation/assert.ts';
import type { Clock } from '../foundation/clock.ts';
import { retryLater } from '../foundation/errors.ts';
import { SQS_WITHIN } from '../limits/aws.ts';
import {
  MESSAGE_BYTES_MAX,
  SQS_BATCH_BYTES_MAX,
  SQS_ENTRIES_MAX,
  SQS_LOOK_SECONDS,
  SQS_VISIBILITY_SECONDS_MAX,
  SQS_WAIT_SECONDS,
} from '../limits/bytes.ts';
import { sqsBody, textOfSqsBody } from './sqs-body.ts';
import { sqsError } from './sqs-errors.ts';
import type { DeadLetter, Delivery, Stream, StreamFigures } from './stream.ts';

export interface SqsStreamParts {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  readonly clock: Clock;
}

/** A client for SqsStream: a batch that is sent twice only makes duplicates, so the SDK may send again. */
export const newSqsClient = (config: SQSClientConfig = {}): SQSClient =>
  new SQSClient({ requestHandler: SQS_WITHIN, ...config });

export class SqsStream implements Stream {
  readonly #parts: SqsStreamParts;
  /** Since when this process knows something to wait in the queue. */
  #waitingSinceMs: number | undefined;

  constructor(parts: SqsStreamParts) {
    this.#parts = parts;
  }

  async send(bodies: readonly string[]): Promise<void> {
    for (const body of bodies) assert(Buffer.byteLength(body) <= MESSAGE_BYTES_MAX, 'a message is short');
    if (bodies.length === 0) return;
    await this.#send(bodies.map(sqsBody));
    this.#waitingSinceMs ??= this.#parts.clock.nowMs();
  }

  async receive(max: number, visibilityMs: number): Promise<Delivery[]> {
    const seconds = Math.min(SQS_VISIBILITY_SECONDS_MAX, Math.ceil(visibilityMs / 1000));
    const messages = await this.#receive(this.#parts.queueUrl, max, seconds);
    return messages.map((message) => ({
      ...letterOf(message),
      receipt: message.ReceiptHandle ?? '',
    }));
  }

  async ack(receipts: readonly string[]): Promise<void> {
    await this.#delete(this.#parts.queueUrl, receipts);
  }

  async release(receipts: readonly string[]): Promise<void> {
    await this.#show(this.#parts.queueUrl, receipts);
  }

  async figures(): Promise<StreamFigures> {
    const { queueUrl, dlqUrl, clock } = this.#parts;
    const [queue, dead] = await Promise.all([this.#counts(queueUrl), this.#counts(dlqUrl)]);
    if (queue.ready + queue.inFlight === 0) this.#waitingSinceMs = undefined;
    else this.#waitingSinceMs ??= clock.nowMs();
    const oldestAgeMs = this.#waitingSinceMs === undefined ? 0 : Math.max(0, clock.nowMs() - this.#waitingSinceMs);
    return { ...queue, oldestAgeMs, dead: dead.ready + dead.inFlight };
  }

  async dead(max: number): Promise<DeadLetter[]> {
    const { dlqUrl } = this.#parts;
    const messages = await this.#receive(dlqUrl, max, SQS_LOOK_SECONDS);
    await this.#show(dlqUrl, receiptsOf(messages));
    // This look is not one of the receives that killed it.
    return messages.map(letterOf).map((letter) => ({ ...letter, receives: Math.max(0, letter.receives - 1) }));
  }

  /** Sent anew, then deleted: cut off in between, it is there twice, which is harmless. */
  redrive(ids?: readonly string[]): Promise<number> {
    return this.#takeDead(ids, (messages) => this.#send(messages.map(({ Body = '' }) => Body)));
  }

  drop(ids: readonly string[]): Promise<number> {
    return this.#takeDead(ids, async () => {});
  }

  /** Deletes dead letters (all, or these) once `first` has been done with them; the others are shown again. */
  async #takeDead(
    ids: readonly string[] | undefined,
    first: (messages: readonly Message[]) => Promise<void>,
  ): Promise<number> {
    const { dlqUrl } = this.#parts;
    const wanted = ids === undefined ? undefined : new Set(ids);
    const left: Message[] = [];
    let count = 0;
    try {
      while (count !== wanted?.size) {
        const messages = await this.#receive(dlqUrl, SQS_ENTRIES_MAX, SQS_LOOK_SECONDS);
        if (messages.length === 0) break;
        const chosen = messages.filter(({ MessageId = '' }) => wanted?.has(MessageId) ?? true);
        left.push(...messages.filter((message) => !chosen.includes(message)));
        await first(chosen);
        await this.#delete(dlqUrl, receiptsOf(chosen));
        count += chosen.length;
      }
    } finally {
      await this.#show(dlqUrl, receiptsOf(left));
    }
    return count;
  }

  async close(): Promise<void> {
    this.#parts.client.destroy();
  }

  async #send(bodies: readonly string[]): Promise<void> {
    const { client, queueUrl } = this.#parts;
    for (const batch of batchesOf(bodies)) {
      const entries = batch.map((body, i) => ({ Id: String(i), MessageBody: body }));
      const { Failed: failed = [] } = await this.#call('sqs:SendMessage', () =>
        client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })),
      );
      if (failed.length > 0)
        throw retryLater('STREAM_BUSY', `the queue refused ${failed.length} messages: ${failed[0]?.Message}`);
    }
  }

  async #receive(queueUrl: string, max: number, visibilitySeconds: number): Promise<Message[]> {
    const out: Message[] = [];
    while (out.length < max) {
      const { Messages: messages = [] } = await this.#call('sqs:ReceiveMessage', () =>
        this.#parts.client.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: Math.min(SQS_ENTRIES_MAX, max - out.length),
            VisibilityTimeout: visibilitySeconds,
            // Only to learn that there is nothing at all.
            WaitTimeSeconds: out.length === 0 ? SQS_WAIT_SECONDS : 0,
            MessageSystemAttributeNames: ['ApproximateReceiveCount'],
          }),
        ),
      );
      if (messages.length === 0) break;
      out.push(...messages);
    }
    return out;
  }

  /** Receipts that SQS does not take are outdated: they are passed over. */
  async #delete(queueUrl: string, receipts: readonly string[]): Promise<void> {
    for (const batch of batchesOf(receipts)) {
      const entries = batch.map((receipt, i) => ({ Id: String(i), ReceiptHandle: receipt }));
      await this.#call('sqs:DeleteMessage', () =>
        this.#parts.client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })),
      );
    }
  }

  async #show(queueUrl: string, receipts: readonly string[]): Promise<void> {
    for (const batch of batchesOf(receipts)) {
      const entries = batch.map((receipt, i) => ({ Id: String(i), ReceiptHandle: receipt, VisibilityTimeout: 0 }));
      await this.#call('sqs:ChangeMessageVisibility', () =>
        this.#parts.client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entries })),
      );
    }
  }

  async #counts(queueUrl: string): Promise<Pick<StreamFigures, 'ready' | 'inFlight'>> {
    const { Attributes: counts = {} } = await this.#call('sqs:GetQueueAttributes', () =>
      this.#parts.client.send(
        new GetQueueAttributesCommand({
          QueueUrl: queueUrl,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesDelayed',
            'ApproximateNumberOfMessagesNotVisible',
          ],
        }),
      ),
    );
    return {
      ready: Number(counts.ApproximateNumberOfMessages ?? 0) + Number(counts.ApproximateNumberOfMessagesDelayed ?? 0),
      inFlight: Number(counts.ApproximateNumberOfMessagesNotVisible ?? 0),
    };
  }

  async #call<T>(name: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw sqsError(name, error);
    }
  }
}

const letterOf = ({ MessageId, Body, Attributes }: Message): DeadLetter => ({
  id: MessageId ?? '',
  body: textOfSqsBody(Body ?? ''),
  receives: Number(Attributes?.ApproximateReceiveCount ?? 1),
});

const receiptsOf = (messages: readonly Message[]): string[] =>
  messages.map(({ ReceiptHandle }) => ReceiptHandle ?? '').filter((receipt) => receipt !== '');

/** As many as one call takes, by number and by bytes. */
function batchesOf(texts: readonly string[]): string[][] {
  const batches: string[][] = [];
  let bytes = 0;
  for (const text of texts) {
    const last = batches.at(-1);
    const size = Buffer.byteLength(text);
    if (last === undefined || last.length === SQS_ENTRIES_MAX || bytes + size > SQS_BATCH_BYTES_MAX) {
      batches.push([text]);
      bytes = size;
    } else {
      last.push(text);
      bytes += size;
    }
  }
  return batches;
}
