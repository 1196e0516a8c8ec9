// `pocketful demo [DIR]`: the main job on a real tree, shown step by step, with one table at the end. `npm start` runs
// it.
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { COMPACTION_CHANGES, Demo, type LocalRepair } from '../../lib/client/demo/demo.ts';
import { DemoKeeping } from '../../lib/client/demo/demo-keeping.ts';
import { demoTree } from '../../lib/client/demo/demo-tree.ts';
import type { RunReport } from '../../lib/compaction/run/reports.ts';
import type { Status } from '../../lib/engine/status/status.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { invalid } from '../../lib/foundation/errors.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import type { Redundancy } from '../../lib/volume/check/redundancy.ts';
import { addCommand, countArgument, type Run } from './command.ts';
import { strategyRows } from './compact.ts';
import { InterruptedError } from './interruption.ts';
import { PROJECT_ROOT, requireRepository } from './project.ts';
import { Progress } from './show/progress.ts';
import { bytesText, countOf, countText, dollarsText, ratioText, secondsText, table } from './show/text.ts';

const MB = 1_000_000;
const DEFAULT_BYTES = 300 * MB;
const DEFAULT_FILES_MIN = 3_000;
const DEFAULT_SEED = 2026;
const STORE = '.pocketful-demo';
/** In a store that the next demonstration may delete. */
const MARKER = 'made-by-demo.txt';
const DRIVES = 20;
const WAITING_SHOWN = 5;
/** The binary of Node itself, which the launcher installs: one file of over 100 MB says nothing about small ones. */
const isNodeBinary = (name: string): boolean => /^node-(linux|bin)-[^/]*\//.test(name);
/** What tools keep in node_modules beside the packages: it changes while they run. */
const isToolState = (name: string): boolean => name.startsWith('.');

interface DemoOptions {
  readonly seed?: number;
  readonly megabytes?: number;
}

interface Step {
  readonly step: string;
  readonly seconds: number;
  readonly result: string;
}

export function addDemo(program: Command): void {
  addCommand<DemoOptions>(
    program,
    'demo [dir]',
    'show the main job on a real tree (default: the first 300 MB of this project’s node_modules): store, code, lose drives, delete, compact, verify',
    (run, [dir], options) => runDemo(run, dir, options),
    (command) =>
      command
        .option('--seed <number>', 'which drives go away and which files are deleted', countArgument)
        .option('--megabytes <number>', 'at most so much of the tree', countArgument),
  );
}

async function runDemo(run: Run, dir: string | undefined, options: DemoOptions): Promise<void> {
  const seed = options.seed ?? DEFAULT_SEED;
  if (dir === undefined)
    requireRepository('without a directory it takes the packages that the project is developed with');
  const root = dir ?? join(PROJECT_ROOT, 'node_modules');
  const path = run.isDefaultStore ? STORE : run.directory();
  if (run.isDefaultStore) await removeOwnStore(path);
  const say = (text: string): void => {
    if (!run.json) process.stdout.write(`${text}\n`);
  };
  const bytesMax = options.megabytes === undefined ? DEFAULT_BYTES : options.megabytes * MB;
  const filesMin = options.megabytes === undefined ? DEFAULT_FILES_MIN : 1;
  const tree = await demoTree(
    root,
    bytesMax,
    filesMin,
    dir === undefined ? (name) => isNodeBinary(name) || isToolState(name) : () => false,
  );
  const store = await createEmbedded(path, { settings: PRESETS.demo, drives: DRIVES });
  if (run.isDefaultStore) await writeFile(join(path, MARKER), 'Made by npm start, which deletes it the next time.\n');
  say(`${countOf(tree.files.length, 'file')}, ${bytesText(tree.bytes)}, of ${root} (seed ${seed})`);
  say(
    `a fresh store of ${DRIVES} drives in ${path}: small puts are kept four times, then coded 12 + 2 + 2; large ones are coded at once\n`,
  );
  const steps: Step[] = [];
  const demo = new Demo(store, tree, seed);
  try {
    await new Show(run, demo, new DemoKeeping(store, seed), steps, say).all();
  } finally {
    await store.close();
  }
  const stored = run.isDefaultStore ? `file:${STORE}` : run.address;
  run.answer({ seed, files: tree.files.length, bytes: tree.bytes, store: stored, steps }, () =>
    summary(steps, stored, demo.left[0]?.name ?? ''),
  );
}

