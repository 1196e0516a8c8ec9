// Wires the settings guard: Panda of the stage, and HTTPS to where CloudFormation waits.
import { setTimeout } from 'node:timers/promises';
import { assert } from '../../lib/foundation/assert.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { DynamoPanda, newDynamoClient } from '../../lib/panda/dynamo-panda.ts';
import { type GuardAnswer, guard } from './guard.ts';

const table = process.env['POCKETFUL_TABLE'];
assert(table !== undefined, 'environment: POCKETFUL_TABLE is missing');
const panda = new DynamoPanda({
  client: newDynamoClient(),
  table,
  clock: systemClock,
  randomness: systemRandomness,
});

async function respond(url: string, answer: GuardAnswer): Promise<void> {
  const { ok, status } = await fetch(url, { method: 'PUT', body: JSON.stringify(answer) });
  if (!ok) throw new Error(`CloudFormation took no answer: HTTP ${status}`);
}

const wait = (ms: number): Promise<void> => setTimeout(ms);

export const handler = (event: unknown): Promise<GuardAnswer> => guard({ panda, respond, wait }, event);
