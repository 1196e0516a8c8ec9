// Churn beside restic in one run: waves that each delete 20 % of the files at random and put as many again. Pocketful
// as in the bench `churn`, held at 1.15; then `restic prune` after each wave, told to leave as much unused as
// Pocketful held on average. What each rewrote, at the overhead it held; and what the greedy order rewrites of the
// same waves, with volumes of so many files as ours, and as restic's packs, have. No order does better while what is
// deleted is drawn at random: all that lives is as likely to die, so a byte is freed for least where least is left.
//   --files=20000 --waves=10   of 4 to 64 KiB
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandomness, shuffled } from '../lib/foundation/randomness.ts';
import { incompressible } from '../test/store/sealed-overhead.ts';
import { type Benches, type BenchResult, type Flags, machine } from './bench.ts';
import { type ChurnOrder, churnInProcess } from './churn.ts';

const KIB = 1024;
const MB = 1e6;
const SHARE = 0.2;
const TARGET = 1.15;
const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: KIB, MiB: KIB ** 2, GiB: KIB ** 3 };

export const benches: Benches = { 'churn-restic': beside };

interface Held {
  readonly rewrittenBytes: number;
  /** Stored over used, after each wave. */
  readonly overheads: readonly number[];
  readonly ms: number;
}

async function beside(options: Flags): Promise<BenchResult> {
  const files = Number(options['files'] ?? 20_000);
  const waves = Number(options['waves'] ?? 10);
  const order: ChurnOrder = { what: 'waves', files, waves, share: SHARE, target: TARGET };
  const answer = await churnInProcess(order);
  const ours: Held = {
    rewrittenBytes: answer.waves.reduce((sum, { movedBytes }) => sum + movedBytes, 0),
    overheads: answer.waves.map(({ after }) => after),
    ms: answer.ms,
  };
  const theirs = restic(files, waves, mean(ours.overheads));
  const used = answer.putBytes;
  const greedy = [
    { name: 'volumes of our size, as full as ours', filesEach: VOLUME_BYTES / FILE_BYTES, fullFill: OUR_FULL_FILL },
    { name: 'volumes of our size, quite full', filesEach: VOLUME_BYTES / FILE_BYTES, fullFill: 1 },
    { name: "packs of restic's size", filesEach: PACK_BYTES / FILE_BYTES, fullFill: 1 },
  ].map(({ name, ...sizes }) => ({
    name: `greedy order, ${name}: rewritten`,
    value: (greedyRewritten({ files, waves, overhead: mean(ours.overheads), ...sizes }) * used) / MB,
    unit: 'MB',
  }));
  const figures = [ours, theirs].flatMap((held, i) => {
    const name = i === 0 ? 'Pocketful' : 'restic';
    const ratio = held.rewrittenBytes / theirs.rewrittenBytes;
    return [
      { name: `${name}: overhead held, mean`, value: mean(held.overheads), unit: '' },
      { name: `${name}: rewritten`, value: held.rewrittenBytes / MB, unit: 'MB', ...(i === 0 ? { ratio } : {}) },
      { name: `${name}: wall time of the waves`, value: held.ms / 1000, unit: 's' },
    ];
  });
  return { bench: 'churn-restic', machine: machine(), figures: [...figures, ...greedy] };
}

/** Mean bytes of a file, of a volume's data and of a pack. */
const FILE_BYTES = 34 * KIB;
const VOLUME_BYTES = 6 * KIB * KIB;
const PACK_BYTES = 16 * KIB * KIB;
/** What of a new volume lives at first: directories, and columns of uneven length, take the rest. */
const OUR_FULL_FILL = 0.98;

interface Volume {
  readonly written: number;
  readonly live: readonly number[];
}
const fillOf = ({ written, live }: Volume): number => live.length / written;
const volumesOf = (files: readonly number[], filesEach: number): Volume[] =>
  Array.from({ length: Math.ceil(files.length / filesEach) }, (_, i) => {
    const live = files.slice(i * filesEach, (i + 1) * filesEach);
    return { written: live.length, live };
  });

