// `npm run bench -- codec`: this kernel beside ISA-L, klauspost/reedsolomon and npm's packages, on the same bytes, in
// one run. All contenders take turns for several rounds, each in a process of its own, and the best of all rounds
// counts: on a shared machine the best is the only figure that repeats. Writes an SVG plot to POCKETFUL_BENCH_PLOT and
// the table of docs/codec.md to POCKETFUL_BENCH_DOC if those are set.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';
import { CODES, FRAGMENTS, fragmentData, type Measurement, parseLine } from './codec-peers/cases.ts';
import { buildPeers, type Contender } from './codec-peers/peers.ts';
import { plotSvg } from './codec-peers/plot.ts';
import { benchPlanning, benchPrimitives } from './codec-peers/primitives.ts';
import { writeTable } from './codec-peers/table.ts';

/** More rounds are for busy machines. */
const ROUNDS = Number(process.env['POCKETFUL_BENCH_ROUNDS'] ?? 3);
const OWN = 'this kernel';

export const benches: Benches = {
  codec: async () => report('codec', await benchCodec()),
  'codec-patterns': async () => report('codec-patterns', benchPlanning()),
  'codec-primitives': async () => report('codec-primitives', await benchPrimitives()),
};

function report(bench: string, figures: Figure[]): BenchResult {
  return { bench, machine: machine(), figures };
}

async function benchCodec(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pocketful-codec-'));
  try {
    const dataPath = join(folder, 'fragments');
    writeFileSync(dataPath, fragmentData());
    const { contenders, missing } = buildPeers(folder, dataPath);
    for (const line of missing) console.error(line);
    const own = {
      name: OWN,
      command: process.execPath,
      args: [join(import.meta.dirname, 'codec-peers/own.ts'), dataPath],
    };
    const widened = { ...own, name: 'this kernel, revectorized', args: [...own.args, 'revectorized'] };
    const best = bestOf(ROUNDS, [own, widened, ...contenders]);
    const plot = process.env['POCKETFUL_BENCH_PLOT'];
    if (plot !== undefined) writeFileSync(plot, plotSvg(best, machine()));
    const doc = process.env['POCKETFUL_BENCH_DOC'];
    if (doc !== undefined) writeTable(doc, best, machine(), ROUNDS);
    return figuresOf(best);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function bestOf(rounds: number, contenders: readonly Contender[]): Measurement[] {
  const best = new Map<string, Measurement>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, command, args } of contenders) {
      const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
      if (status !== 0 && name === OWN) throw new Error(`the kernel's own figures failed: ${stderr}`);
      if (stderr !== '') console.error(`${name}: ${stderr.trim()}`);
      for (const measured of stdout.split('\n').map(parseLine)) {
        if (!measured) continue;
        const key = `${measured.contender} ${measured.code} ${measured.operation} ${measured.fragmentBytes}`;
        const known = best.get(key);
        if (!known || known.bestGBs < measured.bestGBs) best.set(key, measured);
      }
    }
  }
  return [...best.values()];
}

/**
 * Ratios are to the fastest that ISA-L does in the same case, by its general coder or, where the case is a plain sum,
 * its XOR.
 */
function figuresOf(measured: readonly Measurement[]): Figure[] {
  const figures: Figure[] = [];
  for (const { name: code } of CODES) {
    for (const operation of ['encode', 'lose-1', 'worst'] as const) {
      for (const fragmentBytes of FRAGMENTS) {
        const here = measured.filter(
          (m) => m.code === code && m.operation === operation && m.fragmentBytes === fragmentBytes,
        );
        figures.push(...caseFigures(here, `${code} ${operation} ${fragmentBytes >> 10} KiB`));
      }
    }
  }
  return figures;
}

function caseFigures(here: readonly Measurement[], name: string): Figure[] {
  const fastest = (part: string): number =>
    Math.max(
      0,
      ...here.filter((m) => m.contender.startsWith('ISA-L') && m.contender.includes(part)).map((m) => m.bestGBs),
    );
  const anchor = fastest('');
  const figures: Figure[] = here.map((m) => ({
    name: `${name}, ${m.contender}`,
    value: round(m.bestGBs),
    unit: 'GB/s',
    ...(anchor > 0 ? { ratio: round(m.bestGBs / anchor) } : {}),
  }));
  const own = here.find((m) => m.contender === 'this kernel')?.bestGBs ?? 0;
  for (const [label, path] of [
    ['ISA-L general coder', 'dispatch'],
    ['ISA-L limited to AVX2', 'AVX2'],
  ] as const) {
    const speed = fastest(path);
    if (own > 0 && speed > 0)
      figures.push({ name: `${name}, this kernel / ${label}`, value: round(own / speed), unit: 'x' });
  }
  return figures;
}

const round = (value: number): number => Math.round(value * 100) / 100;
