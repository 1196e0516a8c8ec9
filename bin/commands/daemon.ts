// pocketful daemon: GC, encode, repair, compaction, tuning and verification of a file: store on their schedules, until
// Ctrl-C.

import { type Command, InvalidArgumentError } from 'commander';
import type { CompactReport } from '../../lib/compaction/do/rounds.ts';
import type { ThresholdStep } from '../../lib/compaction/threshold/law.ts';
import type { WatchDrivesReport } from '../../lib/engine/drives/watch-drives.ts';
import type { Keeping } from '../../lib/engine/status/keeping.ts';
import {
  runTasks,
  SCHEDULE,
  type Schedule,
  TASKS,
  type TaskName,
  type TaskOutcome,
  tasksOf,
} from '../../lib/engine/upkeep/daemon.ts';
import { type AlarmCall, postAlarm, runForAlarm } from '../../lib/engine/upkeep/system-alarm-calls.ts';
import type { VerifyReport } from '../../lib/engine/upkeep/verify.ts';
import type { AlarmReport } from '../../lib/engine/upkeep/watch-alarms.ts';
import { openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../lib/foundation/durations.ts';
import { invalid } from '../../lib/foundation/errors.ts';
import { reasonLine } from '../../lib/foundation/reason.ts';
import { VERIFY_SHARE_PERMILLE } from '../../lib/limits/verify.ts';
import type { EncodeReport } from '../../lib/live-coder/encode-hot.ts';
import type { RepairReport } from '../../lib/volume/repair/repair-store.ts';
import { addCommand, numberArgument, type Run, unshippedText } from './command.ts';
import { describe, EXIT, exitCodeOf } from './exit-codes.ts';
import { type PlanOptions, planRequestOf, withPlanOptions } from './plan-options.ts';
import { bytesText, countOf, countText, runbookOf, timeText } from './show/text.ts';

interface DaemonOptions extends PlanOptions {
  readonly once?: boolean;
  readonly drivesEvery?: string;
  readonly gcEvery?: string;
  readonly encodeEvery?: string;
  readonly repairEvery?: string;
  readonly compactEvery?: string;
  readonly tuneEvery?: string;
  readonly verifyEvery?: string;
  readonly alarmsEvery?: string;
  readonly alarmCommand?: string;
  readonly alarmWebhook?: string;
  /** Percent. */
  readonly verifyShare?: number;
}

const UNITS_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };
const EVERY_MS_MAX = 24 * DAY_MS;

export function addDaemon(program: Command): void {
  addCommand<DaemonOptions>(
    program,
    'daemon',
    'do gc, encode, repair, compact, tune and verify on their schedules, until Ctrl-C',
    daemon,
    (command) => {
      for (const task of TASKS)
        command.option(`--${task}-every <duration>`, `such as 30s, 15m, 6h, 1d (default: ${SCHEDULE[task] / 60_000}m)`);
      command.option(
        '--verify-share <percent>',
        `part of the time that verification may take (default: ${VERIFY_SHARE_PERMILLE / 10})`,
        shareArgument,
      );
      command
        .option('--alarm-command <command>', 'run this when an alarm begins or is over (docs/cli.md)')
        .option('--alarm-webhook <url>', 'post a JSON document there when an alarm begins or is over', urlArgument);
      return withPlanOptions(command.option('--once', 'each of them once, then the end: for cron'));
    },
  );
}

async function daemon(run: Run, _args: unknown, options: DaemonOptions): Promise<void> {
  const request = planRequestOf(options);
  const schedule = scheduleOf(options);
  const verifySharePermille = options.verifyShare === undefined ? undefined : options.verifyShare * 10;
  const store = await openEmbedded(run.directory(), { clock: run.clock });
  try {
    await runTasks(tasksOf(store, schedule, { ...request, verifySharePermille }), {
      clock: run.clock,
      signal: run.interruption.signal,
      once: options.once ?? false,
      onDone: async (outcome) => {
        say(run, outcome, options.once ?? false);
        if (outcome.task === 'alarms' && outcome.error === undefined)
          await tell(run, options, outcome.report as AlarmReport);
      },
    });
  } finally {
    await store.close();
    if (store.unshipped !== undefined) run.say(unshippedText(store.unshipped));
  }
}

