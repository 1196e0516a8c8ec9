// work/alarms | state: which figures are out of bounds and since when, as the last measurement found them.
import * as z from 'zod';
import { corrupt } from '../../foundation/errors.ts';
import type { Key, Write } from '../../panda/panda.ts';
import { stringIn } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';
import { transact } from '../../volume/rows/transact.ts';
import type { AlarmState } from './alarm-step.ts';

const KEY: Key = { partition: 'work/alarms', sort: 'state' };
const schema = z.array(
  z.strictObject({ name: z.string(), sinceMs: z.number(), isFiring: z.boolean(), value: z.number().nullable() }),
);

export async function readAlarms({ panda }: Pick<Components, 'panda'>): Promise<readonly AlarmState[]> {
  const row = await panda.get(KEY);
  if (row === undefined) return [];
  try {
    return schema.parse(JSON.parse(stringIn(row, 'j')));
  } catch (cause) {
    throw corrupt('ROW_MALFORMED', 'the state of the alarms cannot be read', cause);
  }
}

/** A lost update costs one measurement. A store that never had an alarm is not written to. */
export async function writeAlarms(
  components: Components,
  before: readonly AlarmState[],
  states: readonly AlarmState[],
): Promise<void> {
  if (before.length === 0 && states.length === 0) return;
  const put: Write = { kind: 'put', ...KEY, attributes: { j: JSON.stringify(states) } };
  await transact(components, [put], async () => false);
}
