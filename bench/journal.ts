// What the journal of the metadata costs and what it gives: `journal-shipping` beside puts and gets of real files;
// `journal` over a long history of puts (POCKETFUL_BENCH_OBJECTS of them, a million if not said) on directories: how
// often a byte is written, what lies on the drives, what a restore reads, how much memory a merge takes;
// `journal-restore`: how long a restore of so many objects takes. POCKETFUL_BENCH_SCALE (say 0.1) does less of the
// first, POCKETFUL_BENCH_DIR says where.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreTo } from '../lib/engine/backup/restore.ts';
import { createEmbedded, openEmbedded } from '../lib/engine/wire/embedded.ts';
import type { Merge } from '../lib/journal/ladder.ts';
import type { Shelves } from '../lib/journal/shelves.ts';
import { newestOf, type Segment, waysOf } from '../lib/journal/way.ts';
import { LADDER_FAN_MAX, LADDER_TOP_LEVEL_MAX } from '../lib/limits/journal.ts';
import { PRESETS } from '../lib/settings/settings.ts';
import { type Benches, elapsedMs, type Figure, machine, median } from './bench.ts';
import { COPIES, DRIVES, playPuts, shelvesIn } from './store/journal-history.ts';
import { makeManyRecords } from './store/many-records.ts';
import { smallFiles } from './store/source-files.ts';
import { StoreChild } from './store/store-child.ts';

const OBJECTS = Number(process.env['POCKETFUL_BENCH_OBJECTS'] ?? 1_000_000);
const SCALE = Number(process.env['POCKETFUL_BENCH_SCALE'] ?? 1);
const PUTS_PER_SECOND = 1000;
const FILES = 20_000;
const ROUNDS = 9;
const MIB = 1024 * 1024;
/** So many merges of a level are measured, the later ones of a history being the larger. */
const MERGES_MEASURED = 4;
/** Above all levels. */
const WHOLE = 99;

