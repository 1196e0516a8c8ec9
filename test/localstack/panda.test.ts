// The contract of Panda on real DynamoDB calls, and what only DynamoDB does: a missing table, no service at all.
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  TransactWriteItemsCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { present } from '../../lib/foundation/assert.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { hexOf } from '../../lib/foundation/ids.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { DynamoPanda, newDynamoClient } from '../../lib/panda/dynamo-panda.ts';
import { pandaContract } from '../contract/panda.contract.ts';

// Named outright: without it these tests would make tables in somebody's account.
const endpoint = present(process.env['AWS_ENDPOINT_URL'], 'AWS_ENDPOINT_URL is not set');
const client = newDynamoClient({ endpoint });
const clock = systemClock;
const randomness = systemRandomness;
const coded = (kind: string, code: string): object => expect.objectContaining({ name: 'PocketfulError', kind, code });
const on = (table: string, through = client): DynamoPanda =>
  new DynamoPanda({ client: through, table, clock, randomness });

async function newTable(): Promise<string> {
  const TableName = `pocketful-panda-${hexOf(randomness.bytes(8))}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { TableName });
  return TableName;
}

pandaContract(
  'DynamoDB',
  async () => {
    const table = await newTable();
    return {
      panda: on(table),
      reopen: async () => on(table),
      close: async () => {
        await client.send(new DeleteTableCommand({ TableName: table }));
      },
    };
  },
  { runs: 15, reopens: true },
);

describe('DynamoPanda', () => {
  let table = '';
  beforeAll(async () => {
    table = await newTable();
  });
  afterAll(async () => {
    await client.send(new DeleteTableCommand({ TableName: table }));
    client.destroy();
  });
  const key = { partition: 'p', sort: 'a' };

  it('says that the table is not there', async () => {
    const nowhere = on('pocketful-no-such-table');
    await expect(nowhere.get(key)).rejects.toEqual(coded('missing', 'PANDA_MISSING'));
    await expect(nowhere.transact([{ kind: 'delete', ...key }])).rejects.toEqual(coded('missing', 'PANDA_MISSING'));
  });

  it('is busy, not in doubt, when there is no service to send to', async () => {
    const nobody = newDynamoClient({ endpoint: 'http://127.0.0.1:9' });
    const alone = new DynamoPanda({ client: nobody, table, randomness, clock: { ...clock, sleep: async () => {} } });
    await expect(alone.get(key)).rejects.toEqual(coded('retry', 'PANDA_BUSY'));
    await expect(alone.transact([{ kind: 'delete', ...key }])).rejects.toEqual(coded('retry', 'PANDA_BUSY'));
    nobody.destroy();
  });

  it('refuses a client that sends requests again by itself', async () => {
    const eager = new DynamoDBClient({});
    await expect(on(table, eager).transact([{ kind: 'delete', ...key }])).rejects.toThrow('newDynamoClient');
    eager.destroy();
  });

  /** A client of which the first `lost` answers to writes never arrive, although the service has done the work. */
  function forgetful(lost: number): DynamoDBClient {
    const lossy = newDynamoClient({ endpoint });
    let left = lost;
    lossy.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        const writes = context.commandName !== 'GetItemCommand';
        if (writes && left-- > 0) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
        return answer;
      },
      { step: 'deserialize', priority: 'low' },
    );
    return lossy;
  }

  it('applies a transaction once whose answers are lost, and says so when the last is lost too', async () => {
    const add = { kind: 'update', ...key, add: { n: 1 } } as const;
    const check = { kind: 'check', partition: 'p', sort: 'other', if: ['absent'] } as const;
    await on(table).transact([{ kind: 'put', ...key, attributes: { n: 0 } }]);
    const twice = forgetful(2);
    await on(table, twice).transact([add, check]);
    expect((await on(table).get(key))?.attributes).toEqual({ n: 1 });
    const always = forgetful(Number.POSITIVE_INFINITY);
    await expect(on(table, always).transact([add, check])).rejects.toEqual(coded('unknown', 'PANDA_UNKNOWN'));
    expect((await on(table).get(key))?.attributes).toEqual({ n: 2 });
    await expect(on(table, always).transact([add])).rejects.toEqual(coded('unknown', 'PANDA_UNKNOWN'));
    expect((await on(table).get(key))?.attributes).toEqual({ n: 3 });
    for (const lossy of [twice, always]) lossy.destroy();
  });

  it('finds a row it cannot read corrupt', async () => {
    const odd = { pk: { S: 'p' }, sk: { S: 'odd' }, n: { N: '0.5' } };
    await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: table, Item: odd } }] }));
    const read = on(table).get({ partition: 'p', sort: 'odd' });
    await expect(read).rejects.toEqual(coded('corrupt', 'ROW_MALFORMED'));
  });
});