/** Throws `invalid` DURATION_INVALID. */
export function scheduleOf(
  options: Omit<DaemonOptions, keyof PlanOptions | 'once' | 'verifyShare' | 'alarmCommand' | 'alarmWebhook'>,
): Schedule {
  const { drivesEvery, gcEvery, encodeEvery, repairEvery, compactEvery, tuneEvery, verifyEvery, alarmsEvery } = options;
  const given: Readonly<Record<TaskName, string | undefined>> = {
    drives: drivesEvery,
    gc: gcEvery,
    encode: encodeEvery,
    repair: repairEvery,
    compact: compactEvery,
    tune: tuneEvery,
    verify: verifyEvery,
    alarms: alarmsEvery,
  };
  const entries = TASKS.map((task): [TaskName, number] => [task, durationMs(given[task]) ?? SCHEDULE[task]]);
  return Object.fromEntries(entries) as Record<TaskName, number>;
}

/** Whom an alarm cannot be told is said, and told again only when it is over. */
async function tell(run: Run, { alarmCommand, alarmWebhook }: DaemonOptions, report: AlarmReport): Promise<void> {
  const calls = (['began', 'cleared'] as const).flatMap((state) =>
    report[state].map((alarm): AlarmCall => ({ store: run.address, state, ...alarm, runbook: runbookOf(alarm.name) })),
  );
  for (const call of calls) {
    const told = [
      ...(alarmCommand === undefined ? [] : [runForAlarm(alarmCommand, call)]),
      ...(alarmWebhook === undefined ? [] : [postAlarm(alarmWebhook, call)]),
    ];
    for (const outcome of await Promise.allSettled(told))
      if (outcome.status === 'rejected') {
        const { message, code } = describe(outcome.reason);
        run.say(`pocketful: ${call.name}: ${message} (${code})`);
      }
  }
}

function urlArgument(text: string): string {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? '')) throw new InvalidArgumentError('a URL is needed.');
  return text;
}

/** More than none, at most all of it. */
function shareArgument(text: string): number {
  const value = numberArgument(text);
  if (value <= 0 || value > 100) throw new InvalidArgumentError('a percentage above 0, up to 100, is needed.');
  return value;
}

function durationMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const ms = Math.round(Number(digits) * (UNITS_MS[unit] ?? 0));
  if (ms >= 1_000 && ms <= EVERY_MS_MAX) return ms;
  throw invalid('DURATION_INVALID', `"${text}" is no duration from 1s to 24d, such as 30s, 15m, 6h or 1d`);
}

/**
 * A line each; with --json a document per line. Only with --once a failure is the exit code: the daemon tries again.
 */
function say(run: Run, outcome: TaskOutcome, once: boolean): void {
  const { task, startedAtMs, tookMs, report, error } = outcome;
  // Every minute, and mostly with nothing to say.
  if (task === 'drives' && !once && error === undefined && isQuiet(report as WatchDrivesReport)) return;
  const failed = error === undefined ? undefined : describe(error);
  if (error !== undefined && once) run.exitCode = run.exitCode === EXIT.ok ? exitCodeOf(error) : run.exitCode;
  run.answer(
    { task, startedAtMs, tookMs, ...(failed === undefined ? { report } : { error: failed }) },
    () =>
      `${timeText(startedAtMs)} ${task}: ${failed === undefined ? TEXT[task](report) : `${failed.message} (${failed.code})`}`,
  );
}

const isQuiet = (report: WatchDrivesReport): boolean => Object.values(report).every(({ length }) => length === 0);
const numbered = (drives: readonly number[]): string => `drive ${drives.join(', ')}`;

