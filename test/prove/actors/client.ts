// A client: what it asks and is told goes into the history, and nothing else decides what is right.
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { Violation } from '../checkers/violation.ts';
import { type BodyId, bodyOf, drawnBody, drawnLongBody } from '../model/bodies.ts';
import type { Operation, Value } from '../model/history.ts';
import { addressOf, drawnKey, NAMESPACES } from './names.ts';
import type { Acting, SimWorld } from './sim-world.ts';
import { upload } from './uploader.ts';

const BYTES_MAX = 1e7;

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;

export const CLIENT: Readonly<Record<string, Act>> = {
  put: (world, acting, random) => put(world, acting, [drawnKey(world, random)], random),
  'put-many': (world, acting, random) => put(world, acting, drawnKeys(world, random, 2 + random.below(4)), random),
  'put-long': (world, acting, random) => put(world, acting, [drawnKey(world, random)], random, drawnLongBody),
  'put-absent': putAbsent,
  upload,
  head: getHead,
  get: async (world, acting, random) => {
    await get(world, acting, drawnKey(world, random));
  },
  range: getRange,
  delete: (world, acting, random) => remove(world, acting, [drawnKey(world, random)]),
  'delete-many': (world, acting, random) => remove(world, acting, drawnKeys(world, random, 2 + random.below(6))),
  list,
};

export const begin = (
  world: SimWorld,
  acting: Acting,
  key: string,
  kind: Operation['kind'],
  value?: Value,
): Operation => world.history.begin({ key, kind, value, process: acting.process.owner, from: world.scheduler.steps });

export function answered(
  world: SimWorld,
  operation: Operation,
  result: Operation['result'],
  seen?: readonly Value[],
): void {
  operation.to = world.scheduler.steps;
  operation.result = result;
  if (seen !== undefined) operation.seen = seen;
  const { key, kind, value } = operation;
  world.trace.note(
    `${world.scheduler.nowUs} ${operation.process} ${kind} ${key} ${value ?? ''} ${result} ${seen ?? ''}`,
  );
}

export async function put(
  world: SimWorld,
  acting: Acting,
  keys: readonly string[],
  random: SeededRandomness,
  drawn: (random: SeededRandomness) => BodyId = (drawing) => drawnBody(drawing, world.plan.bodies),
): Promise<void> {
  const puts = keys.map((key) => begin(world, acting, key, 'put', drawn(random)));
  const items = puts.map(({ key, value }) => ({ ...addressOf(key), body: bodyOf(value as BodyId) }));
  for await (const outcome of acting.frontend.putAll(items)) {
    const operation = ofOutcome(puts, outcome);
    if (!outcome.ok && !isPocketfulError(outcome.error)) throw outcome.error;
    answered(world, operation, outcome.ok ? 'ok' : 'maybe');
    if (!outcome.ok) acceptable(world, outcome.error, ['retry', 'unknown', 'conflict']);
  }
}

export async function putAbsent(
  world: SimWorld,
  acting: Acting,
  random: SeededRandomness,
  name = drawnKey(world, random),
): Promise<void> {
  const operation = begin(world, acting, name, 'put-absent', drawnBody(random, world.plan.bodies));
  const body = bodyOf(operation.value as BodyId);
  try {
    await acting.frontend.put({ ...addressOf(operation.key), body, ifVersion: 'absent' });
    answered(world, operation, 'ok');
  } catch (error) {
    // It was not done, as there is an object: that is an answer.
    const isRefused = isPocketfulError(error) && error.code === 'VERSION_MISMATCH';
    answered(world, operation, isRefused ? 'refused' : 'maybe');
    if (!isRefused) acceptable(world, error, ['retry', 'unknown', 'conflict']);
  }
}

export async function remove(world: SimWorld, acting: Acting, keys: readonly string[]): Promise<void> {
  const operations = keys.map((key) => begin(world, acting, key, 'delete'));
  for await (const outcome of acting.frontend.deleteAll(keys.map(addressOf))) {
    const operation = ofOutcome(operations, outcome);
    if (outcome.ok) {
      answered(world, operation, 'ok');
      continue;
    }
    if (!isPocketfulError(outcome.error)) throw outcome.error;
    // That it is not there is an answer: by this delete's own first try, or before.
    const isGone = outcome.error.code === 'OBJECT_MISSING';
    answered(world, operation, isGone ? 'ok' : 'maybe');
    if (!isGone) acceptable(world, outcome.error, ['retry', 'unknown', 'conflict']);
  }
}

