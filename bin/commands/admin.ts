// pocketful status, encode, gc, drain and doctor: the operator's commands.
import type { Command } from 'commander';
import type { GcReport } from '../../lib/client/admin.ts';
import type { DoctorReport } from '../../lib/engine/doctor/doctor.ts';
import { type Reason, reasonLine } from '../../lib/foundation/reason.ts';
import { addCommand, countArgument, numberArgument, type Run } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { historyText } from './show/history-text.ts';
import { keysGone, sayKeysGone } from './show/keys-gone.ts';
import { Progress } from './show/progress.ts';
import { devicesLines, lossLines, redundancyText, statusText } from './show/status-text.ts';
import { bytesText, countOf, countText } from './show/text.ts';
import { type DurabilityOptions, durability, withDurability } from './verify/durability.ts';

interface DrainOptions {
  readonly below?: number;
  readonly targetOverhead?: number;
  readonly maxVolumes?: number;
}

interface DoctorOptions extends DurabilityOptions {
  readonly fix?: boolean;
  readonly read?: boolean;
}

export function addAdminCommands(program: Command): void {
  addCommand<{ objects?: boolean; history?: boolean }>(
    program,
    'status',
    'volumes, drives, overhead and what waits',
    async (run, _args, { objects, history }) => {
      if (history) {
        const days = await (await run.open()).admin.history();
        return run.answer({ days }, () => historyText(days));
      }
      const status = await (await run.open()).admin.status({ countObjects: objects });
      run.answer(status, () => statusText(status));
    },
    (command) =>
      command
        .option('--objects', 'count the objects too: reads every name')
        .option('--history', 'instead: the last thirty days, one line each'),
  );
  addCommand<{ all?: boolean }>(
    program,
    'encode',
    'encode hot volumes that are old enough into erasure-coded ones',
    encode,
    (command) => command.option('--all', 'everything hot, however young and however little'),
  );
  addCommand<{ now?: boolean }>(
    program,
    'gc',
    'shred deleted blocks whose grace has passed, and free empty volumes',
    gc,
    (command) => command.option('--now', 'free empty volumes without waiting for their grace'),
  );
  addCommand<DrainOptions>(
    program,
    'drain',
    'compact: move what lives in the sparsest volumes together, and free them',
    drain,
    (command) =>
      command
        .option('--below <percent>', 'only volumes that are at most so full (default: 50)', numberArgument)
        .option('--target-overhead <ratio>', 'stop once sealed overhead is this low', numberArgument)
        .option('--max-volumes <count>', 'at most so many volumes', countArgument),
  );
  addCommand(program, 'tend', 'one pass of encode, gc and freeing: for cron', async (run) => {
    const report = await (await run.open()).admin.tend({ signal: run.interruption.signal });
    run.answer(
      report,
      `encoded ${bytesText(report.encode.recordBytes)}, shredded ${countOf(report.garbage.slots, 'block')}, freed ${countOf(report.free.freedZones, 'zone')}`,
    );
    stalled(run, report.encode.stalled);
  });
  addCommand<DoctorOptions>(
    program,
    'doctor',
    'count everything again, look at every drive, and say what is wrong',
    doctor,
    (command) =>
      withDurability(command)
        .option(
          '--fix',
          'end what dead processes left; chunks that belong to nothing are erased after seven days in quarantine',
        )
        .option('--read', 'read every object to its end'),
  );
}

function stalled(run: Run, reason: Reason | undefined): void {
  if (reason === undefined) return;
  run.say(`pocketful: it has to wait: ${reasonLine(reason)}`);
  run.exitCode = EXIT.retry;
}

async function encode(run: Run, _args: unknown, { all }: { all?: boolean }): Promise<void> {
  const { admin } = await run.open();
  const progress = new Progress('encode', run.clock);
  const { signal } = run.interruption;
  const report = await admin.encode({
    all,
    signal,
    onProgress: ({ encodedBytes, totalBytes }) => progress.show({ bytes: encodedBytes }, { bytes: totalBytes }),
  });
  progress.end();
  run.answer(
    report,
    `encoded ${countOf(report.sources, 'hot volume')} (${bytesText(report.recordBytes)}) into ${countOf(report.destinations, 'volume')} in ${countOf(report.groups, 'group')}; ${bytesText(report.leftBytes)} stay hot; freed ${countOf(report.free.freedZones, 'zone')}`,
  );
  stalled(run, report.stalled);
}

