// What `npm run bench -- peers` found, as tables and as a plot.
import { barsSvg } from '../bars-svg.ts';
import { markdownTable } from '../document-part.ts';
import type { Taken } from './timed.ts';
import { OPERATIONS, type Operation } from './tools.ts';

export interface Measured extends Taken {
  readonly tool: string;
  readonly isPeer: boolean;
  readonly operation: Operation;
}

/** Times relative to the fastest peer, of the wall and of the processors; then the seconds. */
export function peersTables(measured: readonly Measured[], start: Taken): string[] {
  const tools = [...new Set(measured.map(({ tool }) => tool))];
  const table = (cell: (one: Measured, all: readonly Measured[]) => string): string => {
    const rows = OPERATIONS.map((operation) => {
      const all = measured.filter((one) => one.operation === operation);
      const cells = tools.map((tool) => {
        const one = all.find((each) => each.tool === tool);
        return one === undefined ? '-' : cell(one, all);
      });
      return [operation, ...cells];
    });
    return markdownTable(['', ...tools], rows);
  };
  return [
    'Time relative to the fastest of restic, Kopia and borg here (less is better):',
    '',
    table((one, all) => ratioText(one, all, ({ wallSeconds }) => wallSeconds)),
    '',
    'Processor time, user and system, relative to the least of theirs:',
    '',
    table((one, all) => ratioText(one, all, ({ cpuSeconds }) => cpuSeconds)),
    '',
    `Seconds on that machine in that run, of the wall and of the processors (\`node -e 0\` takes ${start.wallSeconds.toFixed(3)} / ${start.cpuSeconds.toFixed(3)}):`,
    '',
    table(({ wallSeconds, cpuSeconds }) => `${wallSeconds.toFixed(2)} / ${cpuSeconds.toFixed(2)}`),
  ];
}

export function peersSvg(measured: readonly Measured[], machine: string): string {
  const groups = OPERATIONS.map((operation) => {
    const all = measured.filter((one) => one.operation === operation);
    const bars = all.map((one) => ({ name: one.tool, value: ratio(one, all, ({ wallSeconds }) => wallSeconds) }));
    return { title: operation, bars: bars.filter(({ value }) => Number.isFinite(value)) };
  });
  return barsSvg(`Time relative to the fastest of restic, Kopia and borg. ${machine}`, groups, 2);
}

function ratio(one: Measured, all: readonly Measured[], of: (taken: Taken) => number): number {
  const peers = all.filter(({ isPeer }) => isPeer).map(of);
  return of(one) / Math.min(...peers);
}

function ratioText(one: Measured, all: readonly Measured[], of: (taken: Taken) => number): string {
  const value = ratio(one, all, of);
  return Number.isFinite(value) && value > 0 ? value.toFixed(2) : '-';
}