/** What an earlier demonstration left, and nothing else. Throws `invalid` DEMO_FOREIGN. */
async function removeOwnStore(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const names = await readdir(path);
  if (names.length > 0 && !names.includes(MARKER))
    throw invalid(
      'DEMO_FOREIGN',
      `${path} was not made by the demonstration, so it is not deleted: move it away, or name another place with --store file:DIR`,
    );
  await rm(path, { recursive: true, force: true });
}

class Show {
  readonly #run: Run;
  readonly #demo: Demo;
  readonly #steps: Step[];
  readonly #say: (text: string) => void;
  readonly #keeping: DemoKeeping;

  constructor(run: Run, demo: Demo, keeping: DemoKeeping, steps: Step[], say: (text: string) => void) {
    this.#run = run;
    this.#demo = demo;
    this.#keeping = keeping;
    this.#steps = steps;
    this.#say = say;
  }

  async all(): Promise<void> {
    const demo = this.#demo;
    const { files, bytes } = demo.tree;
    await this.#step('put', { items: files.length, bytes }, async (tick) => {
      const { atOnceBytes, smallPuts } = await demo.put(tick);
      return (seconds) =>
        `${countText(files.length)} files, ${countText(Math.round(files.length / seconds))} files/s, ${(bytes / MB / seconds).toFixed(1)} MB/s: ` +
        `${bytesText(atOnceBytes)} in one put, coded at once, the rest in ${countOf(smallPuts, 'small put')}`;
    });
    await this.#step('encode', { bytes }, async (tick) => {
      const report = await demo.encode(tick);
      const { overhead } = await demo.status();
      return () =>
        `${countOf(report.hotBefore, 'hot replica-4 volume')} into ${countOf(report.destinations, 'lrc-12-2-2 volume')}, ` +
        `${countText(report.freedZones)} zones freed; sealed ${overheadText(overhead.sealed)}`;
    });
    await this.#withDrivesAway();
    const deleted = await this.#delete();
    await this.#compact();
    await this.#keep();
    await this.#step('verify', { items: demo.left.length }, async (tick) => {
      await demo.readAll(tick);
      await demo.expectGone(deleted);
      return () =>
        `${countText(demo.left.length)} files have the SHA-256 of their source; ${countText(deleted.length)} deleted ones answer "not found"`;
    });
  }

  async #compact(): Promise<void> {
    const demo = this.#demo;
    await this.#step('compact', {}, async (tick) => {
      const before = (await demo.status()).overhead.sealed;
      const runs = await demo.compact(tick);
      const { overhead } = await demo.status();
      this.#say(`    ${COMPACTION_CHANGES}`);
      for (const line of table(
        [['    strategy', 'runs', 'reclaimed', 'moved', 'metadata rows', 'on AWS'], ...strategyRows(runs).map(named)],
        [1, 2, 3, 4, 5],
      ).split('\n'))
        this.#say(line);
      return () => `${strategyText(runs)}; sealed ${overheadText(before)} -> ${overheadText(overhead.sealed)}`;
    });
  }

  /** A drive dies, and a byte rots: both are made whole. */
  async #keep(): Promise<void> {
    await this.#step('a drive dies', {}, async () => {
      const { drive, added, columns, writtenBytes, same, redundancy } = await this.#keeping.replace();
      return () =>
        `drive ${drive} is gone for good, drive ${added} takes its place: ${countOf(columns, 'column')} made again, ${bytesText(writtenBytes)}, all ${countOf(same, 'chunk')} byte for byte; ${wholeText(redundancy)}`;
    });
    await this.#step('a byte rots', {}, async (tick) => {
      const rot = await this.#keeping.rot((bytes) => tick({ bytes }));
      return () =>
        `found by the scrubber in column ${rot.column} of volume ${rot.volume} (${countText(rot.readObjects)} objects, ${bytesText(rot.readBytes)} read), made again; ${wholeText(rot.redundancy)}`;
    });
  }

  async #withDrivesAway(): Promise<void> {
    const demo = this.#demo;
    const drawn = demo.drawDrives();
    const fourth = drawn.at(-1) as number;
    const three = drawn.slice(0, -1);
    try {
      await this.#step(`read, drives ${three.join(', ')} away`, { items: demo.left.length }, async (tick) => {
        const { rebuilt, repair } = await demo.readWithout(three, tick);
        const shown = repair ?? (await demo.localRepair(drawn, tick));
        return () =>
          `all ${countText(demo.left.length)} SHA-256 match, ${countText(rebuilt)} records rebuilt${repairText(shown)}`;
      });
      await demo.bringBack();
      for (const drive of drawn) await demo.takeAway(drive);
      await this.#step(`read, drive ${fourth} away too`, { items: demo.left.length }, async (tick) => {
        const waiting = await demo.readAll(tick, true);
        for (const { name, drives } of waiting.slice(0, WAITING_SHOWN))
          this.#say(`    ${name} waits for ${drives.join(', ')}`);
        if (waiting.length > WAITING_SHOWN) this.#say(`    … and ${countText(waiting.length - WAITING_SHOWN)} more`);
        return () =>
          waiting.length === 0
            ? 'all are still readable'
            : `${countText(demo.left.length - waiting.length)} readable, ${countText(waiting.length)} wait for drives, none lost`;
      });
    } finally {
      await demo.bringBack();
    }
  }

  async #delete() {
    const demo = this.#demo;
    let deleted: Awaited<ReturnType<Demo['delete']>>['deleted'] = [];
    await this.#step('delete 70 %, GC', {}, async (tick) => {
      const before = (await demo.status()).overhead.sealed;
      const report = await demo.delete(tick);
      deleted = report.deleted;
      const after = (await demo.status()).overhead.sealed;
      return () =>
        `${countText(deleted.length)} files deleted, ${countText(report.garbage.slots)} blocks shredded; sealed ${overheadText(before)} -> ${overheadText(after)}`;
    });
    return deleted;
  }

  async #step(
    name: string,
    total: { readonly items?: number; readonly bytes?: number },
    work: (tick: Parameters<Demo['put']>[0]) => Promise<(seconds: number) => string>,
  ): Promise<void> {
    const progress = new Progress(name, this.#run.clock);
    let text: (seconds: number) => string;
    try {
      text = await work((done) => {
        if (this.#run.interruption.happened) throw new InterruptedError();
        progress.show(done, total);
      });
    } finally {
      progress.end();
    }
    const seconds = Math.max(0.001, progress.elapsedMs / 1000);
    const result = text(seconds);
    this.#steps.push({ step: name, seconds: Number(seconds.toFixed(2)), result });
    this.#say(`${this.#steps.length}. ${name} (${secondsText(seconds * 1000)}): ${result}`);
  }
}

const STRATEGY_TEXT: Readonly<Record<string, string>> = {
  l1: 'L1 top-off',
  l2: 'L2 pack',
  l3: 'L3 drain',
  merge: 'bucket merge',
};
const named = ([strategy = '', ...rest]: readonly string[]): string[] => [
  `    ${STRATEGY_TEXT[strategy] ?? strategy}`,
  ...rest,
];

/** One line: which strategy reclaimed how much, and what all of it moved and cost. */
function strategyText(runs: readonly RunReport[]): string {
  const sum = (of: (run: RunReport) => number, own = runs): number => own.reduce((total, run) => total + of(run), 0);
  const each = [...new Set(runs.map(({ strategy }) => strategy))].sort().map((strategy) => {
    const own = runs.filter((run) => run.strategy === strategy);
    return `${strategy.toUpperCase()} reclaimed ${countText(sum((run) => run.retired, own))}`;
  });
  const moved = sum((run) => run.movedBytes + run.hostBytes);
  return `${each.join(', ')} volumes: ${bytesText(moved)} moved, ${countText(sum((run) => run.metadataWrites))} metadata rows, ${dollarsText(sum((run) => run.dollars))}`;
}

function repairText(repair: LocalRepair | undefined): string {
  if (repair === undefined) return '';
  const { column, volume, columnsRead, otherColumns, alone } = repair;
  const when = alone === undefined ? 'such as' : `with only drive ${alone} away`;
  return `, ${when} column ${column} of volume ${volume} from ${columnsRead.length} of the ${otherColumns} others`;
}

const wholeText = ({ volumes }: Redundancy): string => `all ${countOf(volumes, 'volume')} complete`;

const overheadText = (of: Status['overhead']['sealed']): string =>
  `overhead ${ratioText(of.allocated)} allocated, ${ratioText(of.stored)} stored, in ${countOf(of.volumes, 'volume')}`;

function summary(steps: readonly Step[], address: string, name: string): string {
  const rows = [
    ['step', 'seconds', 'result'],
    ...steps.map(({ step, seconds, result }) => [step, seconds.toFixed(1), result]),
  ];
  return [
    '',
    table(rows, [1]),
    '',
    `The store is ${address}. Try next:`,
    `  npx pocketful --store ${address} status`,
    `  npx pocketful --store ${address} ls`,
    `  npx pocketful --store ${address} stat "${name}"`,
  ].join('\n');
}
