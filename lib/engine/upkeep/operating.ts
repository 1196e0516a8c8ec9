// What an operator sets of a running store, as `settings` shows and changes it.
import { sealedTotals } from '../../compaction/facts/fleet.ts';
import { planSettingsFor, snapshotOf } from '../../compaction/facts/snapshot.ts';
import { UNLIMITED } from '../../compaction/plan/budget.ts';
import {
  derivedRates,
  OPERATING_NAMES,
  type OperatingName,
  type OperatingSettings,
  PLANNED_NAMES,
} from '../../compaction/plan/operating-settings.ts';
import { changeOperating, readOperating } from '../../compaction/run/operating-row.ts';
import { invalid } from '../../foundation/errors.ts';
import { COMPACTORS_AT_ONCE } from '../../limits/stage.ts';
import { VERIFY_SHARE_PERMILLE } from '../../limits/verify.ts';
import type { Settings } from '../../settings/settings.ts';
import type { EngineStore } from '../wire/engine-store.ts';

export interface OperatingLine {
  readonly name: OperatingName;
  /** Null: not limited. */
  readonly value: string | number | null;
  /** `set` by somebody, follows from the `size` of the store, or is the `default` of every store. */
  readonly from: 'set' | 'size' | 'default';
}

export type OperatingValue = string | number | null;

/** All of them, in the order of the documentation. */
export async function listOperating({ components }: Pick<EngineStore, 'components'>): Promise<OperatingLine[]> {
  const set = await readOperating(components);
  const { liveBytes } = sealedTotals(await snapshotOf(components));
  return operatingLines(set, components.settings, liveBytes);
}

export function operatingLines(set: OperatingSettings, settings: Settings, liveBytes: number): OperatingLine[] {
  const derived: OperatingSettings = derivedRates(liveBytes);
  const defaults = defaultsOf(settings);
  return OPERATING_NAMES.map((name): OperatingLine => {
    const own = set[name];
    if (own !== undefined) return { name, value: own, from: 'set' };
    const bySize = derived[name];
    return bySize === undefined
      ? { name, value: defaults[name] ?? null, from: 'default' }
      : { name, value: bySize, from: 'size' };
  });
}

/** What is not named here and not derived is not limited. */
function defaultsOf(settings: Settings): OperatingSettings {
  const planned = planSettingsFor(settings);
  const { l1, l2, l3 } = UNLIMITED.shares;
  return {
    ...Object.fromEntries(PLANNED_NAMES.map((name) => [name, planned[name]])),
    ...{ l1Share: l1, l2Share: l2, l3Share: l3 },
    runsAtOnce: COMPACTORS_AT_ONCE,
    verifySharePermille: VERIFY_SHARE_PERMILLE,
  };
}

export const isOperatingName = (name: string): name is OperatingName => OPERATING_NAMES.some((one) => one === name);

/** Sets these, or none of them. Throws `invalid` OPERATING_INVALID, BOUNDARIES_INVALID, BUDGET_INVALID. */
export const setOperating = (
  store: Pick<EngineStore, 'components'>,
  changes: Readonly<Partial<Record<string, OperatingValue>>>,
): Promise<OperatingLine[]> => changed(store, Object.keys(changes), (before) => ({ ...before, ...changes }));

/** As if they had never been set; all of them if none is named. */
export function resetOperating(
  store: Pick<EngineStore, 'components'>,
  names: readonly string[],
): Promise<OperatingLine[]> {
  const gone = new Set<string>(names.length === 0 ? OPERATING_NAMES : names);
  return changed(store, names, (before) =>
    Object.fromEntries(Object.entries(before).filter(([name]) => !gone.has(name))),
  );
}

async function changed(
  store: Pick<EngineStore, 'components'>,
  names: readonly string[],
  change: (before: OperatingSettings) => Record<string, unknown>,
): Promise<OperatingLine[]> {
  const unknown = names.find((name) => !isOperatingName(name));
  if (unknown !== undefined) throw unknownName(unknown);
  await store.components.mayWrite?.();
  await changeOperating(store.components, change);
  return listOperating(store);
}

const unknownName = (name: string): Error =>
  invalid('OPERATING_INVALID', `there is no setting "${name}" that can be changed: ${OPERATING_NAMES.join(', ')}`);
