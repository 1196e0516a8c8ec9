// Child process of the bench of the index: puts blobs into a fresh embedded store of the checkout it is told, and
// answers what of its main thread's time went where. Processor time of COMMITs is measured, that of everything else is
// shared out by the samples of the engine's own profiler: neither counts what other processes of the machine take.
// What a thread of the store does is not the main thread's.
import { createCipheriv } from 'node:crypto';
import { type Profiler, Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { createEmbedded as Create } from '../../lib/engine/wire/embedded.ts';
import type { PutItem } from '../../lib/frontend/put-item.ts';
import type { PRESETS as Presets } from '../../lib/settings/settings.ts';
import { samplesOf } from './profile.ts';

const SAMPLE_US = 250;

export interface IndexOrder {
  /** Of the checkout whose code is measured. */
  readonly root: string;
  readonly folder: string;
  readonly blobs: number;
  readonly bytes: number;
}

/** Microseconds of the main thread a blob. */
export interface IndexAnswer {
  readonly threadUs: number;
  /** Planning, checks, encoding, statements. */
  readonly indexUs: number;
  readonly commitUs: number;
  /** The same with its waiting for the disk. */
  readonly commitWallUs: number;
}

const cpuUs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};

const commits = { cpuUs: 0, wallUs: 0 };

function timeCommits(): void {
  const { run } = StatementSync.prototype;
  StatementSync.prototype.run = function (this: StatementSync, ...values: Parameters<typeof run>) {
    if (this.sourceSQL !== 'COMMIT') return run.apply(this, values);
    return timedCommit(() => run.apply(this, values));
  } as typeof run;
}

/** The profile knows it by this name. */
function timedCommit<T>(commit: () => T): T {
  const [cpuBefore, before] = [cpuUs(), performance.now()];
  try {
    return commit();
  } finally {
    commits.cpuUs += cpuUs() - cpuBefore;
    commits.wallUs += 1000 * (performance.now() - before);
  }
}

process.once('message', async ({ root, folder, blobs, bytes }: IndexOrder) => {
  const load = (path: string): Promise<unknown> => import(pathToFileURL(join(root, path)).href);
  const { createEmbedded } = (await load('lib/engine/wire/embedded.ts')) as { createEmbedded: typeof Create };
  const { PRESETS } = (await load('lib/settings/settings.ts')) as { PRESETS: typeof Presets };
  const store = await createEmbedded(folder, { settings: PRESETS.thrifty, drives: 4 });
  const put = async (from: number, to: number): Promise<void> => {
    for await (const outcome of store.frontend.putAll(items(from, to, bytes))) if (!outcome.ok) throw outcome.error;
  };
  await put(0, Math.ceil(blobs / 2)); // warms up
  timeCommits();
  const { profile, threadUs } = await profiled(() => put(blobs, 2 * blobs));
  await store.close();
  const { all, index } = samplesOf(profile, root, timedCommit.name);
  const usOf = (samples: number): number => ((threadUs - commits.cpuUs) * samples) / all / blobs;
  const answer: IndexAnswer = {
    threadUs: threadUs / blobs,
    indexUs: usOf(index),
    commitUs: commits.cpuUs / blobs,
    commitWallUs: commits.wallUs / blobs,
  };
  process.send?.(answer, () => process.exit(0));
});

async function profiled(work: () => Promise<void>): Promise<{ profile: Profiler.Profile; threadUs: number }> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  await session.post('Profiler.start');
  const beforeUs = cpuUs();
  await work();
  const threadUs = cpuUs() - beforeUs;
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  return { profile, threadUs };
}

function* items(from: number, to: number, bytes: number): Generator<PutItem> {
  for (let i = from; i < to; i++)
    yield { namespace: 'default', key: `photos/2026/${i % 100}/IMG_${i}.jpg`, body: incompressible(bytes, i) };
}

function incompressible(bytes: number, seed: number): Uint8Array {
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32LE(seed);
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), nonce).update(Buffer.alloc(bytes));
}
