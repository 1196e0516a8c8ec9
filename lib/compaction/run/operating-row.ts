// work/settings | operating: what an operator has set of the planners and budgets. Read with every plan; without the
// row nothing was set.
import { conflict, corrupt, isKind } from '../../foundation/errors.ts';
import { OPERATING_ATTEMPTS_MAX } from '../../limits/compaction.ts';
import type { Condition, Key, Write } from '../../panda/panda.ts';
import { countIn, stringIn } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';
import { transact } from '../../volume/rows/transact.ts';
import { type OperatingSettings, parseOperating } from '../plan/operating-settings.ts';

export const operatingKey: Key = { partition: 'work/settings', sort: 'operating' };

interface OperatingRow {
  /** 0 if there is no row yet. */
  readonly version: number;
  readonly operating: OperatingSettings;
}

async function readRow({ panda }: Pick<Components, 'panda'>): Promise<OperatingRow> {
  const row = await panda.get(operatingKey);
  if (row === undefined) return { version: 0, operating: {} };
  try {
    return { version: countIn(row, 'v'), operating: parseOperating(JSON.parse(stringIn(row, 'j'))) };
  } catch (cause) {
    throw corrupt('ROW_MALFORMED', 'the operating settings cannot be read', cause);
  }
}

export const readOperating = async (components: Pick<Components, 'panda'>): Promise<OperatingSettings> =>
  (await readRow(components)).operating;

/**
 * Changes what is set, whoever else does so at once; what they become together is checked before anything is written.
 * Throws what parseOperating does, `conflict` SETTINGS_CHANGED.
 */
export async function changeOperating(
  components: Components,
  change: (before: OperatingSettings) => Record<string, unknown>,
): Promise<OperatingSettings> {
  for (let attempt = 0; attempt < OPERATING_ATTEMPTS_MAX; attempt++) {
    const { version, operating: before } = await readRow(components);
    const operating = parseOperating(change(before));
    const isAsRead: Condition = version === 0 ? ['absent'] : [{ attribute: 'v', equals: version }];
    const j = JSON.stringify(operating);
    const put: Write = { kind: 'put', ...operatingKey, attributes: { v: version + 1, j }, if: isAsRead };
    const isDone = async (): Promise<boolean> => {
      const now = await readRow(components);
      return now.version === version + 1 && JSON.stringify(now.operating) === j;
    };
    try {
      await transact(components, [put], isDone);
      return operating;
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
    }
  }
  throw conflict('SETTINGS_CHANGED', 'others change the settings at the same time: look at them and set them again');
}
