// What repair and balance have in common for whoever calls them: a plan to look at, what may be written, and progress.
import type { Command } from 'commander';
import { type Reason, reasonLine } from '../../../lib/foundation/reason.ts';
import type { Run } from '../command.ts';
import { amountOf } from '../plan-options.ts';
import { Progress } from '../show/progress.ts';

export interface PassChoice {
  readonly plan?: boolean;
  readonly maxBytes?: number;
  readonly now?: boolean;
}

/** `erased`: what `--now` does not keep for its grace. */
export const withPassOptions =
  (erased: string) =>
  (command: Command): Command =>
    command
      .option('--plan', 'say what would be done, and do nothing')
      .option('--max-bytes <bytes>', 'stop once so much is written (such as 20GB)', (text) => amountOf(text, text))
      .option('--now', `erase what was ${erased} without waiting for its grace`);

export interface PassOptions {
  readonly bytesMax: number | undefined;
  readonly ignoreGrace: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onPlan: (plan: { readonly bytes: number }) => void;
  readonly onBytes: (bytes: number) => void;
}

export async function withProgress<Report>(
  run: Run,
  name: string,
  { maxBytes, now }: PassChoice,
  pass: (options: PassOptions) => Promise<Report>,
): Promise<Report> {
  const progress = new Progress(name, run.clock);
  let done = 0;
  let total = 0;
  const report = await pass({
    bytesMax: maxBytes,
    ignoreGrace: now,
    signal: run.interruption.signal,
    onPlan: ({ bytes }) => {
      total = bytes;
    },
    onBytes: (bytes) => {
      done += bytes;
      progress.show({ bytes: done }, { bytes: total });
    },
  });
  progress.end();
  return report;
}

/** Volumes that the pass did nothing about, and why. */
export function sayLeft(run: Run, left: readonly { readonly volume: string; readonly reason: Reason }[]): void {
  for (const { volume, reason } of left) run.say(`pocketful: volume ${volume} is left for now: ${reasonLine(reason)}`);
}
