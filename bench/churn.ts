// Churn on the embedded engine: 20,000 incompressible files of 4 to 64 KiB on 20 directory drives, ten waves that each
// delete 20 % at random and put as much again, overhead held at 1.15 and at 1.25; churn-one-shot: one delete of 75 % at
// random of a store that is complete (restic: stored overhead 1.010, live bytes rewritten 1.00; Kopia: 1.006, 1.01).
// Each in a process of its own, for its peak resident set. The settings are those of the default preset, every byte
// setting 64 times smaller. POCKETFUL_BENCH_SCALE (say 0.1) does less of it, POCKETFUL_BENCH_DIR says where.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lambertBound } from '../lib/compaction/plan/worth.ts';
import type { OneShot, Wave } from '../test/compaction/churn.ts';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';

const FILES = 20_000;
const WAVES = 10;
const SHARE = 0.2;
const TARGETS = [1.15, 1.25];
const MB = 1e6;
const MIB = 1024 * 1024;

export const benches: Benches = { churn, 'churn-one-shot': oneShot };

export type ChurnOrder =
  | {
      readonly what: 'waves';
      readonly files: number;
      readonly waves: number;
      readonly share: number;
      readonly target: number;
    }
  | { readonly what: 'one-shot'; readonly files: number; readonly share: number };

export interface ChurnAnswer {
  readonly putMs: number;
  readonly putBytes: number;
  readonly ms: number;
  readonly peakRssBytes: number;
  readonly waves: readonly Wave[];
  readonly oneShot?: OneShot;
}

const filesWanted = (): number => Math.round(FILES * Number(process.env['POCKETFUL_BENCH_SCALE'] ?? 1));

async function churn(): Promise<BenchResult> {
  const figures: Figure[] = [];
  for (const target of TARGETS) {
    const order: ChurnOrder = { what: 'waves', files: filesWanted(), waves: WAVES, share: SHARE, target };
    figures.push(...wavesFigures(target, await churnInProcess(order)));
  }
  return { bench: 'churn', machine: machine(), figures };
}

async function oneShot(): Promise<BenchResult> {
  const answer = await churnInProcess({ what: 'one-shot', files: filesWanted(), share: 0.75 });
  return { bench: 'churn-one-shot', machine: machine(), figures: oneShotFigures(answer) };
}

export async function churnInProcess(order: ChurnOrder): Promise<ChurnAnswer> {
  const folder = fs.mkdtempSync(join(process.env['POCKETFUL_BENCH_DIR'] ?? tmpdir(), 'pocketful-churn-'));
  try {
    const child = fork(join(import.meta.dirname, 'store', 'churn-process.ts'), [folder]);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the process of the bench ended with ${code}`);
    });
    child.send(order);
    const [answer] = (await Promise.race([once(child, 'message'), ended])) as [ChurnAnswer];
    ended.catch(() => {});
    child.disconnect();
    return answer;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function wavesFigures(target: number, answer: ChurnAnswer): Figure[] {
  const { waves } = answer;
  const sum = (of: (wave: Wave) => number): number => waves.reduce((total, wave) => total + of(wave), 0);
  const moved = sum((wave) => wave.movedBytes);
  const put = sum((wave) => wave.putBytes);
  const mean = (of: (wave: Wave) => number): number => sum(of) / waves.length;
  const held = mean((wave) => wave.after);
  const name = `held at ${target}`;
  return [
    { name: `${name}: put at the start`, value: answer.putBytes / MB, unit: 'MB' },
    { name: `${name}: put in the waves`, value: put / MB, unit: 'MB' },
    { name: `${name}: rewritten`, value: moved / MB, unit: 'MB' },
    {
      name: `${name}: write amplification (ratio: to the Lambert bound at the overhead held)`,
      value: (put + moved) / put,
      unit: '',
      ratio: (put + moved) / put / lambertBound(held),
    },
    { name: `${name}: wall time of the waves`, value: answer.ms / 1000, unit: 's' },
    { name: `${name}: metadata rows written by compaction`, value: sum((wave) => wave.metadataWrites), unit: 'rows' },
    { name: `${name}: overhead before compaction, mean`, value: mean((wave) => wave.before), unit: '' },
    { name: `${name}: overhead after compaction, mean`, value: held, unit: '' },
    { name: `${name}: overhead after compaction, most`, value: Math.max(...waves.map((wave) => wave.after)), unit: '' },
    ...waves.map((wave, i) => ({ name: `${name}: overhead after wave ${i + 1}`, value: wave.after, unit: '' })),
    { name: `${name}: peak resident set`, value: answer.peakRssBytes / MIB, unit: 'MiB' },
  ];
}

function oneShotFigures({ oneShot, ms, peakRssBytes }: ChurnAnswer): Figure[] {
  if (oneShot === undefined) throw new Error('the process did not answer what it was asked');
  const name = '75 % deleted at once';
  return [
    { name: `${name}: live bytes rewritten / live bytes`, value: oneShot.movedBytes / oneShot.liveBytes, unit: '' },
    {
      name: `${name}: stored overhead of sealed volumes, directories as live`,
      value: oneShot.storedBesideDirectories,
      unit: '',
    },
    { name: `${name}: stored overhead of sealed volumes`, value: oneShot.storedOverhead, unit: '' },
    { name: `${name}: allocated overhead of sealed volumes`, value: oneShot.allocatedOverhead, unit: '' },
    { name: `${name}: sealed volumes before`, value: oneShot.volumesBefore, unit: '' },
    { name: `${name}: sealed volumes after`, value: oneShot.volumes, unit: '' },
    { name: `${name}: wall time of delete, GC and compaction`, value: ms / 1000, unit: 's' },
    { name: `${name}: peak resident set`, value: peakRssBytes / MIB, unit: 'MiB' },
  ];
}
