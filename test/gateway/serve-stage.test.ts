// `serve --store aws:STAGE`: the client of a stage as it is, over memory bodies of its buckets, table and key, behind real
// sockets. What is put goes to these themselves, not through the stage's function, and no upkeep is begun.
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Run } from '../../bin/commands/command.ts';
import { serve } from '../../bin/commands/serve/serving.ts';
import { parseRule } from '../../lib/access/policy.ts';
import { StageAdmin, type StageEngine } from '../../lib/client/aws/aws-admin.ts';
import { FrontendCaller } from '../../lib/client/aws/aws-call.ts';
import { AwsClient } from '../../lib/client/aws/aws-client.ts';
import { Invoker } from '../../lib/client/aws/aws-invoke.ts';
import type { StageOutputs } from '../../lib/client/aws/aws-stage.ts';
import { readTallies, totalOf } from '../../lib/engine/status/tally.ts';
import { accessKeysOf } from '../../lib/gateway/key-ring.ts';
import { GatewayObjects } from '../../lib/gateway/objects.ts';
import { OUTPUTS } from '../../lib/settings/stage-names.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { Stage } from '../functions/stage.ts';
import { TINY, World } from '../store/harness.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { presigned, type RawAnswer, type RawCall, send, signedHeaders } from './signed-request.ts';

const OPTIONS = { host: '127.0.0.1', port: 0, adminHost: '127.0.0.1', adminPort: 0, region: 'us-east-1', daemon: true };

let world: World;
let client: AwsClient;
let invoked: string[];
let stopped = 0;

beforeEach(() => {
  world = new World(7);
  invoked = [];
  const { components, volumes, frontend } = world.start();
  const { stream } = new Stage(world);
  const engine = { components, volumes, frontend, queue: stream };
  const lambda = {
    send: async ({ input }: { input: { FunctionName?: string } }) => {
      invoked.push(input.FunctionName ?? '');
      return { FunctionError: 'Unhandled', Payload: Buffer.from('{}') };
    },
    destroy: () => {},
  } as unknown as LambdaClient;
  const ports = { clock: world.clock, randomness: components.randomness };
  const outputs = Object.fromEntries(Object.entries(OUTPUTS)) as unknown as StageOutputs;
  const invoker = new Invoker({ lambda, ...ports });
  const open = async () => engine;
  const admin = new StageAdmin('aws:dev', 'default', open, invoker, outputs, async () => null);
  const opened = {
    open,
    close: async () => {
      stopped += 1;
    },
  } as unknown as StageEngine;
  const caller = new FrontendCaller({ lambda, functionName: 'frontend', ...ports });
  client = new AwsClient('dev', 'default', caller, { admin, invoker, engine: opened });
});

const runs: { readonly run: Run; readonly ended: Promise<void> }[] = [];
afterEach(async () => {
  for (const { run, ended } of runs.splice(0)) {
    run.interruption.stop();
    await ended;
    await run.close();
  }
});

async function storedBytes(wanted: 'hot' | 'warm'): Promise<number> {
  const { components } = world.start();
  const volumes = await listVolumes(components.panda, components.settings.cell);
  return volumes
    .filter(({ class: cls }) => cls === wanted)
    .flatMap(({ extentUsedBytes }) => [...extentUsedBytes])
    .reduce((sum, bytes) => sum + bytes, 0);
}

interface Said {
  readonly endpoint: string;
  readonly admin: string;
}

async function served(): Promise<Said> {
  const run = new Run({ store: 'aws:dev', json: true });
  run.adopt(client);
  const said = Promise.withResolvers<Said>();
  run.answer = (value) => said.resolve(value as Said);
  run.say = () => {};
  const ended = serve(run, OPTIONS);
  ended.catch(said.reject);
  runs.push({ run, ended });
  return said.promise;
}