export const benches: Benches = {
  journal: async () => ({ bench: 'journal', machine: machine(), figures: await inFolder(historyFigures) }),
  'journal-restore': async () => ({
    bench: 'journal-restore',
    machine: machine(),
    figures: await inFolder(restoreFigures),
  }),
  'journal-shipping': async () => ({
    bench: 'journal-shipping',
    machine: machine(),
    figures: await inFolder(shippingFigures),
  }),
};

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(process.env['POCKETFUL_BENCH_DIR'] ?? tmpdir(), 'pocketful-journal-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two stores, one of which is not shipped, take turns. */
async function shippingFigures(folder: string): Promise<Figure[]> {
  const files = smallFiles(join(folder, 'files'), Math.ceil(FILES * SCALE));
  const each = Math.ceil(files.length / ROUNDS);
  const children: StoreChild[] = [];
  const readers: StoreChild[] = [];
  try {
    for (const what of ['shipped', 'unshipped']) {
      const dir = join(folder, what);
      await (await createEmbedded(dir, { settings: PRESETS.personal })).close();
      children.push(await StoreChild.start('store-process.ts', [dir, what], 'open'));
      readers.push(await StoreChild.start('store-process.ts', [dir], 'open'));
    }
    const ratios = { put: [] as number[], cpu: [] as number[], get: [] as number[], getCpu: [] as number[] };
    for (let at = 0, round = 0; at < files.length; at += each, round++) {
      const some = files.slice(at, at + each);
      const inTurn = round % 2 === 0 ? children : children.toReversed();
      const puts = new Map<StoreChild, { ms: number; cpuMs: number }>();
      for (const child of inTurn) puts.set(child, await child.order({ what: 'put', files: some }));
      const gets = new Map<StoreChild, { ms: number; cpuMs: number }>();
      for (const child of round % 2 === 0 ? readers : readers.toReversed())
        gets.set(child, await child.order({ what: 'get', files: some }));
      const [shipped, unshipped] = children as [StoreChild, StoreChild];
      const [besideShipped, besideUnshipped] = readers as [StoreChild, StoreChild];
      ratios.put.push((puts.get(unshipped)?.ms ?? 0) / (puts.get(shipped)?.ms ?? 0));
      ratios.cpu.push((puts.get(shipped)?.cpuMs ?? 0) / (puts.get(unshipped)?.cpuMs ?? 0));
      ratios.getCpu.push((gets.get(besideShipped)?.cpuMs ?? 0) / (gets.get(besideUnshipped)?.cpuMs ?? 0));
      ratios.get.push((gets.get(besideUnshipped)?.ms ?? 0) / (gets.get(besideShipped)?.ms ?? 0));
    }
    for (const child of [...readers, ...children]) await child.end();
    const percent = (ratio: number): number => 100 * ratio;
    return [
      { name: `files of 4-64 KiB in ${ROUNDS} rounds`, value: files.length, unit: '' },
      { name: 'put throughput, shipped to unshipped', value: percent(median(ratios.put)), unit: '%' },
      { name: 'CPU of a put, shipped to unshipped', value: percent(median(ratios.cpu)), unit: '%' },
      { name: 'get throughput, shipped to unshipped', value: percent(median(ratios.get)), unit: '%' },
      { name: 'CPU of a get, shipped to unshipped', value: percent(median(ratios.getCpu)), unit: '%' },
    ];
  } finally {
    for (const child of [...readers, ...children]) child.kill();
  }
}

async function historyFigures(folder: string): Promise<Figure[]> {
  const merges = new MergeMemory(folder);
  const history = await playPuts(folder, OBJECTS, PUTS_PER_SECOND, (shelves) => merges.look(shelves));
  await merges.whole(shelvesIn(folder));
  const { shippedBytes, mergedBytes, snapshotBytes, bytesOnDrives, wayMax } = history;
  const perMillion = 1e6 / OBJECTS;
  return [
    { name: `puts, ${PUTS_PER_SECOND} a second`, value: OBJECTS, unit: '' },
    { name: 'shipped, one copy, bytes a put', value: shippedBytes / OBJECTS, unit: 'B' },
    { name: 'merged to shipped', value: mergedBytes / shippedBytes, unit: 'x' },
    { name: 'snapshots to shipped', value: snapshotBytes / shippedBytes, unit: 'x' },
    { name: 'written for a byte shipped', value: 1 + (mergedBytes + snapshotBytes) / shippedBytes, unit: 'x' },
    {
      name: `on ${DRIVES} drives, ${COPIES} copies, a million puts`,
      value: (bytesOnDrives * perMillion) / MIB,
      unit: 'MiB',
    },
    { name: 'segments that a restore reads, at most', value: wayMax, unit: '' },
    ...merges.figures(),
  ];
}

const wayOn = async (shelves: Shelves): Promise<readonly Segment[]> =>
  newestOf(waysOf((await shelves.list()).segments))?.way ?? [];

interface Merged {
  readonly ms: number;
  readonly bytes: number;
  readonly peakRssBytes: number;
  readonly idleRssBytes: number;
}

/** Does merges that are due in processes of their own, beforehand. */
class MergeMemory {
  readonly #folder: string;
  readonly #byLevel = new Map<number, { peak: Merged; count: number }>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async look(shelves: Shelves): Promise<void> {
    const way = await wayOn(shelves);
    // Of the higher levels there are as many as there ever are before the merges of the lower ones make one more.
    for (let level = 0; level <= LADDER_TOP_LEVEL_MAX; level++) {
      const segments = way.filter((one) => one.level === level);
      if (segments.length >= (level === LADDER_TOP_LEVEL_MAX ? 2 : LADDER_FAN_MAX - 1))
        await this.#measure({ segments, level: Math.min(LADDER_TOP_LEVEL_MAX, level + 1) });
    }
  }

  /** All that a restore reads, as one: what a stage's snapshot is made of. */
  async whole(shelves: Shelves): Promise<void> {
    await this.#measure({ segments: await wayOn(shelves), level: WHOLE });
  }

  async #measure(merge: Merge): Promise<void> {
    const known = this.#byLevel.get(merge.level);
    const isTop = merge.level >= LADDER_TOP_LEVEL_MAX;
    if (!isTop && (known?.count ?? 0) >= MERGES_MEASURED) return;
    const file = join(this.#folder, 'merge.json');
    writeFileSync(file, JSON.stringify(merge.segments));
    const merged = await answerOf<Merged>('journal-merge-process.ts', [this.#folder, file]);
    const peak = known === undefined || known.peak.peakRssBytes < merged.peakRssBytes ? merged : known.peak;
    this.#byLevel.set(merge.level, { peak, count: (known?.count ?? 0) + 1 });
  }

  figures(): Figure[] {
    return [...this.#byLevel]
      .sort(([a], [b]) => a - b)
      .flatMap(([level, { peak }]) => {
        const what = level === WHOLE ? 'all segments as one' : `a merge to level ${level}`;
        const above = peak.peakRssBytes - peak.idleRssBytes;
        return [
          { name: `${what}: result`, value: peak.bytes / MIB, unit: 'MiB' },
          { name: `${what}: peak memory`, value: peak.peakRssBytes / MIB, unit: 'MiB' },
          { name: `${what}: of that, above the idle process`, value: above / MIB, unit: 'MiB' },
        ];
      });
  }
}

async function answerOf<T>(script: string, args: readonly string[]): Promise<T> {
  const child = fork(join(import.meta.dirname, 'store', script), args, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const answered = once(child, 'message');
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${script} ended with ${code}`);
  });
  const [answer] = (await Promise.race([answered, ended])) as [T];
  ended.catch(() => {});
  return answer;
}

interface Restored {
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly segments: number;
  readonly bytes: number;
}

/** A store of very many tiny objects whose metadata is lost. */
async function restoreFigures(folder: string): Promise<Figure[]> {
  const dir = join(folder, 'store');
  const backup = join(folder, 'backup');
  await makeManyRecords(dir, backup, OBJECTS);
  await restoreTo(dir, backup, { rebuild: true });
  await rm(backup);
  const store = await openEmbedded(dir);
  await store.beginWriting();
  const snapshotMs = await elapsedMs(() => store.journal?.shipNow());
  await store.close();
  for (const name of await readdir(dir)) if (name.startsWith('panda.')) await rm(join(dir, name));
  const { seconds, peakRssBytes, segments, bytes } = await answerOf<Restored>('from-drives-process.ts', [dir]);
  return [
    { name: 'objects restored', value: OBJECTS, unit: '' },
    { name: 'the snapshot, one copy', value: bytes / MIB, unit: 'MiB' },
    { name: 'the snapshot, to ship it', value: snapshotMs / 1000, unit: 's' },
    { name: 'segments read', value: segments, unit: '' },
    { name: 'restore --from-drives', value: seconds, unit: 's' },
    { name: 'restore --from-drives, peak memory', value: peakRssBytes / MIB, unit: 'MiB' },
  ];
}
