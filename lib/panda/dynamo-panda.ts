// Panda in one DynamoDB table, with the keys `pk` and `sk` (both strings). Reads are strongly consistent unless asked
// otherwise. The table is made by the stack, not here. A transaction of one write is a plain conditional request: half
// the price of a transaction.
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { assert } from '../foundation/assert.ts';
import type { Clock } from '../foundation/clock.ts';
import { isKind, retryLater } from '../foundation/errors.ts';
import { hexOf } from '../foundation/ids.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { DYNAMO_WITHIN } from '../limits/aws.ts';
import {
  DYNAMO_BACK_OFF_MS,
  DYNAMO_BACK_OFF_MS_MAX,
  DYNAMO_READ_ATTEMPTS_MAX,
  DYNAMO_SEND_ATTEMPTS_MAX,
  ROW_KEY_BYTES_MAX,
} from '../limits/panda.ts';
import { checkKey, utf8Bytes } from './attributes.ts';
import { PandaConflict } from './conflict.ts';
import { readError, writeError } from './dynamo-errors.ts';
import { rangeCondition, transactItem } from './dynamo-expressions.ts';
import { type Item, keyItem, rowOf } from './dynamo-items.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from './panda.ts';
import { compareUtf8 } from './sort-order.ts';
import { checkGetMany, checkQuery, checkTransaction, holds, keyText } from './transaction.ts';

export interface DynamoPandaParts {
  /** Made by newDynamoClient: a client that sends a request again by itself would write twice. */
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** A client for DynamoPanda; `config` may name region, endpoint and credentials. */
export const newDynamoClient = (config: DynamoDBClientConfig = {}): DynamoDBClient =>
  new DynamoDBClient({ requestHandler: DYNAMO_WITHIN, ...config, maxAttempts: 1 });

export class DynamoPanda implements Panda {
  readonly refusesOverlap = true;
  readonly paysByWrite = true;
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  /** By the array that was sent: sent again, it is the same request, and a late one of them changes nothing more. */
  readonly #tokens = new WeakMap<readonly Write[], string>();
  #checked = false;
  #closed = false;

  constructor(parts: DynamoPandaParts) {
    this.#client = parts.client;
    this.#table = parts.table;
    this.#clock = parts.clock;
    this.#randomness = parts.randomness;
  }

