// Soft state of one process: which drives answered lately. It only steers choices; a wrong belief costs time, never
// data.
import type { Clock } from '../../foundation/clock.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import { BUSY_DRIVE_REST_MS, REFUSING_DRIVE_REST_MS, UNAVAILABLE_DRIVE_REST_MS } from '../../limits/volume.ts';

const BACK_OFF_MS: Readonly<Partial<Record<ErrorCode, number>>> = {
  DRIVE_UNAVAILABLE: UNAVAILABLE_DRIVE_REST_MS,
  DRIVE_DENIED: REFUSING_DRIVE_REST_MS,
  DRIVE_READ_ONLY: REFUSING_DRIVE_REST_MS,
  DRIVE_FULL: REFUSING_DRIVE_REST_MS,
  DRIVE_BUSY: BUSY_DRIVE_REST_MS,
};

export class DriveHealth {
  readonly #clock: Clock;
  readonly #until = new Map<number, { untilMs: number; code: ErrorCode }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes what an error of this drive says about it; other errors are not about the drive. */
  failed(drive: number, error: unknown): void {
    const backOffMs = isPocketfulError(error) ? BACK_OFF_MS[error.code] : undefined;
    if (backOffMs === undefined || !isPocketfulError(error)) return;
    this.#until.set(drive, { untilMs: this.#clock.monotonicMs() + backOffMs, code: error.code });
  }

  worked(drive: number): void {
    this.#until.delete(drive);
  }

  /** Space was freed since: full ones are worth a try. */
  forgetFull(): void {
    for (const [drive, { code }] of this.#until) if (code === 'DRIVE_FULL') this.#until.delete(drive);
  }

  /** Why this drive should not get writes now, or undefined. */
  fault(drive: number): ErrorCode | undefined {
    const entry = this.#until.get(drive);
    if (entry === undefined || entry.untilMs <= this.#clock.monotonicMs()) return undefined;
    return entry.code;
  }

  isHealthy(drive: number): boolean {
    return this.fault(drive) === undefined;
  }
}
