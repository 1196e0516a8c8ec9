// How data dies and is replaced: classes of data with a share of what is written and a rate of dying. One class is
// uniform deletes; two are a hot and a cold part; several make the rate fall with age, as it does in practice. Or a
// trace says it day by day.
import { invalid } from '../../foundation/errors.ts';

export interface DeathClass {
  /** Part of all new data that is of this class. */
  readonly writeShare: number;
  /** Part of the live data that is of this class while writes and deletes are in balance. */
  readonly liveShare: number;
}

export interface Deletes {
  readonly name: string;
  readonly classes: readonly DeathClass[];
  /** Of all live data, deleted per day; of a trace, the mean. */
  readonly perDay: number;
  /** Day by day, in place of `perDay` and a balance; the last line holds on. */
  readonly trace?: readonly TraceDay[];
}

/** Fractions of the live bytes at the start of the trace, over one day. */
export interface TraceDay {
  readonly day: number;
  readonly written: number;
  readonly deleted: number;
}

export const DELETE_PATTERNS = ['uniform', '80/20', '90/10', 'age'] as const;
export type DeletePattern = (typeof DELETE_PATTERNS)[number];

const CLASSES: Readonly<Record<DeletePattern, readonly DeathClass[]>> = {
  uniform: [{ writeShare: 1, liveShare: 1 }],
  '80/20': [
    { writeShare: 0.8, liveShare: 0.2 },
    { writeShare: 0.2, liveShare: 0.8 },
  ],
  '90/10': [
    { writeShare: 0.9, liveShare: 0.1 },
    { writeShare: 0.1, liveShare: 0.9 },
  ],
  // Lifetimes that are a mixture of exponentials: the older a blob, the likelier it is of a class that lasts.
  age: [
    { writeShare: 0.6, liveShare: 0.06 },
    { writeShare: 0.3, liveShare: 0.24 },
    { writeShare: 0.1, liveShare: 0.7 },
  ],
};

export function deletesOf(pattern: DeletePattern, perDay: number): Deletes {
  if (!(perDay > 0 && perDay < 1))
    throw invalid('SIM_INVALID', `deletes per day must be between 0 and 1, not ${perDay}`);
  return { name: pattern, classes: CLASSES[pattern], perDay };
}

/**
 * A trace: lines of `day,written,deleted`, as fractions of the live bytes at its start. Throws `invalid` TRACE_INVALID.
 */
export function deletesOfTrace(name: string, text: string): Deletes {
  const trace: TraceDay[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#') || (at === 0 && /^day\b/.test(line))) continue;
    const fields = line.split(',').map((field) => (field.trim() === '' ? Number.NaN : Number(field)));
    const [day, written, deleted] = fields as [number, number, number];
    const isSound = fields.length === 3 && fields.every((field) => Number.isFinite(field) && field >= 0);
    if (!isSound || day <= (trace.at(-1)?.day ?? -1))
      throw invalid(
        'TRACE_INVALID',
        `${name}:${at + 1}: expected "day,written,deleted" in order of days, got "${line.slice(0, 60)}"`,
      );
    trace.push({ day, written, deleted });
  }
  if (trace.length === 0) throw invalid('TRACE_INVALID', `${name}: the trace has no days`);
  const perDay = trace.reduce((sum, { deleted }) => sum + deleted, 0) / trace.length;
  if (!(perDay > 0 && perDay < 1))
    throw invalid('TRACE_INVALID', `${name}: deletes per day must be between 0 and 1 on average, not ${perDay}`);
  return { name, classes: CLASSES.uniform, perDay, trace };
}

/** Units that come and go in one step, by class. */
export interface Churn {
  readonly written: readonly number[];
  readonly deleted: readonly number[];
}

/** Turns rates into whole units; what is left of a unit is carried on to the next step. */
export class ChurnClock {
  readonly #deletes: Deletes;
  readonly #startUnits: number;
  readonly #owedWritten: number[];
  readonly #owedDeleted: number[];

  constructor(deletes: Deletes, startUnits: number) {
    this.#deletes = deletes;
    this.#startUnits = startUnits;
    this.#owedWritten = deletes.classes.map(() => 0);
    this.#owedDeleted = deletes.classes.map(() => 0);
  }

  /** Between two days; `factor` scales deletes (and the writes that balance them). */
  between(fromDay: number, toDay: number, factor = 1): Churn {
    const { classes, perDay, trace } = this.#deletes;
    const at = trace?.findLast(({ day }) => day <= fromDay) ?? trace?.[0];
    const days = toDay - fromDay;
    const deletedUnits = (at?.deleted ?? perDay) * factor * days * this.#startUnits;
    const writtenUnits = at === undefined ? deletedUnits : at.written * factor * days * this.#startUnits;
    return {
      written: classes.map(({ writeShare }, c) => whole(this.#owedWritten, c, writtenUnits * writeShare)),
      deleted: classes.map(({ writeShare }, c) => whole(this.#owedDeleted, c, deletedUnits * writeShare)),
    };
  }
}

function whole(owed: number[], c: number, more: number): number {
  const sum = (owed[c] as number) + more;
  const units = Math.floor(sum + 1e-9);
  owed[c] = sum - units;
  return units;
}