  async get(key: Key): Promise<Row | undefined> {
    checkKey(key);
    const command = new GetItemCommand({ TableName: this.#table, Key: keyItem(key), ConsistentRead: true });
    const { Item } = await this.#read(() => this.#client.send(command));
    return Item === undefined ? undefined : rowOf(Item);
  }

  async getMany(keys: readonly Key[], { consistency = 'strong' }: ReadOptions = {}): Promise<(Row | undefined)[]> {
    checkGetMany(keys);
    const found = new Map<string, Row>();
    let wanted: Item[] = [...new Map(keys.map((key) => [keyText(key), keyItem(key)])).values()];
    for (let attempt = 1; wanted.length > 0; attempt++) {
      if (attempt > 1) await this.#backOff(attempt - 1);
      const asked = wanted.length;
      const command = new BatchGetItemCommand({
        RequestItems: { [this.#table]: { Keys: wanted, ConsistentRead: consistency === 'strong' } },
      });
      const { Responses, UnprocessedKeys } = await this.#read(() => this.#client.send(command));
      for (const item of Responses?.[this.#table] ?? []) {
        const row = rowOf(item);
        found.set(keyText(row), row);
      }
      wanted = UnprocessedKeys?.[this.#table]?.Keys ?? [];
      // Large rows come 16 MB at a time: only an answer without any progress counts as an attempt.
      if (wanted.length < asked) attempt = 1;
      else if (attempt >= DYNAMO_READ_ATTEMPTS_MAX)
        throw retryLater('PANDA_BUSY', 'the metadata table is busy (unprocessed keys)');
    }
    return keys.map((key) => found.get(keyText(key)));
  }

  async query(partition: string, range: SortRange = {}, options: QueryOptions = {}): Promise<Page> {
    const limit = checkQuery(partition, range, options);
    const { from, to } = range;
    if (to === '' || (from !== undefined && to !== undefined && compareUtf8(from, to) > 0)) return { rows: [] };
    const condition = rangeCondition(partition, keyRange(range));
    const rows: Row[] = [];
    let start: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: this.#table,
        ConsistentRead: true,
        ...condition,
        Limit: limit + 1 - rows.length, // one more than asked: its key is where the next page begins
        ...(start !== undefined && { ExclusiveStartKey: start }),
      });
      const { Items = [], LastEvaluatedKey } = await this.#read(() => this.#client.send(command));
      for (const row of Items.map(rowOf)) {
        if (to !== undefined && compareUtf8(row.sort, to) > 0) return { rows };
        if (from === undefined || compareUtf8(row.sort, from) >= 0) rows.push(row);
      }
      start = LastEvaluatedKey;
      // DynamoDB ends an answer at 1 MB: two rows are enough to make a page of all but the last.
    } while (start !== undefined && rows.length < 2);
    if (rows.length > limit || start !== undefined) return { next: (rows.pop() as Row).sort, rows };
    return { rows };
  }

  async transact(writes: readonly Write[]): Promise<void> {
    checkTransaction(writes);
    await this.#assertSendsOnce();
    const [only] = writes;
    if (writes.length === 1 && only !== undefined) await this.#transactOne(only);
    else await this.#transactMany(writes);
  }

  async *scan(): AsyncIterable<readonly Row[]> {
    let start: Item | undefined;
    do {
      const command = new ScanCommand({
        TableName: this.#table,
        ConsistentRead: true,
        ...(start !== undefined && { ExclusiveStartKey: start }),
      });
      const { Items = [], LastEvaluatedKey } = await this.#read(() => this.#client.send(command));
      if (Items.length > 0) yield Items.map(rowOf);
      start = LastEvaluatedKey;
    } while (start !== undefined);
  }

  /** The client belongs to the caller and stays open. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  async #transactOne(write: Write): Promise<void> {
    const { Put, Update, Delete } = transactItem(this.#table, write);
    if (Put !== undefined) await this.#write(() => this.#client.send(new PutItemCommand(Put)));
    else if (Update !== undefined) await this.#write(() => this.#client.send(new UpdateItemCommand(Update)));
    else if (Delete !== undefined) await this.#write(() => this.#client.send(new DeleteItemCommand(Delete)));
    else await this.#check(write);
  }

  /** A check alone, or an update without changes, is a read. */
  async #check(write: Write): Promise<void> {
    const row = await this.get(write);
    const condition = [...(write.kind === 'update' ? (['exists'] as const) : []), ...(write.if ?? [])];
    if (!holds(condition, row?.attributes)) throw new PandaConflict([0]);
  }

  /**
   * The token makes it safe to send the same transaction again after a lost answer: DynamoDB applies it once. Then only
   * success is believed, as any refusal may have overtaken the first request.
   */
  async #transactMany(writes: readonly Write[]): Promise<void> {
    const command = new TransactWriteItemsCommand({
      TransactItems: writes.map((write) => transactItem(this.#table, write)),
      ClientRequestToken: this.#tokenOf(writes),
    });
    let lost: unknown;
    for (let attempt = 1; attempt <= DYNAMO_SEND_ATTEMPTS_MAX; attempt++) {
      if (attempt > 1) await this.#backOff(attempt - 1);
      try {
        await this.#write(() => this.#client.send(command));
        return;
      } catch (error) {
        if (lost === undefined && !isKind(error, 'unknown')) throw error;
        lost ??= error;
      }
    }
    throw lost;
  }

  #tokenOf(writes: readonly Write[]): string {
    const token = this.#tokens.get(writes) ?? hexOf(this.#randomness.bytes(16));
    this.#tokens.set(writes, token);
    return token;
  }

  async #write(send: () => Promise<unknown>): Promise<void> {
    this.#assertOpen();
    try {
      await send();
    } catch (error) {
      throw writeError(error, this.#table);
    }
  }

  async #read<T>(send: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (cause) {
        const error = readError(cause, this.#table);
        if (!isKind(error, 'retry') || attempt >= DYNAMO_READ_ATTEMPTS_MAX) throw error;
        await this.#backOff(attempt);
      }
    }
  }

  async #backOff(attempt: number): Promise<void> {
    const ceilingMs = Math.min(DYNAMO_BACK_OFF_MS_MAX, DYNAMO_BACK_OFF_MS * 2 ** attempt);
    await this.#clock.sleep(1 + this.#randomness.below(ceilingMs));
  }

  /** Sent again after a lost answer, a conditional write meets itself, and an `add` adds twice. */
  async #assertSendsOnce(): Promise<void> {
    if (this.#checked) return;
    assert((await this.#client.config.maxAttempts()) === 1, 'DynamoPanda needs a client made by newDynamoClient');
    this.#checked = true;
  }

  #assertOpen(): void {
    assert(!this.#closed, 'this Panda is closed');
  }
}

/** The range as bounds DynamoDB takes: not empty, and no longer than a key; it may be wider than asked. */
function keyRange(range: SortRange): SortRange {
  const { from = '', to } = range;
  return {
    ...(from !== '' && { from: keyPrefix(from) }),
    ...(to !== undefined && utf8Bytes(to) <= ROW_KEY_BYTES_MAX && { to }),
  };
}

/** The longest start of the text that is no longer than a key; it sorts before the text. */
function keyPrefix(text: string): string {
  if (utf8Bytes(text) <= ROW_KEY_BYTES_MAX) return text;
  const bytes = Buffer.from(text).subarray(0, ROW_KEY_BYTES_MAX + 1);
  let end = ROW_KEY_BYTES_MAX;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1; // not inside a character
  return bytes.toString('utf8', 0, end);
}
