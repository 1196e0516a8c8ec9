// The same array sent again is the same request to DynamoDB, also after the body itself has given up: a request that is done late, after
// the one that was sent again and after what came then, changes nothing more. Only the wire (the SDK's client) is of this test.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { DynamoPanda } from '../../lib/panda/dynamo-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';

it('sends one token for one array of writes, and another for another', async () => {
  const tokens: (string | undefined)[] = [];
  const client = {
    config: { maxAttempts: async () => 1 },
    send: async ({ input }: { readonly input: { readonly ClientRequestToken?: string } }) => {
      tokens.push(input.ClientRequestToken);
      return {};
    },
  } as unknown as DynamoDBClient;
  const panda = new DynamoPanda({
    client,
    table: 'table',
    clock: new SimulatedClock(),
    randomness: new SeededRandomness(1),
  });
  const writes = (): Write[] =>
    ['a', 'b'].map((sort) => ({ kind: 'put', partition: 'p', sort, attributes: { v: 1 }, if: ['absent'] }));
  const once = writes();
  await panda.transact(once);
  await panda.transact(once);
  await panda.transact(writes());
  const [first, again, other] = tokens;
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});
