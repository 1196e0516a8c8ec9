// work/threshold | state: the threshold as the controller left it, and what the last plan used of its budgets. Without
// the row the threshold is THRESHOLD_START.
import * as z from 'zod';
import { corrupt, isKind } from '../../foundation/errors.ts';
import type { Condition, Key, Write } from '../../panda/panda.ts';
import { countIn, stringIn } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';
import { transact } from '../../volume/rows/transact.ts';
import { THRESHOLD_START, type ThresholdState, thresholdStart } from './law.ts';

const KEY: Key = { partition: 'work/threshold', sort: 'state' };
const BUDGET_KEY: Key = { partition: 'work/threshold', sort: 'budget' };

const stateSchema = z.strictObject({
  threshold: z.number(),
  quick: z.number().nullable(),
  slow: z.number().nullable(),
  atMs: z.number().nullable(),
});

export interface ThresholdRow {
  /** 0 if there is no row yet. */
  readonly version: number;
  readonly state: ThresholdState;
}

export async function readThreshold({ panda }: Pick<Components, 'panda'>): Promise<ThresholdRow> {
  const row = await panda.get(KEY);
  if (row === undefined) return { version: 0, state: thresholdStart(THRESHOLD_START) };
  try {
    return { version: countIn(row, 'v'), state: stateSchema.parse(JSON.parse(stringIn(row, 'j'))) };
  } catch (cause) {
    throw corrupt('ROW_MALFORMED', 'the threshold cannot be read', cause);
  }
}

/** Nobody has set it since. */
const isAsRead = ({ version }: ThresholdRow): Condition =>
  version === 0 ? ['absent'] : [{ attribute: 'v', equals: version }];

/** False if somebody else set it meanwhile. */
export async function writeThreshold(
  components: Components,
  before: ThresholdRow,
  state: ThresholdState,
): Promise<boolean> {
  const put: Write = {
    kind: 'put',
    ...KEY,
    attributes: { v: before.version + 1, j: JSON.stringify(state) },
    if: isAsRead(before),
  };
  try {
    await transact(components, [put], async () => (await readThreshold(components)).version === before.version + 1);
    return true;
  } catch (error) {
    if (isKind(error, 'conflict')) return false;
    throw error;
  }
}

/** Use of the scarcest budget by the last plan, 0..1. */
export async function readBudgetUse({ panda }: Pick<Components, 'panda'>): Promise<number> {
  const row = await panda.get(BUDGET_KEY);
  return row === undefined ? 0 : countIn(row, 'm') / 1000;
}

/** Of the plan made last; a lost update costs nothing. */
export async function writeBudgetUse(components: Components, used: number): Promise<void> {
  const put: Write = { kind: 'put', ...BUDGET_KEY, attributes: { m: Math.round(Math.min(1, used) * 1000) } };
  await transact(components, [put], async () => false);
}
