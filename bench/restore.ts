// `restore --rebuild` of many tiny objects: how long, and how much memory. The store is made by the engine itself; POCKETFUL_BENCH_OBJECTS
// says how many objects (a million take minutes to make), POCKETFUL_BENCH_FOLDER where.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backupTo } from '../lib/engine/backup/backup.ts';
import { createEmbedded } from '../lib/engine/wire/embedded.ts';
import { SeededRandomness } from '../lib/foundation/randomness.ts';
import type { PutItem } from '../lib/frontend/frontend.ts';
import { settingsOf } from '../lib/settings/settings.ts';
import { type Benches, type BenchResult, machine } from './bench.ts';

const OBJECTS = Number(process.env['POCKETFUL_BENCH_OBJECTS'] ?? 50_000);
const OBJECT_BYTES = 32;
const MIB = 1024 * 1024;
const CHILD = fileURLToPath(new URL('store/restore-process.ts', import.meta.url));

async function makeStore(dir: string, backup: string): Promise<void> {
  const store = await createEmbedded(dir, { settings: settingsOf('demo'), drives: 20 });
  const random = new SeededRandomness(1);
  async function* items(): AsyncGenerator<PutItem> {
    for (let i = 0; i < OBJECTS; i++)
      yield { namespace: 'default', key: `many/${i % 1000}/${i}`, body: random.bytes(OBJECT_BYTES) };
  }
  for await (const outcome of store.frontend.putAll(items())) if (!outcome.ok) throw outcome.error;
  await backupTo(store, backup);
  await store.close();
}

interface Restored {
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly objects: number;
  readonly lostObjects: number;
}

async function restore(): Promise<BenchResult> {
  const folder = await mkdtemp(join(process.env['POCKETFUL_BENCH_FOLDER'] ?? tmpdir(), 'pocketful-restore-'));
  try {
    const dir = join(folder, 'store');
    const backup = join(folder, 'backup');
    await makeStore(dir, backup);
    await rename(join(dir, 'panda.sqlite'), join(folder, 'panda.before'));
    const child = fork(CHILD, [dir, backup], { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const [restored] = (await once(child, 'message')) as [Restored];
    if (restored.objects !== OBJECTS) throw new Error(`${restored.objects} of ${OBJECTS} objects came back`);
    return {
      bench: 'restore',
      machine: machine(),
      figures: [
        { name: 'objects', value: OBJECTS, unit: '' },
        { name: 'backup', value: (await stat(backup)).size / MIB, unit: 'MiB' },
        { name: 'restore --rebuild', value: restored.seconds, unit: 's' },
        { name: 'peak memory (RSS)', value: restored.peakRssBytes / MIB, unit: 'MiB' },
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const benches: Benches = { restore };