const TEXT: Readonly<Record<TaskName, (report: unknown) => string>> = {
  drives: (report) => {
    const { away, lost, returned, asks } = report as WatchDrivesReport;
    const parts = [
      ...(away.length > 0 ? [`${numbered(away)} away`] : []),
      ...(lost.length > 0 ? [`${numbered(lost)} given up, to be made again by repair`] : []),
      ...(returned.length > 0 ? [`${numbered(returned)} back`] : []),
      ...(asks.length > 0
        ? [`${numbered(asks)} away for long, and too many at once: is it gone? pocketful drives lost N`]
        : []),
    ];
    return parts.length === 0 ? 'all answer' : parts.join('; ');
  },
  gc: (report) => {
    const { slots, waiting, free } = report as { slots: number; waiting: number; free: { freedZones: number } };
    return `shredded ${countOf(slots, 'block')}, ${countText(waiting)} wait; freed ${countOf(free.freedZones, 'zone')}`;
  },
  encode: (report) => {
    const { recordBytes, sources, stalled } = report as EncodeReport;
    return `encoded ${countOf(sources, 'hot volume')}, ${bytesText(recordBytes)}${stalled === undefined ? '' : `; has to wait: ${reasonLine(stalled)}`}`;
  },
  repair: (report) => {
    const { planned, volumes, columns, writtenBytes, lost, left, metrics } = report as RepairReport & {
      readonly metrics: Keeping;
    };
    const risk = metrics.VolumesAtRisk === 0 ? '' : `; ${countOf(metrics.VolumesAtRisk, 'volume')} at risk`;
    if (planned === 0) return `nothing to repair${risk}`;
    const rest = lost.length + left.length;
    return `made ${countOf(columns, 'column')} of ${countOf(volumes, 'volume')} whole, ${bytesText(writtenBytes)}${rest === 0 ? '' : `; ${countOf(rest, 'volume')} left for now`}${risk}`;
  },
  compact: (report) => {
    const { runs, resumed, before, after } = report as CompactReport;
    const sum = (of: (run: CompactReport['runs'][number]) => number): number =>
      runs.reduce((total, run) => total + of(run), 0);
    const cut = resumed === 0 ? '' : `, went on with ${countText(resumed)}`;
    return `${countOf(runs.length, 'run')}${cut}, reclaimed ${countOf(
      sum((run) => run.retired),
      'volume',
    )}, moved ${bytesText(sum((run) => run.movedBytes + run.hostBytes))}; ${countText(before.volumes)} -> ${countOf(after.volumes, 'sealed volume')}`;
  },
  tune: (report) => {
    const { state, moved, reason } = report as ThresholdStep;
    return `threshold ${state.threshold.toFixed(3)} ${moved}: ${reason.text}`;
  },
  alarms: (report) => {
    const { firing, began, cleared } = report as AlarmReport;
    const lines = firing.map(({ name, text }) => {
      const isNew = began.some((one) => one.name === name);
      return `ALARM ${name}${isNew ? '' : ' (still)'}: ${text} (${runbookOf(name)})`;
    });
    return [...lines, ...cleared.map(({ name }) => `over: ${name}`)].join('\n  ') || 'no alarms';
  },
  verify: (report) => {
    const { scrub, index, sample, findings, moreFindings } = report as VerifyReport;
    const read = `read ${countOf(scrub?.objects ?? 0, 'object')}, ${bytesText((scrub?.bytes ?? 0) + (sample?.bytes ?? 0))}, looked up ${countOf(index?.blocks ?? 0, 'block')}`;
    const [first] = findings;
    if (first === undefined) return `${read}: nothing is damaged`;
    return `${read}: ${countOf(findings.length + moreFindings, 'finding')}, such as ${first.severity}: ${first.check}: ${first.message}`;
  },
};
