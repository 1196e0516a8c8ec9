// Stores that grow old on both engines: sizes are those of `personal`, 64 times smaller, and so is what is put.
import { codecOf } from '../../lib/codec/codecs.ts';
import { runTasks, type TaskOutcome, tasksOf } from '../../lib/engine/upkeep/daemon.ts';
import { encodeStage, sweepStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { HOUR_MS, MINUTE_MS } from '../../lib/foundation/durations.ts';
import type { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import type { Process } from '../store/harness.ts';
import { incompressible, PERSONAL_SCALED } from '../store/sealed-overhead.ts';

export const MEGABYTE = 1_000_000 / 64;

/** Upkeep for so long: what it could not do. */
export type Upkeep = (p: Process, hours: number) => Promise<string[]>;

const storeOf = (p: Process) => ({ ...p, components: p.components, queue: new MemoryStream(p.components.clock) });

/** The daemon with its own schedule. */
export const asShipped: Upkeep = async (p, hours) => {
  const { clock } = p.components;
  const untilMs = clock.monotonicMs() + hours * HOUR_MS;
  const stop = new AbortController();
  const failed: string[] = [];
  const onDone = ({ error }: TaskOutcome): void => {
    if (error !== undefined) failed.push(error.message);
    if (clock.monotonicMs() >= untilMs) stop.abort();
  };
  await runTasks(tasksOf(storeOf(p)), { clock, signal: stop.signal, onDone });
  return failed;
};

/** The tasks of the daemon but verification, each once after so many hours and once more after a pass's time. */
const embedded: Upkeep = async (p, hours) => {
  const failed: string[] = [];
  const { signal } = new AbortController();
  const onDone = ({ error }: TaskOutcome): void => void (error === undefined || failed.push(error.message));
  for (const waitMs of [hours * HOUR_MS - 15 * MINUTE_MS, 15 * MINUTE_MS]) {
    await p.components.clock.sleep(waitMs);
    const tasks = tasksOf(storeOf(p)).filter(({ name }) => name !== 'verify');
    await runTasks(tasks, { clock: p.components.clock, signal, once: true, onDone });
  }
  return failed;
};

/** What the schedules of a stage call, as often. */
const stage: Upkeep = async (p, hours) => {
  const { signal } = new AbortController();
  for (const waitMs of [(hours - 1) * HOUR_MS, HOUR_MS]) {
    await p.components.clock.sleep(waitMs);
    await sweepStage(p.volumes, { signal });
    await encodeStage(p.volumes, { signal, stream: new MemoryStream(p.components.clock) });
  }
  return [];
};

export const ENGINES = { embedded, stage } as const;

/** Bodies that do not compress, of at most so many bytes each. */
export async function putBytes(p: Process, name: string, bytes: number, random: SeededRandomness, bytesMax: number) {
  const bodies: { namespace: string; key: string; body: Uint8Array }[] = [];
  for (let left = bytes; left > 0; left -= bodies.at(-1)?.body.length ?? 0) {
    const body = incompressible(Math.min(left, 1 + random.below(bytesMax)), random.below(2 ** 31));
    bodies.push({ namespace: 'default', key: `${name}-${bodies.length}`, body });
  }
  for await (const outcome of p.frontend.putAll(bodies)) if (!outcome.ok) throw outcome.error;
}

export interface Aged {
  /** Stored bytes of all volumes in use, over bytes given, over the code's own overhead. */
  readonly storedToCode: number;
  readonly hotStoredBytes: number;
  readonly warmVolumes: number;
  readonly warmBuckets: number;
}

export async function measure(p: Process, givenBytes: number): Promise<Aged> {
  const inUse = (await listVolumes(p.components.panda, p.components.settings.cell)).filter(
    ({ state, nextSeq }) => (state === 'open' && nextSeq > 1) || state === 'sealed',
  );
  const warm = inUse.filter((v) => v.class === 'warm');
  const hotStoredBytes = storedBytes(inUse.filter((v) => v.class === 'hot'));
  return {
    storedToCode: (hotStoredBytes + storedBytes(warm)) / givenBytes / codecOf(PERSONAL_SCALED.warmCodec).overhead,
    hotStoredBytes,
    warmVolumes: warm.length,
    warmBuckets: warm.reduce((sum, { buckets }) => sum + buckets.size, 0),
  };
}

const storedBytes = (volumes: readonly { readonly extentUsedBytes: readonly number[] }[]): number =>
  volumes.reduce((total, { extentUsedBytes }) => extentUsedBytes.reduce((sum, bytes) => sum + bytes, total), 0);
