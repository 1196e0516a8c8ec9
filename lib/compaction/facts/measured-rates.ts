// How fast each age class of this store dies, measured: `rates/CELL` holds the live bytes of a few hundred volumes as
// they were at the last look, and what was learnt so far. Every look a day or more later compares, and the rates move
// towards what it finds. Counting needs no state per block, and the sample bounds the row, however many volumes there
// are.

import * as z from 'zod';
import { DAY_MS } from '../../foundation/durations.ts';
import { corrupt, isKind } from '../../foundation/errors.ts';
import type { Key, Row, Write } from '../../panda/panda.ts';
import { countIn, stringIn } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';
import { transact } from '../../volume/rows/transact.ts';
import { deleteRatesOf } from './delete-rates.ts';
import { AGE_CLASSES, FLEET_STATES, type FleetView, fleetOf } from './fleet.ts';
import { PLAN_SETTINGS } from './plan-settings.ts';

const SAMPLE_MAX = 512;
/** Looks nearer together than that are left out: a snapshot is never quite of one moment. */
const LOOK_EVERY_MS = 0.8 * DAY_MS;
/** What was learnt so long ago counts for a third. */
const MEMORY_DAYS = 7;

export interface MeasuredRates {
  /** Deletes per live byte and day, by age class. */
  readonly perDay: readonly number[];
  /** By age class: days that were counted; 0 where the rate is still the one assumed. */
  readonly daysMeasured: readonly number[];
}

export const ASSUMED_RATES: MeasuredRates = Object.freeze({
  perDay: PLAN_SETTINGS.deletesPerDay,
  daysMeasured: Array.from({ length: AGE_CLASSES }, () => 0),
});

const perClass = z.array(z.number().nonnegative()).length(AGE_CLASSES);
const learntSchema = z.strictObject({
  perDay: perClass,
  daysMeasured: perClass,
  /** Of the last look: id, generation, live bytes, capacity, age. */
  sample: z.array(z.tuple([z.string(), z.int(), z.number(), z.number(), z.number()])),
});
type Learnt = z.infer<typeof learntSchema>;

const keyOf = (cell: string): Key => ({ partition: `rates/${cell}`, sort: 'deletes' });

interface Look {
  readonly version: number;
  readonly atMs: number;
  readonly learnt: Learnt;
}

function lookFrom(row: Row): Look {
  try {
    const learnt = learntSchema.parse(JSON.parse(stringIn(row, 'j')));
    return { version: countIn(row, 'v'), atMs: countIn(row, 'a'), learnt };
  } catch (cause) {
    throw corrupt('ROW_MALFORMED', 'the measured delete rates cannot be read', cause);
  }
}

export async function readRates({ panda, settings }: Pick<Components, 'panda' | 'settings'>): Promise<MeasuredRates> {
  const row = await panda.get(keyOf(settings.cell));
  if (row === undefined) return ASSUMED_RATES;
  const { perDay, daysMeasured } = lookFrom(row).learnt;
  return { perDay, daysMeasured };
}

/** One look. Safe at any time and twice: of two at once one wins, and one too soon changes nothing. */
export async function measureRates(c: Components, view: FleetView): Promise<MeasuredRates> {
  const nowMs = Math.max(0, c.clock.nowMs());
  const key = keyOf(c.settings.cell);
  const row = await c.panda.get(key);
  const before = row === undefined ? undefined : lookFrom(row);
  // A clock that went back waits until it is where it was.
  if (before !== undefined && nowMs - before.atMs < LOOK_EVERY_MS) return before.learnt;
  const next = learn(before, view, nowMs);
  const put: Write = {
    kind: 'put',
    ...key,
    attributes: { v: (before?.version ?? 0) + 1, a: nowMs, j: JSON.stringify(next) },
    if: before === undefined ? ['absent'] : [{ attribute: 'v', equals: before.version }],
  };
  try {
    await transact(c, [put], async () => true);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    return readRates(c);
  }
  return next;
}

/** Pure: what is known after another look. */
function learn(before: Look | undefined, view: FleetView, nowMs: number): Learnt {
  const sample = sampleOf(view);
  if (before === undefined) return { ...copyOf(ASSUMED_RATES), sample };
  const { perDay, daysMeasured } = before.learnt;
  const elapsedMs = nowMs - before.atMs;
  const days = elapsedMs / DAY_MS;
  const none = perDay.map(() => Number.NaN);
  const seen = deleteRatesOf(viewOf(view, before.learnt.sample), viewOf(view, sample), elapsedMs, none);
  const weight = 1 - Math.exp(-days / MEMORY_DAYS);
  const isSeen = (age: number): boolean => !Number.isNaN(seen[age]);
  return {
    perDay: perDay.map((known, age) => {
      if (!isSeen(age)) return known;
      const found = seen[age] as number;
      return daysMeasured[age] === 0 ? found : known + weight * (found - known);
    }),
    daysMeasured: daysMeasured.map((known, age) => (isSeen(age) ? known + days : known)),
    sample,
  };
}

const copyOf = ({ perDay, daysMeasured }: MeasuredRates) => ({ perDay: [...perDay], daysMeasured: [...daysMeasured] });

/** Ids are random: the first by id are as good a sample as any, and mostly the same ones at the next look. */
function sampleOf(view: FleetView): Learnt['sample'] {
  const sealed = FLEET_STATES.indexOf('sealed');
  const sample: Learnt['sample'] = [];
  for (let i = 0; i < view.count && sample.length < SAMPLE_MAX; i++) {
    if (view.state[i] !== sealed) continue;
    const of = (column: Float64Array): number => column[i] as number;
    sample.push([
      view.ids[i] as string,
      view.generation[i] as number,
      of(view.liveBytes),
      of(view.capacityBytes),
      Math.round(of(view.ageMs)),
    ]);
  }
  return sample;
}

const viewOf = ({ store, cell }: FleetView, sample: Learnt['sample']): FleetView =>
  fleetOf(
    store,
    cell,
    sample.map(([id, generation, liveBytes, capacityBytes, ageMs]) => ({
      id,
      generation,
      codec: 'single',
      state: 'sealed',
      liveBytes,
      usedBytes: capacityBytes,
      capacityBytes,
      bucketCount: 1,
      ageMs,
    })),
  );
