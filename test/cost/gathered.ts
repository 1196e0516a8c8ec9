// What blobs cost that a program puts one a call, many calls at once, counted from the real calls where something gathers
// them: the client before the function, the function itself where it has several requests at once, or a server in front
// of the store.
import { setTimeout } from 'node:timers/promises';
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { FrontendCaller } from '../../lib/client/aws/aws-call.ts';
import { AwsClient } from '../../lib/client/aws/aws-client.ts';
import { FRONTEND_MEMORY_MIB, putMs } from '../../lib/cost/usage.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { Batcher } from '../../lib/frontend/gathered/batcher.ts';
import { answerInvoke } from '../../lib/service/answer.ts';
import { toBase64 } from '../../lib/service/protocol.ts';
import { FrontendService } from '../../lib/service/service.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { BLOB_BYTES, type CostFigure, figureOf, MeteredStore, MILLION } from './figures.ts';

/** `client`: Lambda, one request at a time in each function. `function`: one that has them all at once. */
export type Gatherer = 'client' | 'function' | 'server';

export interface GatheredCost extends CostFigure {
  /** Of the function. */
  readonly calls: number;
  readonly blobs: number;
}

type Put = (key: string, body: Uint8Array) => Promise<void>;

/** `atOnce` callers, each with one put after the other, and none of them begun in the same moment. */
export async function gatheredPutCost(
  settings: Settings,
  gatherer: Gatherer,
  atOnce: number,
  putsEach: number,
): Promise<GatheredCost> {
  const store = new MeteredStore(settings);
  await store.putCall(1);
  const calls = { count: 0, ms: 0 };
  const put = PUTS[gatherer](store, calls);
  store.meter.take();
  const bodies = Array.from({ length: atOnce }, (_, caller) =>
    Array.from({ length: putsEach }, (_, i) => incompressible(BLOB_BYTES, 1e6 + caller * putsEach + i)),
  );
  await Promise.all(
    bodies.map(async (own, caller) => {
      await setTimeout(caller);
      for (const [i, body] of own.entries()) await put(`backup/2026/caller-${caller}/blob-${i}`, body);
    }),
  );
  const blobs = atOnce * putsEach;
  const msPerCall = calls.count === 0 ? 0 : calls.ms / calls.count;
  const figure = figureOf(store.meter.take(), calls.count, msPerCall, FRONTEND_MEMORY_MIB, blobs / MILLION);
  return { ...figure, calls: calls.count, blobs };
}

/** Much longer than sealing takes, even on a busy machine: it is who waits for whom that counts. */
const MS_A_CALL = 5;

/** A port whose calls take their time, so that what comes meanwhile finds them under way. */
const far = <T extends object>(port: T): T =>
  new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || ['scan', 'close'].includes(String(name))) return value;
      return async (...args: unknown[]): Promise<unknown> => {
        await setTimeout(MS_A_CALL);
        return value.apply(target, args);
      };
    },
  });

interface Calls {
  count: number;
  ms: number;
}

const PUTS: Readonly<Record<Gatherer, (store: MeteredStore, calls: Calls) => Put>> = {
  client: (store, calls) => {
    const { world } = store;
    const idle: FrontendService[] = [];
    const send = async ({ input }: InvokeCommand): Promise<object> => {
      const event = JSON.parse(Buffer.from(input.Payload as Uint8Array).toString()) as { objects: unknown[] };
      calls.count += 1;
      calls.ms += putMs(event.objects.length);
      const service = idle.pop() ?? new FrontendService(store.startVolumes(far));
      const answer = await answerInvoke(async () => service, event);
      idle.push(service);
      return { Payload: Buffer.from(JSON.stringify(answer)) };
    };
    const lambda = { send, destroy: () => {} } as unknown as LambdaClient;
    const parts = { lambda, functionName: 'frontend', clock: world.clock, randomness: new SeededRandomness(1) };
    const client = new AwsClient('dev', 'default', new FrontendCaller(parts));
    return async (key, body) => {
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield body;
      };
      for await (const outcome of client.putAll([{ key, body: source }])) if (!outcome.ok) throw outcome.error;
    };
  },
  // Managed instances are paid by the hour: no milliseconds of Lambda.
  function: (store, calls) => {
    const service = new FrontendService(store.startVolumes(far));
    return async (key, body) => {
      calls.count += 1;
      const event = { op: 'put', namespace: 'default', objects: [{ key, body: toBase64(body) }] };
      const answer = await answerInvoke(async () => service, event);
      if (!('results' in answer) || answer.results.some((one) => 'error' in one)) throw new Error('a put failed');
    };
  },
  server: (store) => {
    const batcher = new Batcher(new Frontend(store.startVolumes(far)));
    return async (key, body) =>
      void (await batcher.put({ namespace: 'default', key, body, sizeBytes: body.byteLength }));
  },
};
