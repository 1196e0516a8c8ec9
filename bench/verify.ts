// What verification costs. A scrub of a store of directories beside reading the same files whole, as many at once, with
// a CRC-32 over each; the index scanner over rows in SQLite, by processor time, as a core does it.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { readFileRange } from '../lib/drive/files.ts';
import type { EmbeddedStore } from '../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded } from '../lib/engine/wire/embedded.ts';
import { mapLimit } from '../lib/foundation/concurrency.ts';
import { systemRandomness } from '../lib/foundation/randomness.ts';
import { Frontend } from '../lib/frontend/frontend.ts';
import { SCRUBBED_COLUMNS_AT_ONCE } from '../lib/limits/verify.ts';
import { encodeHot } from '../lib/live-coder/encode-hot.ts';
import { SqlitePanda } from '../lib/panda/sqlite/sqlite-panda.ts';
import { PRESETS, settingsOf } from '../lib/settings/settings.ts';
import { Findings } from '../lib/verify/findings.ts';
import { scanIndex } from '../lib/verify/index-scan.ts';
import { scrub } from '../lib/verify/scrub.ts';
import { freeTrash } from '../lib/volume/runs/free.ts';
import { VolumeStore } from '../lib/volume/volume-store.ts';
import { World } from '../test/store/harness.ts';
import { incompressible } from '../test/store/sealed-overhead.ts';
import { type Benches, elapsedMs, type Figure, machine, median, peakRssDuring } from './bench.ts';

const MIB = 1024 * 1024;
const ROUNDS = Number(process.env['POCKETFUL_BENCH_ROUNDS'] ?? 5);
const SCRUBBED_BYTES = 480 * MIB;
const OBJECT_BYTES = 4 * MIB;
const BLOCKS = 200_000;
const PER_CALL = 256;

export const benches: Benches = {
  scrub: async () => ({ bench: 'scrub', machine: machine(), figures: await scrubSpeed() }),
  'index-scan': async () => ({ bench: 'index-scan', machine: machine(), figures: await indexSpeed() }),
};

async function scrubSpeed(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pocketful-scrub-'));
  const store = await createEmbedded(join(folder, 'store'), { settings: settingsOf('personal', { trashGraceMs: 0 }) });
  try {
    const { frontend, volumes } = store;
    for (let n = 0; n * OBJECT_BYTES < SCRUBBED_BYTES; n++) {
      const body = Readable.from([systemRandomness.bytes(OBJECT_BYTES)]);
      await frontend.put({ namespace: 'bench', key: `${n}`, body });
    }
    await volumes.open.sealAll('hot');
    await encodeHot(volumes, { force: true, flush: true });
    await volumes.open.sealAll('warm');
    await freeTrash(volumes);
    const rounds: { readonly bytes: number; readonly scrubMs: number; readonly boundMs: number }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const boundMs = await elapsedMs(() => readAll(store));
      let bytes = 0;
      const scrubMs = await elapsedMs(async () => {
        const allSinceMs = store.components.clock.nowMs();
        const report = await scrub(volumes, { findings: new Findings(), away: new Set(), allSinceMs });
        if (report.damage.length + report.unread > 0) throw new Error('a sound store is not sound');
        bytes = report.bytes;
      });
      if (round > 0) rounds.push({ bytes, scrubMs, boundMs });
    }
    const ratio = median(rounds.map(({ boundMs, scrubMs }) => boundMs / scrubMs));
    const speed = median(rounds.map(({ bytes, scrubMs }) => bytes / 1000 / scrubMs));
    return [{ name: 'scrub of everything, beside reading it with a CRC', value: speed, unit: 'MB/s', ratio }];
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every object on every drive. */
async function readAll({ components }: EmbeddedStore): Promise<void> {
  const paths: string[] = [];
  for (const { label } of components.drives)
    for (const entry of await readdir(label, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) paths.push(join(entry.parentPath, entry.name));
  await mapLimit(paths, SCRUBBED_COLUMNS_AT_ONCE, async (path) => crc32(await readFileRange(path)));
}

async function indexSpeed(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pocketful-index-'));
  try {
    const panda = await SqlitePanda.open(join(folder, 'panda.sqlite'));
    const world = new World(7, PRESETS.personal);
    const components = { ...world.start().components, panda };
    const volumes = new VolumeStore(components);
    await putBlocks(new Frontend(volumes));
    await volumes.open.sealAll('hot');
    await encodeHot(volumes, { force: true, flush: true });
    await volumes.open.sealAll('warm');
    await freeTrash(volumes);
    const speeds: number[] = [];
    let peakBytes = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      const before = process.cpuUsage();
      const fresh = new VolumeStore(components);
      const { result, peakRssBytes } = await peakRssDuring(() => scanIndex(fresh, { findings: new Findings() }));
      const { user, system } = process.cpuUsage(before);
      if (result.faults.length + result.unread > 0 || result.blocks !== BLOCKS) throw new Error('a sound index is not');
      peakBytes = peakRssBytes;
      if (round > 0) speeds.push((result.blocks / (user + system)) * 1e6);
    }
    await panda.close();
    return [
      { name: 'blocks held against their directories, by processor time', value: median(speeds), unit: '/s' },
      { name: 'peak resident set', value: peakBytes / MIB, unit: 'MiB' },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function putBlocks(frontend: Frontend): Promise<void> {
  for (let from = 0; from < BLOCKS; from += PER_CALL) {
    const items = Array.from({ length: Math.min(PER_CALL, BLOCKS - from) }, (_, i) => ({
      namespace: 'default',
      key: `many/${String(from + i).padStart(8, '0')}`,
      body: incompressible(64, from + i),
    }));
    for await (const outcome of frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
  }
}
