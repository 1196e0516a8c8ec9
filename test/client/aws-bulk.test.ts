// Puts of much at once to a stage: the client against the real frontend function on memory bodies; only the wire between them is of this
// test, so that it can lose answers, refuse and be of an earlier release.
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { FrontendCaller } from '../../lib/client/aws/aws-call.ts';
import { AwsClient } from '../../lib/client/aws/aws-client.ts';
import type { PutOutcome, PutRequest } from '../../lib/client/face.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { conflict } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { deploy } from '../functions/events.ts';
import { incompressible } from '../store/sealed-overhead.ts';

const KIB = 1024;
const FROM_BYTES = 64 * KIB;

interface Request {
  readonly op: string;
  readonly objects?: readonly { readonly key: string }[];
}
type Meddle = (request: Request, count: number) => object | undefined;

function stageOf(meddle: Meddle = () => undefined) {
  const { invoke, world, staging } = deploy(51);
  const requests: Request[] = [];
  const send = async (command: InvokeCommand) => {
    const request = JSON.parse(Buffer.from(command.input.Payload as Uint8Array).toString()) as Request;
    requests.push(request);
    const instead = meddle(request, requests.filter(({ op }) => op === request.op).length);
    return { Payload: Buffer.from(JSON.stringify(instead ?? (await invoke(request)))) };
  };
  const lambda = { send, destroy: () => {} } as unknown as LambdaClient;
  const parts = { lambda, functionName: 'f', clock: new SimulatedClock(), randomness: new SeededRandomness(1) };
  const client = new AwsClient('dev', 'default', new FrontendCaller(parts), undefined, FROM_BYTES);
  const opsOf = () => requests.map(({ op }) => op);
  return { client, world, staging, requests, opsOf };
}

const bodyOf = (bytes: number, seed: number): Buffer => Buffer.from(incompressible(bytes, seed));
const item = (key: string, body: Buffer, more: Partial<PutRequest> = {}): PutRequest => ({
  key,
  sizeBytes: body.byteLength,
  body: async function* () {
    for (let at = 0; at < body.byteLength; at += 3000) yield body.subarray(at, at + 3000);
  },
  ...more,
});
const files = (count: number, bytes = 4000): PutRequest[] =>
  Array.from({ length: count }, (_, i) => item(`f${i}`, bodyOf(bytes, i)));

async function outcomesOf(outcomes: AsyncIterable<PutOutcome>): Promise<Map<string, PutOutcome>> {
  const found = new Map<string, PutOutcome>();
  for await (const outcome of outcomes) found.set(outcome.key, outcome);
  return found;
}

async function read(client: AwsClient, key: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await client.get(key)).body) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function hotVolumes({ world }: ReturnType<typeof stageOf>): Promise<number> {
  const { components } = world.start();
  const volumes = await listVolumes(components.panda, components.settings.cell);
  return volumes.filter(({ class: cls }) => cls === 'hot').length;
}

const allOk = (outcomes: Map<string, PutOutcome>): boolean => [...outcomes.values()].every(({ ok }) => ok);

it('stages what is much, what waited first, and writes nothing hot', async () => {
  const stage = stageOf();
  const outcomes = await outcomesOf(stage.client.putAll(files(30)));
  expect([outcomes.size, allOk(outcomes)]).toEqual([30, true]);
  expect(outcomes.get('f7')).toMatchObject({ sizeBytes: 4000, newBytes: expect.any(Number) });
  expect(stage.opsOf()).toEqual(['bulkBegin', 'bulkPart', 'bulkGather']);
  expect(await hotVolumes(stage)).toBe(0);
  expect(stage.staging.objects.size).toBe(0);
  for (const i of [0, 15, 29]) expect(await read(stage.client, `f${i}`)).toEqual(bodyOf(4000, i));
});

it('sends what is little as ever, without asking', async () => {
  const stage = stageOf();
  expect(allOk(await outcomesOf(stage.client.putAll(files(10))))).toBe(true);
  expect(stage.opsOf()).toEqual(['put']);
});

it('goes the old way where the stage is of an earlier release', async () => {
  const refused = { error: { kind: 'invalid', code: 'REQUEST_INVALID', message: 'request: op' } };
  const stage = stageOf(({ op }) => (op.startsWith('bulk') ? refused : undefined));
  expect(allOk(await outcomesOf(stage.client.putAll(files(30))))).toBe(true);
  expect(stage.opsOf()).toEqual(['bulkBegin', 'put', 'put']);
  expect(await read(stage.client, 'f29')).toEqual(bodyOf(4000, 29));
});

it('gathers again what was turned away, and names what was not stored', async () => {
  const wire = ({ kind, code, message }: ReturnType<typeof conflict>) => ({ error: { kind, code, message } });
  const stage = stageOf(({ op, objects = [] }, count) => {
    if (op !== 'bulkGather' || count > 2) return undefined;
    const busy = wire(conflict('CONTENDED', 'many writers'));
    if (count === 1) return { results: objects.map(() => busy) };
    return { results: objects.map((_, i) => (i === 3 ? wire(conflict('VERSION_MISMATCH', 'no')) : busy)) };
  });
  const outcomes = await outcomesOf(stage.client.putAll(files(30)));
  expect(outcomes.get('f3')).toMatchObject({ ok: false, error: { code: 'VERSION_MISMATCH' } });
  expect([...outcomes.values()].filter(({ ok }) => ok)).toHaveLength(29);
  expect(stage.requests.filter(({ op }) => op === 'bulkGather').map(({ objects }) => objects?.length)).toEqual([
    30, 30, 29,
  ]);
  await expect(read(stage.client, 'f3')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
});

it('puts the same name twice in the order given', async () => {
  const stage = stageOf();
  const twice = [...files(20), item('f2', bodyOf(500, 900)), ...files(20).slice(3), item('f2', bodyOf(600, 901))];
  let count = 0;
  for await (const { ok } of stage.client.putAll(twice)) count += Number(ok);
  expect(count).toBe(twice.length);
  expect(await read(stage.client, 'f2')).toEqual(bodyOf(600, 901));
});

it('leaves out what is not what it was, and what cannot be read', async () => {
  const stage = stageOf();
  const changed = item('changed', bodyOf(9000, 800), { verify: () => Promise.reject(conflict('FILE_CHANGED', 'no')) });
  const gone = item('gone', bodyOf(5, 1), {
    body: async function* () {
      yield bodyOf(9000, 802);
      throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    },
  });
  const outcomes = await outcomesOf(stage.client.putAll([...files(20), changed, gone, item('end', bodyOf(7000, 803))]));
  expect(outcomes.get('changed')).toMatchObject({ ok: false, error: { code: 'FILE_CHANGED' } });
  expect(outcomes.get('gone')).toMatchObject({ ok: false, error: { code: 'ENOENT' } });
  expect(await read(stage.client, 'end')).toEqual(bodyOf(7000, 803));
  expect(stage.opsOf()).toContain('bulkGather');
});

it('stops where the caller is not let in', async () => {
  const denied = { error: { kind: 'denied', code: 'NAMESPACE_DENIED', message: 'no' } };
  const stage = stageOf(({ op }) => (op === 'bulkPart' ? denied : undefined));
  await expect(outcomesOf(stage.client.putAll(files(30)))).rejects.toMatchObject({ code: 'NAMESPACE_DENIED' });
});
