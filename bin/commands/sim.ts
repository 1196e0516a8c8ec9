// `pocketful sim …`: the fleet simulator. What would these strategies do to a fleet, and what would it cost?
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CodeOf } from '../../lib/foundation/error-codes.ts';
import { invalid } from '../../lib/foundation/errors.ts';
import { given } from '../../lib/foundation/given.ts';
import { DELETE_PATTERNS, type DeletePattern, deletesOfTrace } from '../../lib/sim/fleet/deletes.ts';
import { OUTPUT_SHAPES, type OutputShape } from '../../lib/sim/fleet/live-coder-output.ts';
import { mapIncident } from '../../lib/sim/incident/map.ts';
import { incidentPage, incidentTable, mapTable } from '../../lib/sim/incident/report.ts';
import { runIncident, stageIncident } from '../../lib/sim/incident/run.ts';
import { ARMS, INCIDENT, type IncidentSettings } from '../../lib/sim/incident/settings.ts';
import type { ReportTable } from '../../lib/sim/report-html.ts';
import { runFloors, runSteady, STEADY_POLICIES, type SteadyPolicy } from '../../lib/sim/steady.ts';
import { floorTable, steadyPage, steadyTable } from '../../lib/sim/steady-report.ts';
import { runTune, TUNE } from '../../lib/sim/tune-policies.ts';
import { tunePage, tuneTables, whatIfPage, whatIfTable } from '../../lib/sim/tune-report.ts';
import { validate, validationPage } from '../../lib/sim/validation.ts';
import { whatIf } from '../../lib/sim/what-if.ts';
import { addCommand, countArgument, numberArgument, type Run } from './command.ts';
import { type PageOptions, pageTo } from './show/page.ts';
import { Progress } from './show/progress.ts';
import { table } from './show/text.ts';

interface Common extends PageOptions {
  readonly seed?: number;
  readonly volumes?: number;
  readonly html?: string;
}

const withPage = (command: Command): Command =>
  command
    .option('--html <file>', 'write a report with charts, one self-contained page')
    .option('--overwrite', 'replace a file that is there');

const withCommon = (command: Command): Command =>
  withPage(
    command
      .option('--seed <number>', 'same seed, same output', countArgument)
      .option('--volumes <number>', 'live data, in full volumes', countArgument),
  );

/** Adds `sim` and its scenarios. */
export function addSim(program: Command): void {
  const sim = program.command('sim').description('simulate compaction of a fleet with the production planner');
  addIncident(sim);
  addSteady(sim);
  addTune(sim);
  addWhatIf(sim);
  addValidate(sim);
}

interface IncidentOptions extends Common {
  readonly shape?: OutputShape;
  readonly size?: number;
  readonly bytes?: number;
  readonly metadata?: number;
  readonly share?: number;
  readonly days?: number;
  readonly deletes?: number;
  readonly pattern?: DeletePattern;
  readonly relocation?: 'bucket' | 'blob';
  readonly map?: boolean;
}

function addIncident(sim: Command): void {
  addCommand<IncidentOptions>(
    sim,
    'incident',
    'the published under-fill incident: ways of compacting side by side, on equal budgets',
    runIncidentCommand,
    (command) =>
      withCommon(command)
        .addOption(new Option('--shape <name>', 'fills of the under-filled volumes').choices(OUTPUT_SHAPES))
        .option('--size <part>', 'under-filled volumes, of those allocated', numberArgument)
        .option('--bytes <times>', 'byte budget, times what L1 used before', numberArgument)
        .option('--metadata <times>', 'metadata budget, times what L1 used before', numberArgument)
        .option('--share <part>', 'part of the budgets L2 is sure of', numberArgument)
        .option('--days <number>', 'days after detection', countArgument)
        .option('--deletes <part>', 'of the live data, per day', numberArgument)
        .addOption(new Option('--pattern <name>', 'how data dies').choices(DELETE_PATTERNS))
        .addOption(new Option('--relocation <unit>', 'what a move rewrites rows of').choices(['bucket', 'blob']))
        .option('--map', 'also map budgets, incident sizes and shares'),
  );
}

