// Whether the Live Coder of L3 could write when it last tried (coder-row.ts). Soft state, for those who would give it
// more: no work that anybody has to end.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { Write } from '../../panda/panda.ts';
import type { Components } from '../../volume/rows/components.ts';
import { stallAttributes, stallFromRow, stallKey } from './coder-row.ts';

export async function coderStall({ panda }: Pick<Components, 'panda'>): Promise<Reason | undefined> {
  const row = await panda.get(stallKey);
  return row === undefined ? undefined : stallFromRow(row);
}

/** How the last try went. Lost, it is noted again at the next one. */
export async function noteCoder(components: Components, stalled: Reason | undefined): Promise<void> {
  const now = await coderStall(components);
  if (now?.code === stalled?.code && now?.text === stalled?.text) return;
  const write: Write =
    stalled === undefined
      ? { kind: 'delete', ...stallKey }
      : { kind: 'put', ...stallKey, attributes: stallAttributes(stalled) };
  try {
    await components.panda.transact([write]);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
  }
}
