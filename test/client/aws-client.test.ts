// The client of a stage against the real frontend function on memory bodies; only the wire between them (the SDK's client) is of this
// test, so that it can lose answers, throttle and lie.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { FrontendCaller } from '../../lib/client/aws/aws-call.ts';
import { AwsClient, lambdaWithin } from '../../lib/client/aws/aws-client.ts';
import type { DeleteOutcome, PutOutcome, PutRequest } from '../../lib/client/face.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { conflict } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { deploy } from '../functions/events.ts';

const MIB = 1024 * 1024;

interface Request {
  readonly op: string;
  readonly objects?: readonly { readonly key: string }[];
}
interface Answer {
  readonly Payload?: Uint8Array;
  readonly FunctionError?: string;
}
/** Sees each request; may answer or throw in the function's place. */
type Meddle = (request: Request, count: number) => Answer | undefined | Promise<undefined>;

function clientOf(
  meddle: Meddle = () => undefined,
  clock = new SimulatedClock(),
): { client: AwsClient; requests: Request[] } {
  const { invoke } = deploy(31, undefined, PRESETS.personal);
  const requests: Request[] = [];
  const send = async (command: InvokeCommand): Promise<Answer> => {
    const request = JSON.parse(Buffer.from(command.input.Payload as Uint8Array).toString()) as Request;
    requests.push(request);
    const instead = await meddle(request, requests.length);
    return instead ?? { Payload: Buffer.from(JSON.stringify(await invoke(request))) };
  };
  const lambda = { send, destroy: () => {} } as unknown as LambdaClient;
  const parts = { lambda, functionName: 'f', clock, randomness: new SeededRandomness(1) };
  return { client: new AwsClient('dev', 'default', new FrontendCaller(parts)), requests };
}

describe('a function that does not answer', () => {
  it('is given up after the time-out, as an unknown outcome', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const lambda = lambdaWithin(80, {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const caller = new FrontendCaller({
      lambda,
      functionName: 'f',
      clock: new SimulatedClock(),
      randomness: new SeededRandomness(1),
    });
    try {
      const client = new AwsClient('dev', 'default', caller);
      await expect(client.head('a')).rejects.toMatchObject({ kind: 'unknown', code: 'AWS_UNKNOWN' });
    } finally {
      caller.close();
      silent.closeAllConnections();
      silent.close();
    }
  });
});

describe('what a put asks of a store', () => {
  it('is answered without a call: no place of a stage is here, and its schedules do what puts leave', async () => {
    const { client, requests } = clientOf();
    expect(client.places).toEqual([]);
    expect(await client.afterPut()).toBeUndefined();
    expect(requests).toEqual([]);
  });
});

const item = (key: string, ...pieces: Uint8Array[]): PutRequest => ({
  key,
  body: async function* () {
    yield* pieces;
  },
});
const random = (bytes: number, seed = 1): Buffer => Buffer.from(new SeededRandomness(seed).bytes(bytes));
const small = (count: number): PutRequest[] => Array.from({ length: count }, (_, i) => item(`k${i}`, random(50, i)));

async function outcomesOf(outcomes: AsyncIterable<PutOutcome>): Promise<Map<string, PutOutcome>> {
  const found = new Map<string, PutOutcome>();
  for await (const outcome of outcomes) found.set(outcome.key, outcome);
  return found;
}

async function bytesOf(client: AwsClient, key: string, range?: { offset: number; length?: number }): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await client.get(key, range)).body) pieces.push(piece);
  return Buffer.concat(pieces);
}

const named = (name: string): Error => Object.assign(new Error(name), { name });

