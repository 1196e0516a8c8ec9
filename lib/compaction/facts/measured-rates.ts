// How fast each age class of this store dies, measured: a row holds the live bytes of a few hundred volumes as they
// were at the last look, and what was learnt so far. Every look a day or more later compares, and the rates move
// towards what it finds. Counting needs no state per block, and the sample bounds the row, however many volumes there
// are.
import { DAY_MS } from '../../foundation/durations.ts';
import { isKind } from '../../foundation/errors.ts';
import { RATE_LOOK_EVERY_MS, RATE_SAMPLE_MAX } from '../../limits/compaction.ts';
import type { Write } from '../../panda/panda.ts';
import type { Components } from '../../volume/rows/components.ts';
import { transact } from '../../volume/rows/transact.ts';
import { deleteRatesOf } from './delete-rates.ts';
import { AGE_CLASSES, FLEET_STATES, type FleetView, fleetOf } from './fleet.ts';
import { PLAN_SETTINGS } from './plan-settings.ts';
import { type Learnt, type Look, lookAttributes, lookFromRow, lookIsAsRead, ratesKey } from './rates-row.ts';

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

export async function readRates({ panda, settings }: Pick<Components, 'panda' | 'settings'>): Promise<MeasuredRates> {
  const row = await panda.get(ratesKey(settings.cell));
  if (row === undefined) return ASSUMED_RATES;
  const { perDay, daysMeasured } = lookFromRow(row).learnt;
  return { perDay, daysMeasured };
}

/** One look. Safe at any time and twice: of two at once one wins, and one too soon changes nothing. */
export async function measureRates(components: Components, view: FleetView): Promise<MeasuredRates> {
  const nowMs = Math.max(0, components.clock.nowMs());
  const key = ratesKey(components.settings.cell);
  const row = await components.panda.get(key);
  const before = row === undefined ? undefined : lookFromRow(row);
  // A clock that went back waits until it is where it was.
  if (before !== undefined && nowMs - before.atMs < RATE_LOOK_EVERY_MS) return before.learnt;
  const next = learn(before, view, nowMs);
  const put: Write = {
    kind: 'put',
    ...key,
    attributes: lookAttributes({ version: (before?.version ?? 0) + 1, atMs: nowMs, learnt: next }),
    if: lookIsAsRead(before),
  };
  try {
    await transact(components, [put], async () => true);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    return readRates(components);
  }
  return next;
}

/** Pure: what is known after another look. */
export function learn(before: Pick<Look, 'atMs' | 'learnt'> | undefined, view: FleetView, nowMs: number): Learnt {
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
  for (let i = 0; i < view.count && sample.length < RATE_SAMPLE_MAX; i++) {
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