async function runIncidentCommand(run: Run, _args: readonly string[], options: IncidentOptions): Promise<void> {
  const settings = incidentSettings(options);
  const writePage = await pageTo(options.html, options);
  const progress = progressOf(run);
  const stage = stageIncident(settings, (part) => show(progress, part * 0.4));
  const result = runIncident(settings, ARMS, stage, (part) => show(progress, 0.4 + part * 0.6));
  const map = options.map ? mapIncident(settings, (part) => show(progress, part)) : [];
  progress.end();
  await writePage(() => incidentPage(result, map));
  run.answer({ ...result, map }, () =>
    [
      `overhead ${result.baseline.overhead.toFixed(3)} before, ${result.detected.overhead.toFixed(3)} at detection; budgets a day: ` +
        `${(settings.byteBudget * 100).toFixed(0)} % of ${(result.baseline.bytesPerDay / 1e9).toFixed(1)} GB read, ` +
        `${(settings.metadataBudget * 100).toFixed(0)} % of ${result.baseline.metadataPerDay.toFixed(0)} rows (seed ${settings.seed})`,
      shownTable(incidentTable(result)),
      ...(map.length === 0 ? [] : [shownTable(mapTable(map))]),
    ].join('\n'),
  );
}

function incidentSettings(options: IncidentOptions): IncidentSettings {
  const set = given({
    seed: options.seed,
    liveVolumes: options.volumes,
    shape: options.shape,
    size: options.size,
    byteBudget: options.bytes,
    metadataBudget: options.metadata,
    l2Share: options.share,
    days: options.days,
    deletesPerDay: options.deletes,
    pattern: options.pattern,
    relocation: options.relocation,
  });
  const settings = { ...INCIDENT, ...set };
  checkVolumes(settings.liveVolumes);
  within('--size', settings.size, 0, 10);
  within('--bytes', settings.byteBudget, 0.01, 1000);
  within('--metadata', settings.metadataBudget, 0.01, 1000);
  within('--share', settings.l2Share, 0.001, 0.999);
  within('--days', settings.days, 1, 3650);
  return settings;
}

interface SteadyCommandOptions extends Common {
  readonly deletes?: DeletePattern;
  readonly policy?: SteadyPolicy;
  readonly rate?: number;
  readonly hint?: number;
  readonly overhead?: readonly number[];
  readonly trace?: string;
}

const TARGETS: readonly number[] = [1.1, 1.15, 1.25, 1.5];

function addSteady(sim: Command): void {
  addCommand<SteadyCommandOptions>(
    sim,
    'steady',
    'overhead against write amplification while writes balance deletes, beside the closed-form limits',
    runSteadyCommand,
    (command) =>
      withCommon(command)
        .addOption(new Option('--deletes <pattern>', 'how data dies').choices(DELETE_PATTERNS).default('uniform'))
        .addOption(new Option('--policy <name>', 'what is compacted first').choices(STEADY_POLICIES).default('greedy'))
        .option('--rate <part>', 'deletes of the live data, per day', numberArgument)
        .option('--hint <part>', 'how often a hint at ingest names the right class', numberArgument)
        .option('--trace <file>', 'day by day instead: lines of day,written,deleted, as parts of the live data')
        .option('--overhead <values...>', 'overheads to hold', overheadsArgument),
  );
}

