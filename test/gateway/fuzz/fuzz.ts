// So many requests of a seed through the gateway as it is, over a whole store on memory bodies: none may be a fault of the
// server, none may hang, what is stored must be what was sent, and memory must not grow with their number.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseRule } from '../../../lib/access/policy.ts';
import { objectEngineOf } from '../../../lib/client/object-engine.ts';
import { tasksOf } from '../../../lib/engine/upkeep/daemon.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { type OpenGateway, openGateway } from '../../../lib/gateway/open-gateway.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import { MemoryStream } from '../../../lib/stream/memory-stream.ts';
import { World } from '../../store/harness.ts';
import { type Answered, type Case, caseOf } from './cases.ts';

const MIB = 1024 * 1024;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const AT_ONCE = 8;
const UPKEEP_EVERY = 4000;
const HANG_MS = 20_000;
const POOL = 24;

export interface FuzzReport {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byKind: Readonly<Record<string, number>>;
  /** The first few, each with its number: the same seed makes it again. */
  readonly wrong: readonly string[];
  readonly slowestMs: number;
  /** Of the heap, when all that nobody holds is collected: the most in the first fifth of the requests, and the last. */
  readonly heapMib: readonly [early: number, late: number];
  readonly seconds: number;
}

export async function fuzz(
  requests: number,
  seed: number,
  onStep: (done: number) => void = () => {},
): Promise<FuzzReport> {
  const world = new World(seed, undefined, 20, new MemoryPanda());
  const process_ = world.start();
  const internal: string[] = [];
  const open = openGateway(objectEngineOf(process_), {
    onInternal: (error, id) => internal.push(`${id}: ${error instanceof Error ? error.stack : String(error)}`),
  });
  const random = new SeededRandomness(seed);
  const key = await open.keys.add(
    { name: 'fuzz', rules: [parseRule('all')] },
    { randomness: random, nowMs: world.clock.nowMs() },
  );
  await open.buckets.create('photos', 'fuzz');
  const pool = Array.from({ length: POOL }, (_, i) => random.bytes(i < 4 ? i : 1 + random.below(3000)));
  for (const [i, body] of pool.entries())
    await open.objects.batcher.put({
      namespace: 'photos',
      key: `pool-${i}`,
      body,
      sizeBytes: body.length,
      isAnyKey: true,
    });
  const upkeep = tasksOf({ ...process_, queue: new MemoryStream(world.clock, 3) });
  const collectGarbage = async () => upkeep.find(({ name }) => name === 'gc')?.run(new AbortController().signal);
  const tally = new Tally();
  const startedMs = performance.now();
  for (let at = 0; at < requests; at += AT_ONCE) {
    const cases = Array.from({ length: Math.min(AT_ONCE, requests - at) }, (_, i) =>
      caseOf({ random, key, nowMs: world.clock.nowMs(), pool, index: at + i }),
    );
    await Promise.all(cases.map((one, i) => tally.answered(open, one, at + i, internal)));
    if (at % UPKEEP_EVERY >= AT_ONCE) continue;
    // Uploads and what was deleted are given up: as time would.
    world.clock.advance(8 * DAY_MS);
    await open.uploads.sweep();
    await collectGarbage();
    tally.look(at >= requests / 5);
    onStep(at);
  }
  return tally.report(requests, (performance.now() - startedMs) / 1000);
}

class Tally {
  readonly #byStatus: Record<string, number> = {};
  readonly #byKind: Record<string, number> = {};
  readonly #wrong: string[] = [];
  #slowestMs = 0;
  #early = 0;
  #late = 0;

  async answered(open: OpenGateway, one: Case, index: number, internal: string[]): Promise<void> {
    const startedMs = performance.now();
    const answer = await within(answerTo(open, one, index));
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedMs);
    const status = answer?.status ?? 0;
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1;
    this.#byKind[one.kind] = (this.#byKind[one.kind] ?? 0) + 1;
    const isFault = status >= 500 && status !== 501;
    const wrong = answer === undefined ? 'no answer' : isFault ? `${status}` : one.check(answer);
    if (wrong === undefined || this.#wrong.length >= 10) return;
    const what = {
      ...one,
      headers: [...one.headers],
      pieces: one.pieces.map((piece) => Buffer.from(piece).toString('latin1')),
    };
    this.#wrong.push(`request ${index}: ${wrong}: ${JSON.stringify(what)} ${internal.splice(0).join('\n')}`);
  }

  /** What is left when all that nobody holds was collected. */
  look(isLate: boolean): void {
    collect();
    const mib = process.memoryUsage().heapUsed / MIB;
    if (isLate) this.#late = mib;
    else this.#early = Math.max(this.#early, mib);
  }

  report(requests: number, seconds: number): FuzzReport {
    const round = (value: number): number => Math.round(value * 10) / 10;
    return {
      ...{ requests, byStatus: this.#byStatus, byKind: this.#byKind, wrong: this.#wrong },
      ...{
        slowestMs: Math.round(this.#slowestMs),
        heapMib: [round(this.#early), round(this.#late)],
        seconds: round(seconds),
      },
    };
  }
}

async function answerTo(open: OpenGateway, one: Case, index: number): Promise<Answered> {
  const { method, path, query, headers, pieces } = one;
  const {
    status,
    headers: said,
    body,
  } = await open.gateway.answer({
    ...{ id: String(index), method, path, query, headers },
    async *body() {
      yield* pieces;
    },
  });
  const out: Uint8Array[] = [];
  if (typeof body === 'string') out.push(Buffer.from(body));
  else if (body !== undefined && method !== 'HEAD') for await (const piece of body) out.push(piece);
  return { status, headers: said, body: method === 'HEAD' ? Buffer.alloc(0) : Buffer.concat(out) };
}

/** Undefined: it has no end. */
async function within<T>(work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), HANG_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
