// Simulates the whole store, seed by seed, as the options say (docs/testing.md). A failing seed is cut down and printed as one command. Exit code 1
// if any failed.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coverageOf, isMissing } from './checkers/steps.ts';
import { PROFILES, type Profile } from './faults/profile.ts';
import { openFault } from './open-faults.ts';
import { type Plan, planOf } from './plan/plan.ts';
import { printSums } from './run/print.ts';
import { type RunResult, runPlan } from './run/run-plan.ts';
import { type FailedSeed, Sums, type SumsFigures } from './run/sums.ts';
import { parseCut, planWith } from './shrink/cut.ts';
import { shrink } from './shrink/shrink.ts';

/** Later failures of a run are most often the first ones again. */
const SHRUNK_MAX = 3;
const COMPLETE_FROM_SEEDS = 10_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    profile: { type: 'string', default: 'swarm' },
    workers: { type: 'string', default: '1' },
    cut: { type: 'string' },
    json: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    'stop-at-first': { type: 'boolean', default: false },
    plant: { type: 'string' },
    aim: { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
    'open-faults': { type: 'boolean', default: false },
  },
});

const aim = values.aim === undefined ? undefined : new RegExp(values.aim);

function profileNamed(name: string): Profile {
  const found = PROFILES.find((profile) => profile.name === name);
  if (found !== undefined) return found;
  throw new Error(`no profile is called ${name}; there are: ${PROFILES.map((profile) => profile.name).join(', ')}`);
}

async function runSeeds(first: number, count: number, profile: Profile): Promise<SumsFigures> {
  const sums = new Sums();
  for (let seed = first; seed < first + count; seed++) {
    const whole = planOf(seed, profile, aim);
    const plan = values.cut === undefined ? whole : planWith(whole, parseCut(values.cut));
    const result = await resultOf(plan);
    sums.add(result);
    if (values.trace)
      console.log(`${JSON.stringify(plan, null, 2)}\n${result.lines.join('\n')}\ntrace ${result.digest}`);
    if (result.failure === undefined) continue;
    sums.fail(await failedSeed(profile, result, sums.figures().failed.length));
    if (values['stop-at-first']) break;
  }
  return sums.figures();
}

/** Errors are made by the thousand, and where is asked of few: a run that fails is done again for that. */
async function resultOf(plan: Plan): Promise<RunResult> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const result = await runPlan(plan, { keepTrace: values.trace });
  Error.stackTraceLimit = stackTraceLimit;
  return result.failure === undefined ? result : runPlan(plan, { keepTrace: values.trace });
}

async function failedSeed(profile: Profile, result: RunResult, before: number): Promise<FailedSeed> {
  const { seed } = result;
  const command = `npm run prove -- --seed ${seed} --seeds 1 --profile ${profile.name}${values.aim === undefined ? '' : ` --aim '${values.aim}'`}`;
  const isShrunk = values.cut === undefined && !values['no-shrink'] && before < SHRUNK_MAX;
  const shrunk = isShrunk ? await shrink(planOf(seed, profile, aim), result) : undefined;
  const { kind = 'bug', message = '', stack } = (shrunk?.result ?? result).failure ?? {};
  return {
    seed,
    kind,
    message,
    stack,
    command: shrunk === undefined ? command : `${command} --cut '${JSON.stringify(shrunk.cut)}'`,
  };
}

/** As many processes as told, each with its share of the seeds. */
async function runWorkers(first: number, count: number, workers: number): Promise<SumsFigures> {
  const sums = new Sums();
  const share = Math.ceil(count / workers);
  const aimed = values.aim === undefined ? [] : ['--aim', values.aim];
  const outputs = await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const from = first + i * share;
      const seeds = Math.max(0, Math.min(share, first + count - from));
      return outputOf(['--seed', `${from}`, '--seeds', `${seeds}`, '--profile', values.profile, '--json', ...aimed]);
    }),
  );
  for (const output of outputs) sums.merge(JSON.parse(output) as SumsFigures);
  return sums.figures();
}

function outputOf(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      // There are as many of them as cores: a collector's own threads are in the way of the others.
      ['--no-warnings', '--single-threaded-gc', fileURLToPath(new URL('main.ts', import.meta.url)), ...args],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code) =>
      output.startsWith('{') ? resolve(output) : reject(new Error(`exit code ${code}: ${output}`)),
    );
  });
}

const startMs = performance.now();
const [first, count, workers] = [Number(values.seed), Number(values.seeds), Number(values.workers)];
const profile = profileNamed(values.profile);
const figures = workers > 1 ? await runWorkers(first, count, workers) : await runSeeds(first, count, profile);
const coverage = coverageOf(figures.coverage);
/** What a run as long as this has to have seen of the protocols. */
const isIncomplete =
  count >= COMPLETE_FROM_SEEDS && profile.name === 'swarm' && aim === undefined && isMissing(coverage);
/** Faults that are listed as open are no news. */
const judged = figures.failed.map((one) => ({
  ...one,
  open: values['open-faults'] ? openFault(profile.name, one) : undefined,
}));
const failed = judged.filter(({ open }) => open === undefined);
if (values.json) console.log(JSON.stringify({ ...figures, sums: coverage }));
else printSums({ ...figures, failed: judged }, profile, first, (performance.now() - startMs) / 1000);
if (isIncomplete) console.error(`prove: ${count} seeds have to see every step and edge, and nearly every crash point`);
process.exitCode = failed.length > 0 || isIncomplete ? 1 : 0;
