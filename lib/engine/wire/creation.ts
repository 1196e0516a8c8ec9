// The rows that make a store: whoever began first says which one it will be, and from one row on it is one.
import type { Clock } from '../../foundation/clock.ts';
import { invalid, isKind } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { ROWS_PER_TRANSACTION } from '../../limits/panda.ts';
import type { Panda, Write } from '../../panda/panda.ts';
import { driveAttributes, driveKey } from '../../panda/rows/drives/drive-row.ts';
import {
  type StoreRow,
  storeAttributes,
  storeCreatingKey,
  storeFromRow,
  storeIs,
  storeKey,
} from '../../panda/rows/store-row.ts';
import { transact } from '../../volume/rows/transact.ts';

interface Ports {
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** The facts of the store to be, of whoever began first: ids on drives must not differ from those in Panda. */
export async function beginCreation(panda: Panda, ports: Ports, mine: StoreRow): Promise<StoreRow> {
  const begun = async (): Promise<StoreRow | undefined> => {
    const row = await panda.get(storeCreatingKey);
    return row === undefined ? undefined : storeFromRow(row);
  };
  const earlier = await begun();
  if (earlier === undefined) {
    try {
      const put = { kind: 'put', ...storeCreatingKey, attributes: storeAttributes(mine), if: ['absent'] } as const;
      await transact({ panda, ...ports }, [put], async () => (await begun())?.storeId === mine.storeId);
      return mine;
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
    }
  }
  const first = earlier ?? (await begun());
  if (first === undefined) return mine;
  const next = { ...first, settings: mine.settings, drives: mine.drives };
  const same = JSON.stringify(next) === JSON.stringify(first);
  if (!same)
    throw invalid(
      'STORE_INCOMPLETE',
      'another store was begun here with other settings or drives: finish it with those, or remove the directory',
    );
  return first;
}

/** What is known of each new drive; twice at once is once, as the markers say what is written. */
export async function writeNewDrives(
  panda: Panda,
  ports: Ports,
  incarnations: readonly (string | undefined)[],
  domains: readonly string[] = [],
): Promise<void> {
  const sinceMs = Math.max(0, ports.clock.nowMs());
  const writes = incarnations.map((incarnation, drive): Write => {
    const row = { state: 'active', change: 1, sinceMs, domain: domains[drive], incarnation } as const;
    return { kind: 'put', ...driveKey(drive), attributes: driveAttributes(row) };
  });
  for (let at = 0; at < writes.length; at += ROWS_PER_TRANSACTION)
    await transact({ panda, ...ports }, writes.slice(at, at + ROWS_PER_TRANSACTION), async () => false);
}

/** From here on it is a store. */
export async function endCreation(panda: Panda, ports: Ports, row: StoreRow): Promise<void> {
  const isThere = async (): Promise<boolean> => (await panda.get(storeKey)) !== undefined;
  try {
    await transact(
      { panda, ...ports },
      [
        { kind: 'put', ...storeKey, attributes: storeAttributes(row), if: ['absent'] },
        // Whoever gave the attempt up has deleted it, and what it had made.
        { kind: 'delete', ...storeCreatingKey, if: [storeIs(row.storeId)] },
      ],
      isThere,
    );
  } catch (error) {
    if (!(isKind(error, 'conflict') && (await isThere()))) throw error;
  }
}
