// The client of a stage against the real frontend function on memory bodies; only the wire between them is of tests, so that it can lose
// answers, refuse and be of an earlier release.
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { FrontendCaller } from '../../lib/client/aws/aws-call.ts';
import { AwsClient } from '../../lib/client/aws/aws-client.ts';
import type { PutOutcome, PutRequest } from '../../lib/client/face.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { deploy } from '../functions/events.ts';
import { incompressible } from '../store/sealed-overhead.ts';

export const KIB = 1024;
const FROM_BYTES = 64 * KIB;

interface Request {
  readonly op: string;
  readonly objects?: readonly { readonly key: string }[];
}
type Meddle = (request: Request, count: number) => object | undefined;

export function stageOf(meddle: Meddle = () => undefined, settings?: Settings) {
  const { invoke, world, staging } = deploy(51, undefined, settings);
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

export const bodyOf = (bytes: number, seed: number): Buffer => Buffer.from(incompressible(bytes, seed));
export const item = (key: string, body: Buffer, more: Partial<PutRequest> = {}): PutRequest => ({
  key,
  sizeBytes: body.byteLength,
  body: async function* () {
    for (let at = 0; at < body.byteLength; at += 3000) yield body.subarray(at, at + 3000);
  },
  ...more,
});
export const files = (count: number, bytes = 4000): PutRequest[] =>
  Array.from({ length: count }, (_, i) => item(`f${i}`, bodyOf(bytes, i)));

export async function outcomesOf(outcomes: AsyncIterable<PutOutcome>): Promise<Map<string, PutOutcome>> {
  const found = new Map<string, PutOutcome>();
  for await (const outcome of outcomes) found.set(outcome.key, outcome);
  return found;
}

export async function read(client: AwsClient, key: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await client.get(key)).body) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function hotVolumes({ world }: ReturnType<typeof stageOf>): Promise<number> {
  const { components } = world.start();
  const volumes = await listVolumes(components.panda, components.settings.cell);
  return volumes.filter(({ class: cls }) => cls === 'hot').length;
}

export const allOk = (outcomes: Map<string, PutOutcome>): boolean => [...outcomes.values()].every(({ ok }) => ok);
export const codesOf = (outcomes: Map<string, PutOutcome>): unknown[] => [
  ...new Set([...outcomes.values()].map((one) => !one.ok && Reflect.get(one.error, 'code'))),
];
