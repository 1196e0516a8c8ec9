// Which reads of DynamoDB may be out of date: those that were asked to be cheap, and no others. Only the wire (the SDK's client) is of this test.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { DynamoPanda } from '../../lib/panda/dynamo-panda.ts';

interface Sent {
  readonly ConsistentRead?: boolean;
  readonly RequestItems?: { readonly table?: { readonly ConsistentRead?: boolean } };
}

describe('DynamoPanda', () => {
  it('reads strongly but where it is told not to', async () => {
    const sent: Sent[] = [];
    const client = {
      send: async ({ input }: { readonly input: Sent }) => {
        sent.push(input);
        return {};
      },
    } as unknown as DynamoDBClient;
    const panda = new DynamoPanda({
      client,
      table: 'table',
      clock: new SimulatedClock(),
      randomness: new SeededRandomness(1),
    });
    const key = { partition: 'p', sort: 's' };
    await panda.get(key);
    await panda.query('p');
    await panda.getMany([key]);
    await panda.getMany([key], { consistency: 'strong' });
    await panda.getMany([key], { consistency: 'eventual' });
    for await (const _ of panda.scan()) expect.unreachable();
    const strong = sent.map((input) => input.ConsistentRead ?? input.RequestItems?.table?.ConsistentRead);
    expect(strong).toEqual([true, true, true, true, false, true]);
  });
});