describe('putting many objects', () => {
  it('gathers small ones into few requests and answers for each', async () => {
    const { client, requests } = clientOf();
    const outcomes = await outcomesOf(client.putAll(small(300)));
    expect(outcomes.size).toBe(300);
    for (const outcome of outcomes.values()) expect(outcome).toMatchObject({ ok: true, sizeBytes: 50 });
    expect(requests.map(({ objects }) => objects?.length)).toEqual([256, 44]);
    expect(await bytesOf(client, 'k299')).toEqual(random(50, 299));
  });

  it('keeps requests below what Lambda takes', async () => {
    const { client, requests } = clientOf();
    const items = Array.from({ length: 3 }, (_, i) => item(`m${i}`, random(2 * MIB, i)));
    await outcomesOf(client.putAll(items));
    expect(requests.map(({ objects }) => objects?.length)).toEqual([2, 1]);
  });

  it('puts the same name twice in the order given', async () => {
    const { client, requests } = clientOf();
    for await (const outcome of client.putAll([item('a', random(5, 1)), item('a', random(5, 2))]))
      expect(outcome.ok).toBe(true);
    expect(requests).toHaveLength(2);
    expect(await bytesOf(client, 'a')).toEqual(random(5, 2));
  });

  it('one a call joins those that come at once, while one alone goes by itself', async () => {
    const { client, requests } = clientOf();
    const one = (key: string, bytes: number): Promise<Map<string, PutOutcome>> =>
      outcomesOf(client.putAll([item(key, random(bytes, key.length + bytes))]));
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => one(`j${i}`, 60 + i)));
    for (const [i, outcomes] of all.entries())
      expect([...outcomes]).toEqual([[`j${i}`, expect.objectContaining({ ok: true, sizeBytes: 60 + i })]]);
    expect(requests.length).toBeLessThanOrEqual(4);
    expect(requests.flatMap(({ objects = [] }) => objects.map(({ key }) => key)).sort()).toHaveLength(40);
    expect(await bytesOf(client, 'j39')).toEqual(random(99, 3 + 99));
    requests.length = 0;
    await one('alone', 10);
    expect(requests.map(({ objects }) => objects?.length)).toEqual([1]);
  });

  it('one a call is held up by no body that is slow or long, and fails alone', async () => {
    const { client, requests } = clientOf();
    const gate = Promise.withResolvers<void>();
    const slow = outcomesOf(
      client.putAll([
        {
          key: 'slow',
          body: async function* () {
            yield random(5);
            await gate.promise;
            yield random(5);
          },
        },
      ]),
    );
    const long = outcomesOf(client.putAll([item('long', random(200 * 1024), random(5 * MIB))]));
    const bad = outcomesOf(client.putAll([item('../up', random(1))]));
    const error = conflict('FILE_CHANGED', 'it changed');
    const changed = outcomesOf(client.putAll([{ ...item('changed', random(1)), verify: () => Promise.reject(error) }]));
    expect((await outcomesOf(client.putAll([item('quick', random(7))]))).get('quick')).toMatchObject({ ok: true });
    expect((await long).get('long')).toMatchObject({ ok: true, sizeBytes: 5 * MIB + 200 * 1024 });
    expect((await bytesOf(client, 'long')).subarray(0, 200 * 1024)).toEqual(random(200 * 1024));
    expect((await bad).get('../up')).toMatchObject({ ok: false, error: { code: 'NAME_INVALID' } });
    expect((await changed).get('changed')).toMatchObject({ ok: false, error });
    expect(requests.flatMap(({ objects = [] }) => objects.map(({ key }) => key))).not.toContain('slow');
    gate.resolve();
    expect((await slow).get('slow')).toMatchObject({ ok: true, sizeBytes: 10 });
  });

  it('goes on after items that fail, whatever is wrong with them', async () => {
    const { client } = clientOf();
    const vanished = Object.assign(new Error('gone'), { code: 'ENOENT' });
    const changed = conflict('FILE_CHANGED', 'it changed');
    const outcomes = await outcomesOf(
      client.putAll([
        item('../up', random(1)),
        item('\ud800', random(1)),
        {
          key: 'vanished',
          // biome-ignore lint/correctness/useYield: it fails before it yields
          body: async function* () {
            throw vanished;
          },
        },
        { ...item('changed', random(1)), verify: () => Promise.reject(changed) },
        item('good', random(1)),
      ]),
    );
    expect(outcomes.get('../up')).toMatchObject({ ok: false, error: { code: 'NAME_INVALID' } });
    expect(outcomes.get('\ud800')).toMatchObject({ ok: false, error: { code: 'NAME_INVALID' } });
    expect(outcomes.get('vanished')).toMatchObject({ ok: false, error: vanished });
    expect(outcomes.get('changed')).toMatchObject({ ok: false, error: changed });
    expect(outcomes.get('good')).toMatchObject({ ok: true });
    await expect(client.head('changed')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('sends again what was turned away for the moment, and only that; at last it says so', async () => {
    const busy = { error: { kind: 'retry', code: 'VOLUMES_BUSY', message: 'wait' } };
    /** Every second object is stored, the others are turned away; these always. */
    const halfBusy =
      (times: number, ...never: string[]): Meddle =>
      ({ objects = [] }, count) => {
        if (count > times) return undefined;
        const stored = { version: '1'.repeat(32), etag: 'e', sizeBytes: 50, newBytes: 50, dedupedBlocks: 0 };
        const others = objects.filter(({ key }) => !never.includes(key));
        const isStored = (object: { readonly key: string }): boolean => others.indexOf(object) % 2 === 0;
        const results = objects.map((object) => ({ key: object.key, ...(isStored(object) ? stored : busy) }));
        return { Payload: Buffer.from(JSON.stringify({ results })) };
      };
    const twice = clientOf(halfBusy(2));
    const outcomes = await outcomesOf(twice.client.putAll(small(8)));
    expect([...outcomes.values()].map(({ ok }) => ok)).toEqual(Array(8).fill(true));
    expect(twice.requests.map(({ objects }) => objects?.map(({ key }) => key))).toEqual([
      ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7'],
      ['k1', 'k3', 'k5', 'k7'],
      ['k3', 'k7'],
    ]);
    const always = clientOf(halfBusy(1000, 'k7', 'k255', 'k300'));
    const last = await outcomesOf(always.client.putAll(small(512)));
    expect([...last.values()].filter(({ ok }) => !ok).length).toBe(3);
    expect(last.get('k255')).toMatchObject({ ok: false, error: { kind: 'retry', code: 'VOLUMES_BUSY' } });
  });

  it('stops when it is not let in', async () => {
    const { client } = clientOf(() => {
      throw named('AccessDeniedException');
    });
    await expect(outcomesOf(client.putAll(small(3)))).rejects.toMatchObject({ kind: 'denied', code: 'AWS_DENIED' });
  });
});

describe('deleting many objects', () => {
  it('asks again for what was turned away for the moment', async () => {
    const busy = { error: { kind: 'retry', code: 'PANDA_BUSY', message: 'wait' } };
    const { client, requests } = clientOf(({ op, objects = [] }, count) => {
      if (op !== 'delete' || count > 2) return undefined;
      const results = objects.map(({ key }, i) => (i === 1 ? { key, ...busy } : { key }));
      return { Payload: Buffer.from(JSON.stringify({ results })) };
    });
    await outcomesOf(client.putAll(small(3)));
    const outcomes: DeleteOutcome[] = [];
    for await (const outcome of client.deleteAll(['k0', 'k1', 'k2'])) outcomes.push(outcome);
    expect(outcomes).toEqual(['k0', 'k1', 'k2'].map((key) => ({ key, ok: true })));
    expect(requests.slice(1).map(({ objects }) => objects?.map(({ key }) => key))).toEqual([
      ['k0', 'k1', 'k2'],
      ['k1'],
    ]);
    await expect(client.head('k1')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });
});

describe('a long object', () => {
  it('goes in parts and comes back in pieces', async () => {
    const { client, requests } = clientOf();
    const body = random(9 * MIB + 5);
    const pieces = [body.subarray(0, 1), body.subarray(1, 5 * MIB), body.subarray(5 * MIB)];
    const outcome = (await outcomesOf(client.putAll([item('long', ...pieces)]))).get('long');
    expect(outcome).toMatchObject({ ok: true, sizeBytes: body.byteLength });
    expect(requests.map(({ op }) => op)).toEqual([
      'uploadBegin',
      'uploadPart',
      'uploadPart',
      'uploadPart',
      'uploadFinish',
    ]);
    expect((await bytesOf(client, 'long')).equals(body)).toBe(true);
    const tail = await bytesOf(client, 'long', { offset: 9 * MIB });
    expect(tail).toEqual(body.subarray(9 * MIB));
  });

  it('is given up if it is not what it was', async () => {
    const { client, requests } = clientOf();
    const error = conflict('FILE_CHANGED', 'it changed');
    const changing = { ...item('long', random(5 * MIB)), verify: () => Promise.reject(error) };
    expect((await outcomesOf(client.putAll([changing]))).get('long')).toMatchObject({ ok: false, error });
    expect(requests.at(-1)?.op).toBe('uploadAbort');
    await expect(client.head('long')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('that is overwritten while it is read is not mixed', async () => {
    const { client } = clientOf();
    await outcomesOf(client.putAll([item('long', random(5 * MIB, 1))]));
    const { body } = await client.get('long');
    await outcomesOf(client.putAll([item('long', random(5 * MIB, 2))]));
    const reading = (async () => {
      for await (const _ of body);
    })();
    await expect(reading).rejects.toMatchObject({ kind: 'conflict', code: 'OBJECT_CHANGED' });
  });
});

describe('a call', () => {
  it('is sent again while Lambda throttles or the store says retry', async () => {
    const busy = { error: { kind: 'retry', code: 'PANDA_BUSY', message: 'wait' } };
    const { client, requests } = clientOf((_, count) => {
      if (count === 1) throw named('TooManyRequestsException');
      return count === 2 ? { Payload: Buffer.from(JSON.stringify(busy)) } : undefined;
    });
    expect(await client.list({})).toMatchObject({ objects: [] });
    expect(requests).toHaveLength(3);
  });

  it('outwaits forty seconds in which others have all ten functions of the account', async () => {
    const clock = new SimulatedClock();
    const startMs = clock.nowMs();
    const { client } = clientOf(() => {
      if (clock.nowMs() - startMs < 40_000) throw named('TooManyRequestsException');
      return undefined;
    }, clock);
    expect(await client.list({})).toMatchObject({ objects: [] });
  });

  it('gives up in the end', async () => {
    const { client, requests } = clientOf(() => {
      throw named('TooManyRequestsException');
    });
    await expect(client.list({})).rejects.toMatchObject({ kind: 'retry', code: 'AWS_BUSY' });
    expect(requests.length).toBeLessThan(15);
  });

  it.each<[string, Meddle, object]>([
    [
      'no answer',
      () => {
        throw named('TimeoutError');
      },
      { kind: 'unknown', code: 'AWS_UNKNOWN' },
    ],
    [
      'a function that failed',
      () => ({ FunctionError: 'Unhandled', Payload: Buffer.from('{"errorType":"AssertionError"}') }),
      { kind: 'unknown', code: 'FRONTEND_FAILED' },
    ],
    [
      'an answer of another shape',
      () => ({ Payload: Buffer.from('{"x":1}') }),
      { kind: 'unknown', code: 'ANSWER_MALFORMED' },
    ],
    ['no JSON', () => ({ Payload: Buffer.from('<html>') }), { kind: 'unknown', code: 'ANSWER_MALFORMED' }],
    [
      'a function that is gone',
      () => {
        throw named('ResourceNotFoundException');
      },
      { kind: 'missing', code: 'STAGE_MISSING' },
    ],
  ])('with %s is a typed error, not sent again', async (_, meddle, error) => {
    const { client, requests } = clientOf(meddle);
    await expect(client.head('a')).rejects.toMatchObject(error);
    expect(requests).toHaveLength(1);
  });
});

it('deletes in batches, one outcome each', async () => {
  const { client, requests } = clientOf();
  await outcomesOf(client.putAll(small(300)));
  requests.length = 0;
  const outcomes: DeleteOutcome[] = [];
  for await (const outcome of client.deleteAll([...small(300).map(({ key }) => key), 'nobody'])) outcomes.push(outcome);
  expect(outcomes.slice(0, 300).every(({ ok }) => ok)).toBe(true);
  expect(outcomes[300]).toMatchObject({ key: 'nobody', ok: false, error: { code: 'OBJECT_MISSING' } });
  expect(requests.map(({ op }) => op)).toEqual(['delete', 'delete']);
});
