// The rows that make a store: whoever began first says which one it will be, and from one row on it is one.
import type { Clock } from '../../foundation/clock.ts';
import { invalid, isKind } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import type { Panda } from '../../panda/panda.ts';
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