/**
 * Files rewritten, as a multiple of all that live, by taking the volume of the least fill until no more than this
 * overhead is held.
 */
function greedyRewritten(of: {
  readonly files: number;
  readonly waves: number;
  readonly overhead: number;
  readonly filesEach: number;
  readonly fullFill: number;
}): number {
  const random = new SeededRandomness(2026);
  const filesEach = Math.round(of.filesEach);
  const writtenMax = of.overhead * of.files * of.fullFill;
  let next = of.files;
  let rewritten = 0;
  let volumes = volumesOf([...Array(of.files).keys()], filesEach);
  for (let wave = 0; wave < of.waves; wave++) {
    const doomed = new Set(
      shuffled(
        volumes.flatMap(({ live }) => live),
        random,
      ).slice(0, Math.round(of.files * SHARE)),
    );
    const fresh = Array.from(doomed, () => next++);
    volumes = volumes.map(({ written, live }) => ({ written, live: live.filter((file) => !doomed.has(file)) }));
    volumes = [...volumes, ...volumesOf(fresh, filesEach)].sort((a, b) => fillOf(a) - fillOf(b));
    let held = volumes.reduce((sum, { written }) => sum + written, 0);
    const moved: number[] = [];
    while (held > writtenMax && volumes.length > 0) {
      const { written, live } = volumes.shift() as Volume;
      held -= written - live.length;
      moved.push(...live);
    }
    volumes.push(...volumesOf(moved, filesEach));
    rewritten += moved.length;
  }
  return rewritten / of.files;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function restic(files: number, waves: number, overhead: number): Held {
  const folder = fs.mkdtempSync(join(tmpdir(), 'pocketful-restic-'));
  try {
    const tree = join(folder, 'tree');
    fs.mkdirSync(tree);
    const random = new SeededRandomness(2026);
    let there: number[] = [];
    let next = 0;
    const put = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const bytes = 4 * KIB + random.below(60 * KIB + 1);
        fs.writeFileSync(join(tree, `${next}`), incompressible(bytes, next));
        there.push(next++);
      }
      run(folder, 'backup', 'tree', '-q');
    };
    run(folder, 'init', '-q');
    put(files);
    const unused = `${(100 * (1 - 1 / overhead)).toFixed(2)}%`;
    const beganMs = performance.now();
    const pruned = Array.from({ length: waves }, () => {
      there = shuffled(there, random);
      const doomed = there.splice(0, Math.round(there.length * SHARE));
      for (const number of doomed) fs.rmSync(join(tree, `${number}`));
      put(doomed.length);
      return prunedIn(run(folder, 'forget', '--keep-last', '1', '--prune', '--max-unused', unused));
    });
    return {
      rewrittenBytes: pruned.reduce((sum, one) => sum + one.rewrittenBytes, 0),
      overheads: pruned.map((one) => one.overhead),
      ms: performance.now() - beganMs,
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function run(folder: string, ...args: readonly string[]): string {
  const env = { ...process.env, RESTIC_PASSWORD: 'bench', RESTIC_REPOSITORY: join(folder, 'repository') };
  const { status, stdout, stderr } = spawnSync('restic', args, { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`restic ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** What a prune said of itself. Nothing to do is said in no such words. */
function prunedIn(said: string): { readonly rewrittenBytes: number; readonly overhead: number } {
  const bytesOf = (line: RegExp): number => {
    const [, value = '0', unit = 'B'] = line.exec(said) ?? [];
    return Number(value) * (UNITS[unit] ?? Number.NaN);
  };
  const remaining = bytesOf(/remaining:.*\/ ([\d.]+) (\w+)/);
  const unused = bytesOf(/unused size after prune: ([\d.]+) (\w+)/);
  return {
    rewrittenBytes: bytesOf(/to repack:.*\/ ([\d.]+) (\w+)/) - bytesOf(/this removes:.*\/ ([\d.]+) (\w+)/),
    overhead: remaining / (remaining - unused),
  };
}