it('reads and writes the parts of the stage itself, with its own keys, and leaves upkeep to its schedules', async () => {
  const key = await accessKeysOf(new GatewayObjects(await client.objects())).add(
    { name: 'host', rules: [parseRule('all')] },
    { randomness: world.start().components.randomness, nowMs: world.clock.nowMs() },
  );
  const { endpoint, admin } = await served();
  const call = (one: RawCall): Promise<RawAnswer> => {
    const now = { ...one, nowMs: world.clock.nowMs() };
    return send(endpoint, signedHeaders(endpoint, key, now), now);
  };
  const body = 'x'.repeat(5000);
  expect((await call({ method: 'PUT', target: '/default/a%20b', body })).status).toBe(200);
  expect((await call({ target: '/default/a%20b', headers: { range: 'bytes=4990-' } })).body).toBe('x'.repeat(10));
  const copy = { 'x-amz-copy-source': '/default/a%20b' };
  expect((await call({ method: 'PUT', target: '/default/copy', headers: copy })).status).toBe(200);
  expect((await call({ target: '/default?list-type=2' })).body).toMatch(/<Key>a b<\/Key>.*<Key>copy<\/Key>/s);
  // What a stage's function would read is what was put here.
  const other = world.start();
  expect((await other.frontend.head('default', 'copy')).sizeBytes).toBe(5000);
  const url = presigned(endpoint, key, '/default/copy', world.clock.nowMs());
  expect(await (await fetch(url)).text()).toBe(body);
  expect((await fetch(url.replace('copy', 'a%20b'))).status).toBe(403);
  world.clock.advance(61_000);
  expect((await fetch(url)).status).toBe(403);
  expect((await call({ method: 'DELETE', target: '/default/copy' })).status).toBe(204);
  expect(await (await fetch(`${admin}/readyz`)).text()).toBe('ready\n');
  const page = await (await fetch(`${admin}/ui`)).text();
  expect(page).toContain('<bdi>aws:dev</bdi>');
  expect((await fetch(`${admin}/ui/fleet`)).status).toBe(200);
  expect(invoked).toEqual([]);
});

it('codes what is much at once, and counts it when it ends', async () => {
  const key = await accessKeysOf(new GatewayObjects(await client.objects())).add(
    { name: 'host', rules: [parseRule('all')] },
    { randomness: world.start().components.randomness, nowMs: world.clock.nowMs() },
  );
  const { components } = world.start();
  const hot = await storedBytes('hot');
  const { endpoint } = await served();
  const body = Buffer.from(incompressible(4 * TINY.groupBytesMin, 3)).toString('latin1');
  const one = { method: 'PUT', target: '/default/large', body, nowMs: world.clock.nowMs() };
  expect((await send(endpoint, signedHeaders(endpoint, key, one), one)).status).toBe(200);
  expect(await storedBytes('hot')).toBe(hot);
  expect(await storedBytes('warm')).toBeGreaterThan(4 * TINY.groupBytesMin);
  expect((await world.start().frontend.head('default', 'large')).sizeBytes).toBe(Buffer.byteLength(body));
  const [{ run, ended }] = runs as [(typeof runs)[number]];
  run.interruption.stop();
  await ended;
  const { encodedBytes, encodedGroups } = totalOf(await readTallies(components, 1));
  expect([encodedBytes > 4 * TINY.groupBytesMin, encodedGroups > 0]).toEqual([true, true]);
});

it('ends with the signal, and closes the stage', async () => {
  const before = stopped;
  const { endpoint } = await served();
  const [one] = runs.splice(0);
  one?.run.interruption.stop();
  await one?.ended;
  await one?.run.close();
  await expect(fetch(endpoint)).rejects.toThrow();
  expect(stopped).toBe(before + 1);
});

it('refuses a daemon of its own', async () => {
  const run = new Run({ store: 'aws:dev' });
  await expect(serve(run, { ...OPTIONS, withDaemon: true })).rejects.toMatchObject({ code: 'NOT_FOR_STAGE' });
  await run.close();
});
