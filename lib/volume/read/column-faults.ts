// Which columns of a group failed a read, and why: it decides what is reconstructed from what, and what the error says
// when nothing helps.
import { codecOf } from '../../codec/codecs.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import { isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { type BrokenColumn, RecordLost } from './record-lost.ts';

/** Bytes of a newer release are no loss: only a newer release can tell what they are. */
const PASSED_ON = new Set<ErrorCode>(['CHUNK_VERSION', 'RECORD_VERSION', 'DIRECTORY_VERSION']);
/** The bytes may be sound, but cannot be had now. */
const UNREACHABLE = new Set<ErrorCode>([
  'DRIVE_UNAVAILABLE',
  'DRIVE_BUSY',
  'DRIVE_DENIED',
  'DRIVE_READ_ONLY',
  'DRIVE_FULL',
]);

/** The error of one column, if that is all it is; anything else is thrown on. */
export function columnFault(error: unknown): PocketfulError {
  if (!isPocketfulError(error) || PASSED_ON.has(error.code)) throw error;
  return error;
}

export class ColumnFaults {
  readonly #volume: VolumeRow;
  readonly #drives: Components['drives'];
  readonly #faults = new Map<number, PocketfulError>();

  constructor(volume: VolumeRow, drives: Components['drives']) {
    this.#volume = volume;
    this.#drives = drives;
  }

  get size(): number {
    return this.#faults.size;
  }

  get columns(): number[] {
    return [...this.#faults.keys()];
  }

  /** What each failed column answered. */
  get entries(): Iterable<readonly [column: number, fault: PocketfulError]> {
    return this.#faults;
  }

  /** Those that answered, and do not have what they must. */
  get broken(): BrokenColumn[] {
    return [...this.#faults]
      .map(([column, { code }]) => ({ column, code }))
      .filter(({ code }) => !UNREACHABLE.has(code))
      .sort((a, b) => a.column - b.column);
  }

  has(column: number): boolean {
    return this.#faults.has(column);
  }

  add(column: number, error: unknown): void {
    this.#faults.set(column, columnFault(error));
  }

  addAll(others: ColumnFaults): void {
    for (const [column, fault] of others.#faults) this.#faults.set(column, fault);
  }

  label(column: number): string {
    return driveLabel(this.#drives, this.#volume.extents[column]?.drive ?? -1);
  }

  /** `what` cannot be read. With `wanted`, the code tells whether the unreachable columns would bring it back. */
  lost(what: string, wanted?: number): RecordLost {
    const away = [...this.#faults].filter(([, { code }]) => UNREACHABLE.has(code)).map(([column]) => column);
    const hard = this.columns.filter((column) => !away.includes(column));
    const helps = wanted === undefined || codecOf(this.#volume.codec).repairPlan(hard, [wanted]).ok;
    const waits = away.length > 0 && helps;
    const columns = (waits ? away : this.columns).sort((a, b) => a - b);
    const drives = [...new Set(columns.map((column) => this.label(column)))];
    const why = columns.map((column) => `${this.label(column)} (${this.#faults.get(column)?.code})`).join(', ');
    const cause = this.#faults.get(columns[0] ?? -1);
    const message = waits ? `${what} waits for ${why}` : `${what} is lost${why === '' ? '' : `: failed are ${why}`}`;
    return new RecordLost(waits ? 'retry' : 'corrupt', message, { drives, broken: this.broken }, cause);
  }

  /** Bytes were put together, but they are not what was written: no column admits to being wrong. */
  unsound(what: string, cause?: unknown): RecordLost {
    const drives = [...new Set(this.columns.map((column) => this.label(column)))];
    const message = `${what} is damaged, and what can be rebuilt does not verify`;
    return new RecordLost('corrupt', message, { drives, broken: this.broken }, cause);
  }
}

const driveLabel = (drives: Components['drives'], drive: number): string => drives[drive]?.label ?? `drive ${drive}`;