async function gc(run: Run, _args: unknown, { now }: { now?: boolean }): Promise<void> {
  const { admin } = await run.open();
  const progress = new Progress('gc', run.clock, 'blocks');
  const { signal } = run.interruption;
  const report = await admin.gc({ now, signal, onProgress: (slots) => progress.show({ items: slots }) });
  progress.end();
  const keys = keysGone(run, report.slots);
  run.answer({ ...report, ...keys }, () => gcText(report));
  sayKeysGone(run, keys);
  for (const { volume, reason, isInGrace } of report.free.kept)
    if (!isInGrace) run.say(`pocketful: volume ${volume} is not freed yet: ${reason.text}`);
  const didNothing = report.slots === 0 && report.free.freedZones === 0;
  const hasToWait = report.free.kept.some(({ isInGrace }) => !isInGrace);
  if (report.pressure?.isFull) run.say('pocketful: the disk is still full: delete objects (pocketful rm) or make room');
  if (report.pressure?.isFull || (didNothing && hasToWait)) run.exitCode = EXIT.retry;
}

function gcText({ slots, recordBytes, waiting, free, pressure }: GcReport): string {
  const inGrace = free.kept.filter(({ isInGrace }) => isInGrace).length;
  const waits = [
    ...(waiting > 0 ? [`${countOf(waiting, 'deleted block')} wait for their grace`] : []),
    ...(inGrace > 0 ? [`${countOf(inGrace, 'empty volume')} wait for theirs (--now: without)`] : []),
  ];
  const made =
    pressure === undefined ? [] : [`the disk had little room, so ${bytesText(pressure.encodedBytes)} were encoded`];
  if (slots === 0 && free.freedZones === 0) return ['nothing could be freed', ...waits, ...made].join('; ');
  const done = `shredded ${countOf(slots, 'block')} (${bytesText(recordBytes)})`;
  return [done, ...waits, `freed ${countOf(free.freedZones, 'zone')}`, ...made].join('; ');
}

async function drain(run: Run, _args: unknown, options: DrainOptions): Promise<void> {
  const { admin } = await run.open();
  const progress = new Progress('drain', run.clock, 'volumes');
  const report = await admin.drain({
    signal: run.interruption.signal,
    fillPermilleMax: options.below === undefined ? undefined : options.below * 10,
    targetOverhead: options.targetOverhead,
    sourcesMax: options.maxVolumes,
    onProgress: ({ sources, movedBytes }) => progress.show({ items: sources, bytes: movedBytes }),
  });
  progress.end();
  run.answer(
    report,
    `drained ${countOf(report.retired, 'volume')} of ${countText(report.sources)}: moved ${bytesText(report.movedBytes)}; freed ${countOf(report.free.freedZones, 'zone')}`,
  );
  stalled(run, report.stalled);
}

async function doctor(run: Run, _args: unknown, options: DoctorOptions): Promise<void> {
  if (options.durability) return durability(run, options);
  const { fix, read } = options;
  // A missing key file is a finding, not the end.
  const store = await run.open({ withoutKeys: true });
  const progress = new Progress('doctor', run.clock);
  const report = await store.admin.doctor({
    fix,
    readAll: read,
    signal: run.interruption.signal,
    onProgress: () => progress.show({}),
  });
  progress.end();
  run.answer(report, () => doctorText(report));
  if (report.level === 'degraded') run.exitCode = EXIT.degraded;
  if (report.level === 'wrong')
    run.exitCode = report.findings.some(({ severity }) => severity === 'lost') ? EXIT.corrupt : EXIT.failed;
}

const LEVEL_TEXT = { healthy: 'healthy', degraded: 'DEGRADED', wrong: 'NOT healthy' } as const;

function doctorText(report: DoctorReport): string {
  const { counted, findings, moreFindings, fixed } = report;
  const lines = findings.map(({ severity, check, message }) => `${severity}: ${check}: ${message}`);
  if (moreFindings > 0) lines.push(`… and ${countText(moreFindings)} more`);
  if (fixed !== undefined)
    lines.push(
      `fixed: ${fixed.volumes} volumes, ${fixed.runs} runs, ${fixed.seals} seals, ${fixed.uploads} uploads, ${fixed.references} references, ${fixed.freedZones} zones freed, ${fixed.sweptZones} swept, ${fixed.quarantinedZones} in quarantine`,
    );
  const { looked, devices } = report;
  if (devices !== undefined) lines.push(...devicesLines(devices));
  lines.push(
    redundancyText(report.redundancy),
    ...(report.worst === undefined ? [] : lossLines(report.worst)),
    `${LEVEL_TEXT[report.level]}: ${countOf(counted.objects, 'object')}, ${countOf(counted.blocks, 'block')}, ${countOf(counted.buckets, 'bucket')}, ${countOf(counted.volumes, 'volume')}, ${countOf(counted.zones, 'zone')} counted; ${countOf(looked.objects, 'chunk')} looked at` +
      (report.objectsRead === undefined ? '' : ` and read, ${countOf(report.objectsRead, 'object')} read`),
  );
  return lines.join('\n');
}
