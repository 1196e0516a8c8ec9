// Compaction policies in the simulator: what ships, what ships less one strategy, and fixed policies, on the declared
// workloads, with fleets of 20 and 200 volumes; `--volumes=20,200,20000` says which (beyond 1,000 fewer policies on
// fewer workloads are tried). What is done is kept in a file, so that a run that was cut off goes on where it was;
// `--fresh=1` begins anew. `--write=1` writes the tables into docs/policies.md and docs/compaction.md.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Comparison,
  compared,
  policiesPage,
  policiesTable,
  summaryTable,
} from '../lib/sim/policies/comparison.ts';
import { tenantsCompared, tenantsTable } from '../lib/sim/policies/tenants.ts';
import { FLEET_SIZES, workloadsFor } from '../lib/sim/policies/workloads.ts';
import { type Benches, type BenchResult, type Flags, machine } from './bench.ts';

export const benches: Benches = {
  policies: async (flags) => benchPolicies(flags),
  'policies-tenants': async (flags) => benchTenants(Number(flags['volumes'] ?? 200)),
};

/** Ratios to what the policy compared with holds for the same bytes. */
const GOAL = 1.05;
const GOAL_MEAN = 1.02;
const GOAL_ABLATED = 1.02;
/** At least 15 % better. */
const GOAL_SEPARATED = 0.85;

const ROOT = path.dirname(import.meta.dirname);
const DOCS = path.join(ROOT, 'docs');
/** What figures hang on: those of another source are not gone on with. */
const SOURCES = ['compaction', 'cost', 'sim', 'limits', 'settings'];
const [TABLE_BEGINS, TABLE_ENDS] = [
  '<!-- policies: npm run bench -- policies --write=1 -->\n',
  '<!-- policies end -->\n',
];

function benchPolicies(flags: Flags): BenchResult {
  const sizes = (flags['volumes'] ?? FLEET_SIZES.join(',')).split(',').map(Number);
  const kept = new Kept(flags['fresh'] !== undefined);
  const wanted = sizes.flatMap((volumes) => workloadsFor(volumes).map((workload) => ({ workload, volumes })));
  const comparisons = wanted.map(({ workload, volumes }, at) => {
    const comparison = kept.get(`${workload.name}, ${volumes} volumes`, () => compared(workload, volumes));
    const shown = `${workload.name}, ${volumes} volumes: ${comparison.againstFixed.toFixed(3)}`;
    process.stderr.write(`${at + 1} of ${wanted.length}: ${shown}\n`);
    return comparison;
  });
  if (flags['write'] !== undefined) writeTables(comparisons);
  return {
    bench: 'policies',
    machine: machine(),
    figures: figuresOf(comparisons),
    text: [...summaryTable(comparisons), ...comparisons.flatMap((one) => ['', ...policiesTable(one)])],
  };
}

/** Whether it would pay to keep namespaces apart (docs/compaction.md). */
function benchTenants(volumes: number): BenchResult {
  const curves = tenantsCompared(volumes);
  const figures = curves.map(({ workload, separated, againstMixed }) => {
    const value = Math.min(...againstMixed);
    const name = `${workload}, ${separated}: overhead over that of mixed tenants at equal bytes, least`;
    return { name, value, unit: '', ratio: value / GOAL_SEPARATED };
  });
  return { bench: 'policies-tenants', machine: machine(), figures, text: tenantsTable(curves) };
}

function figuresOf(comparisons: readonly Comparison[]): BenchResult['figures'] {
  const against = comparisons.map(({ againstFixed }) => againstFixed);
  const worst = Math.max(...against);
  const mean = against.reduce((sum, ratio) => sum + ratio, 0) / against.length;
  const ablated = Math.max(...comparisons.flatMap(({ againstAblations }) => againstAblations));
  const name = 'overhead over the best fixed policy at equal bytes, worst';
  const less = 'the same over what ships less one strategy, worst';
  return [
    { name, value: worst, unit: '', ratio: worst / GOAL },
    { name: 'the same, mean', value: mean, unit: '', ratio: mean / GOAL_MEAN },
    { name: less, value: ablated, unit: '', ratio: ablated / GOAL_ABLATED },
  ];
}

function writeTables(comparisons: readonly Comparison[]): void {
  fs.writeFileSync(path.join(DOCS, 'policies.md'), policiesPage(comparisons));
  const page = path.join(DOCS, 'compaction.md');
  const text = fs.readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(TABLE_BEGINS), text.indexOf(TABLE_ENDS)];
  if (from < 0 || to < from) throw new Error(`${page} has no place for the table`);
  const table = `\n${summaryTable(comparisons).join('\n')}\n\n`;
  fs.writeFileSync(page, `${text.slice(0, from + TABLE_BEGINS.length)}${table}${text.slice(to)}`);
}

/** Comparisons that were made before from the same source, one a line. */
class Kept {
  readonly #file: string;
  readonly #known: Map<string, Comparison>;

  constructor(isFresh: boolean) {
    this.#file = path.join(tmpdir(), `pocketful-policies-${digestOfSources()}.jsonl`);
    if (isFresh) fs.rmSync(this.#file, { force: true });
    const lines = fs.existsSync(this.#file) ? fs.readFileSync(this.#file, 'utf8').split('\n') : [];
    // The last line of a run that was cut off may be torn.
    const whole = lines.slice(0, -1).map((line) => JSON.parse(line) as { name: string; comparison: Comparison });
    this.#known = new Map(whole.map(({ name, comparison }) => [name, comparison]));
    if (this.#known.size > 0) process.stderr.write(`goes on from ${this.#file}\n`);
  }

  get(name: string, make: () => Comparison): Comparison {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const comparison = make();
    fs.appendFileSync(this.#file, `${JSON.stringify({ name, comparison })}\n`);
    return comparison;
  }
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  for (const folder of SOURCES) {
    const at = path.join(ROOT, 'lib', folder);
    const files = fs.readdirSync(at, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    for (const file of files.sort()) hash.update(`${file}\n`).update(fs.readFileSync(path.join(at, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
