// `restore --rebuild` of very many tiny objects: how long, and how much memory. POCKETFUL_BENCH_OBJECTS says how many.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Benches, type BenchResult, machine } from './bench.ts';
import { makeManyRecords } from './store/many-records.ts';

const OBJECTS = Number(process.env['POCKETFUL_BENCH_OBJECTS'] ?? 1_000_000);
const MIB = 1024 * 1024;
const CHILD = fileURLToPath(new URL('store/restore-process.ts', import.meta.url));

interface Restored {
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly objects: number;
}

async function restore(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'pocketful-restore-'));
  try {
    const dir = join(folder, 'store');
    const backup = join(folder, 'backup');
    await makeManyRecords(dir, backup, OBJECTS);
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