async function runSteadyCommand(run: Run, _args: readonly string[], options: SteadyCommandOptions): Promise<void> {
  const targets = options.overhead ?? TARGETS;
  if (options.volumes !== undefined) checkVolumes(options.volumes);
  if (options.hint !== undefined) within('--hint', options.hint, 0, 1);
  const { trace: file } = options;
  const trace = file === undefined ? undefined : deletesOfTrace(basename(file), await textOf(file, 'TRACE_UNREADABLE'));
  const writePage = await pageTo(options.html, options);
  const progress = progressOf(run);
  const size = {
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.volumes === undefined ? {} : { liveVolumes: options.volumes }),
  };
  const common = {
    size,
    ...(trace === undefined ? { pattern: options.deletes ?? 'uniform' } : { trace }),
    policy: options.policy ?? 'greedy',
    ...(options.rate === undefined ? {} : { deletesPerDay: options.rate }),
    ...(options.hint === undefined ? {} : { hintRight: options.hint }),
  };
  const points = targets.map((target, at) => {
    const onProgress = (part: number): void => show(progress, (at + part) / (targets.length + 1));
    return runSteady(target, { ...common, onProgress });
  });
  const floors = 'pattern' in common && common.pattern === 'uniform' ? runFloors({ size }) : [];
  progress.end();
  await writePage(() => steadyPage(points, floors, common));
  run.answer({ settings: common, points, floors }, () =>
    [shownTable(steadyTable(points)), ...(floors.length === 0 ? [] : [shownTable(floorTable(floors))])].join('\n'),
  );
}

function addTune(sim: Command): void {
  addCommand<Common>(
    sim,
    'tune',
    'static thresholds against the controller, in dollars, over prices, blob lengths and delete rates',
    async (run, _args, options) => {
      if (options.volumes !== undefined) checkVolumes(options.volumes);
      const settings = {
        ...TUNE,
        ...(options.seed === undefined ? {} : { seed: options.seed }),
        ...(options.volumes === undefined ? {} : { liveVolumes: options.volumes }),
      };
      const writePage = await pageTo(options.html, options);
      const progress = progressOf(run);
      const result = runTune(settings, (part) => show(progress, part));
      progress.end();
      await writePage(() => tunePage(result));
      run.answer(result, () => tuneTables(result).map(shownTable).join('\n'));
    },
    withCommon,
  );
}

function addWhatIf(sim: Command): void {
  addCommand<Pick<Common, 'html' | 'overwrite'>>(
    sim,
    'what-if <file>',
    'what the planner would do with a real store: FILE is its `status --json`',
    async (run, [file], options) => {
      const result = whatIf(await textOf(file as string, 'STATUS_UNREADABLE'));
      const writePage = await pageTo(options.html, options);
      await writePage(() => whatIfPage(result));
      run.answer(
        result,
        () => `${result.volumes} sealed volumes of ${result.store}\n${shownTable(whatIfTable(result))}`,
      );
    },
    withPage,
  );
}

async function textOf(file: string, code: CodeOf<'invalid'>): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw invalid(code, `${file} cannot be read`, cause);
  }
}

function overheadsArgument(text: string, before: readonly number[] = []): readonly number[] {
  const value = numberArgument(text);
  if (value <= 1 || value > 10) throw new InvalidArgumentError('an overhead is above 1 and at most 10.');
  return [...before, value];
}

function within(option: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high))
    throw invalid('SIM_INVALID', `${option} must be between ${low} and ${high}, not ${value}`);
}

const checkVolumes = (volumes: number): void => within('--volumes', volumes, 10, 5_000_000);

function addValidate(sim: Command): void {
  addCommand<PageOptions & { readonly out?: string }>(
    sim,
    'validate',
    'published figures and closed-form limits beside what the simulator finds (docs/simulator.md)',
    async (run, _args, options) => {
      const { out } = options;
      const writePage = await pageTo(out, options);
      const progress = progressOf(run);
      const validation = validate((part) => show(progress, part));
      progress.end();
      const page = validationPage(validation);
      await writePage(() => page);
      run.answer(validation, out === undefined ? page : `${out} written`);
    },
    (command) =>
      command.option('--out <file>', 'write the page here').option('--overwrite', 'replace a file that is there'),
  );
}

/** A simulation computes without a pause and leaves nothing half done: Ctrl-C ends the process at once. */
function progressOf(run: Run): Progress {
  run.interruption.end();
  return new Progress('simulating', run.clock, 'parts');
}

const PARTS = 1000;
const show = (progress: Progress, part: number): void =>
  progress.show({ items: Math.round(part * PARTS) }, { items: PARTS });

const shownTable = ({ title, rows }: ReportTable): string => {
  const right = (rows[0] ?? []).map((_, at) => at).slice(1);
  return `\n${title}\n\n${table(rows, right)}`;
};
