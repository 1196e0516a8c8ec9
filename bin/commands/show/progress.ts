// Progress on stderr, for whatever takes over a second: one line that is redrawn on a terminal, else a line every few
// seconds.
import type { Clock } from '../../../lib/foundation/clock.ts';
import { bytesText, countText, secondsText } from './text.ts';

const QUIET_MS = 1_000;
const REDRAW_MS = 100;
const LINE_MS = 5_000;
const CLEAR = '\r\x1b[2K';
const BAR_CELLS = 24;

export interface Amount {
  readonly items?: number | undefined;
  readonly bytes?: number | undefined;
}

export class Progress {
  readonly #label: string;
  readonly #unit: string;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #shownMs = Number.NEGATIVE_INFINITY;
  #hasDrawn = false;

  constructor(label: string, clock: Clock, unit = 'files') {
    this.#label = label;
    this.#unit = unit;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  show(done: Amount, total: Amount = {}): void {
    const nowMs = this.#clock.monotonicMs();
    const isTerminal = process.stderr.isTTY;
    if (nowMs - this.#startedMs < QUIET_MS || nowMs - this.#shownMs < (isTerminal ? REDRAW_MS : LINE_MS)) return;
    this.#shownMs = nowMs;
    this.#hasDrawn = true;
    const text = this.#text(done, total);
    process.stderr.write(isTerminal ? `${CLEAR}${text.slice(0, (process.stderr.columns ?? 80) - 1)}` : `${text}\n`);
  }

  /** Removes the line. */
  end(): void {
    if (this.#hasDrawn && process.stderr.isTTY) process.stderr.write(CLEAR);
    this.#hasDrawn = false;
  }

  #text(done: Amount, total: Amount): string {
    const seconds = Math.max(0.001, this.elapsedMs / 1000);
    const parts: string[] = [];
    const share = shareOf(done, total);
    if (share !== undefined) parts.push(`${bar(share)} ${Math.floor(share * 100)}%`);
    if (done.items !== undefined) parts.push(`${countText(done.items)} ${this.#unit}`);
    if (done.bytes !== undefined) parts.push(bytesText(done.bytes));
    if (done.items !== undefined) parts.push(`${countText(Math.round(done.items / seconds))} ${this.#unit}/s`);
    if (done.bytes !== undefined) parts.push(`${bytesText(done.bytes / seconds)}/s`);
    return `${this.#label}: ${[...parts, secondsText(this.elapsedMs)].join(', ')}`;
  }
}

function shareOf(done: Amount, total: Amount): number | undefined {
  if (total.bytes !== undefined && total.bytes > 0 && done.bytes !== undefined)
    return Math.min(1, done.bytes / total.bytes);
  if (total.items !== undefined && total.items > 0 && done.items !== undefined)
    return Math.min(1, done.items / total.items);
  return undefined;
}

function bar(share: number): string {
  const full = Math.round(share * BAR_CELLS);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}]`;
}
