// All policies on one workload, as `npm run bench -- policies` prints them.
import { STRATEGIES } from '../../compaction/facts/plan-settings.ts';
import { overheadAgainst, type Point } from './compare.ts';
import { ABLATIONS, curveOf, FIXED, type NamedPolicy, SHIPPED } from './policies.ts';
import { meanOf, sizeFor, type Trial, tried } from './trial.ts';
import { isLargeFleet, type Workload } from './workloads.ts';

interface Tried {
  readonly name: string;
  readonly trial: Trial;
}

export interface Comparison {
  readonly workload: string;
  readonly liveVolumes: number;
  readonly shipped: Trial;
  readonly all: readonly Tried[];
  /** Overhead of what ships over the least that fixed policies, or mixtures of them, hold for the same bytes. */
  readonly againstFixed: number;
  /** The same against each ablation, whatever its threshold; in the order of ABLATIONS. */
  readonly againstAblations: readonly number[];
}

const pointOf = ({ trial: { movedPerLive: moved, overhead } }: Tried): Point => ({ moved, overhead });

/** A volume more or less is much of a small fleet: the mean of several. */
const seedsFor = (liveVolumes: number, seed: number): number[] =>
  Array.from({ length: liveVolumes < 100 ? 3 : 1 }, (_, n) => seed + n);

/** The policies that are tried on a fleet so large that each takes a minute. */
const FEW_FIXED = ['none', 'L3 alone, from 0.13 dead', 'L3 alone, from 0.2 dead', 'L2 + L3, from 0.15 dead'];

export function compared(workload: Workload, liveVolumes: number, seed = 1): Comparison {
  const seeds = seedsFor(liveVolumes, seed);
  const run = ({ name, choice }: NamedPolicy): Tried => ({
    name,
    trial: meanOf(seeds.map((one) => tried(workload, choice, sizeFor(liveVolumes, one)))),
  });
  const isLarge = isLargeFleet(liveVolumes);
  const shipped = run(SHIPPED);
  const fixed = FIXED.filter(({ name }) => !isLarge || FEW_FIXED.includes(name)).map(run);
  // Doing nothing is open to every policy.
  const nothing = fixed.slice(0, 1);
  const curves = ABLATIONS.map((ablation) => (isLarge ? [ablation] : curveOf(ablation)).map(run));
  const against = (others: readonly Tried[]): number => overheadAgainst(others.map(pointOf), pointOf(shipped));
  return {
    workload: workload.name,
    liveVolumes,
    shipped: shipped.trial,
    all: [shipped, ...curves.flatMap(([own]) => (own === undefined ? [] : [own])), ...fixed],
    againstFixed: against(fixed),
    againstAblations: curves.map((curve) => against([...nothing, ...curve])),
  };
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(heads),
  row(heads.map(() => '---')),
  ...rows.map(row),
];

/** One line a workload: what ships, and how it stands. */
export function summaryTable(comparisons: readonly Comparison[]): string[] {
  const heads = [
    'workload',
    'volumes',
    'overhead',
    'moved / live',
    'WA',
    'threshold at the end',
    'best fixed',
    ...ABLATIONS.map(({ name }) => name),
  ];
  const shown = (ratio: number): string => ratio.toFixed(3);
  const rows = comparisons.map(({ workload, liveVolumes, shipped, againstFixed, againstAblations }) => [
    workload,
    String(liveVolumes),
    shown(shipped.overhead),
    shipped.movedPerLive.toFixed(2),
    shipped.writeAmplification.toFixed(2),
    shown(shipped.threshold),
    shown(againstFixed),
    ...againstAblations.map(shown),
  ]);
  const sizes = [...new Set(comparisons.map(({ liveVolumes }) => liveVolumes))];
  const means = sizes.map((size) => {
    const its = comparisons.filter(({ liveVolumes }) => liveVolumes === size);
    return `${shown(its.reduce((sum, { againstFixed }) => sum + againstFixed, 0) / its.length)} with ${size} volumes`;
  });
  return [...table(heads, rows), '', `Mean against the best fixed policy: ${means.join(', ')}.`];
}

/** Every policy on one workload. */
export function policiesTable({ workload, liveVolumes, all }: Comparison): string[] {
  const heads = [
    'policy',
    'overhead',
    'moved / live',
    'WA',
    'rows',
    '$/month',
    ...STRATEGIES.map((s) => `${s} runs, moved, freed`),
  ];
  const rows = all.map(({ name, trial }) => [
    name,
    trial.overhead.toFixed(3),
    trial.movedPerLive.toFixed(2),
    trial.writeAmplification.toFixed(2),
    String(Math.round(trial.rows)),
    trial.dollarsPerMonth.toFixed(2),
    ...STRATEGIES.map((s) => {
      const { runs, bytes, reclaimed } = trial.by[s];
      return `${runs}, ${Math.round(bytes / trial.volumeBytes)}, ${Math.round(reclaimed)}`;
    }),
  ]);
  return [`${workload}, ${liveVolumes} volumes`, '', ...table(heads, rows)];
}

/** docs/policies.md. */
export const policiesPage = (comparisons: readonly Comparison[]): string =>
  `${[PAGE_HEAD, ...summaryTable(comparisons), ...comparisons.flatMap((one) => ['', '', `## ${one.workload}, ${one.liveVolumes} volumes`, '', ...policiesTable(one).slice(2)])].join('\n')}\n`;

const PAGE_HEAD = `# Policies compared

Written by \`npm run bench -- policies --write=1\`; do not edit by hand. Same source, same page. What is compared, and what
follows from it, is in [compaction.md](compaction.md#policies-compared).
`;