/** Of a batch, in which no key comes twice: outcomes do not say their namespace. */
const ofOutcome = (operations: readonly Operation[], outcome: { readonly key: string }): Operation =>
  operations.find(({ key }) => addressOf(key).key === outcome.key) as Operation;

function drawnKeys(world: SimWorld, random: SeededRandomness, count: number): string[] {
  const names = Array.from({ length: count }, () => drawnKey(world, random));
  return [...new Map(names.map((name) => [addressOf(name).key, name])).values()];
}

/** Whether it was answered. */
export async function get(world: SimWorld, acting: Acting, name: string): Promise<boolean> {
  const operation = begin(world, acting, name, 'get');
  const { namespace, key } = addressOf(name);
  return read(
    world,
    operation,
    () => acting.frontend.read(namespace, key, BYTES_MAX),
    (body) => body,
  );
}

async function getRange(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const name = drawnKey(world, random);
  const operation = begin(world, acting, name, 'get');
  const { namespace, key } = addressOf(name);
  const range = { offset: random.below(600), length: random.below(1500) };
  await read(
    world,
    operation,
    () => acting.frontend.read(namespace, key, BYTES_MAX, range),
    (body) => (range.offset > body.length ? undefined : body.subarray(range.offset, range.offset + range.length)),
  );
}

async function read(
  world: SimWorld,
  operation: Operation,
  call: () => Promise<Uint8Array>,
  partOf: (body: Uint8Array) => Uint8Array | undefined,
): Promise<boolean> {
  const { key } = operation;
  let found: Uint8Array | undefined;
  let isTooShort = false;
  try {
    found = await call();
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    isTooShort = error.code === 'RANGE_INVALID';
    if (error.code !== 'OBJECT_MISSING' && !isTooShort) {
      answered(world, operation, 'maybe');
      acceptable(world, error, ['retry', 'unknown', 'conflict']);
      return false;
    }
  }
  const seen = world.history.valuesOf(key).filter((value) => {
    if (value === undefined) return found === undefined && !isTooShort;
    const part = partOf(bodyOf(value));
    if (isTooShort) return part === undefined;
    return found !== undefined && part !== undefined && Buffer.compare(part, found) === 0;
  });
  answered(world, operation, 'ok', seen);
  if (seen.length === 0)
    throw new Violation('wrong', `${key} reads as ${found?.length ?? 'no'} bytes that were never put`);
  return true;
}

/** Of a key only how long its body is: an answer of its own, as no block is read. */
async function getHead(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const name = drawnKey(world, random);
  const operation = begin(world, acting, name, 'get');
  const { namespace, key } = addressOf(name);
  let bytes: number | undefined;
  try {
    bytes = (await acting.frontend.head(namespace, key)).sizeBytes;
  } catch (error) {
    if (!isPocketfulError(error) || error.code !== 'OBJECT_MISSING') {
      answered(world, operation, 'maybe');
      return acceptable(world, error, ['retry', 'unknown', 'conflict']);
    }
  }
  const seen = world.history
    .valuesOf(name)
    .filter((value) => (value === undefined ? undefined : bodyOf(value).length) === bytes);
  answered(world, operation, 'ok', seen);
  if (seen.length === 0) throw new Violation('wrong', `${name} has ${bytes ?? 'no'} bytes, as nothing that was put`);
}

/** Every page; keys in order, each once. What is listed and what is read is compared when all is still. */
async function list(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const limit = 3 + random.below(60);
  const namespace = NAMESPACES[random.below(NAMESPACES.length)] as string;
  let from: string | undefined;
  let last = '';
  try {
    do {
      const page = await acting.frontend.list({ namespace, limit, ...(from === undefined ? {} : { from }) });
      for (const { key } of page.objects) {
        if (key <= last) throw new Violation('wrong', `a list goes from ${last} to ${key}`);
        last = key;
      }
      from = page.next;
    } while (from !== undefined);
  } catch (error) {
    acceptable(world, error, ['retry', 'unknown']);
  }
}

/** Errors that may be answered while things fail; anything else is a fault of the store. */
export function acceptable(world: SimWorld, error: unknown, kinds: readonly string[]): void {
  if (!isPocketfulError(error)) throw error;
  if (kinds.includes(error.kind)) return;
  if (world.mayHaveLost && error.kind === 'corrupt') return;
  throw new Violation('error', `${error.kind} ${error.code}: ${error.message}`);
}
