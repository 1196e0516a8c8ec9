// coder | stall: why the Live Coder of L3 could not write when it last tried; no row: it could. Soft state, for those
// who would give it more: no work that anybody has to end.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { Key, Write } from '../../panda/panda.ts';
import { stringIn } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';

const KEY: Key = { partition: 'coder', sort: 'stall' };

export async function coderStall({ panda }: Pick<Components, 'panda'>): Promise<Reason | undefined> {
  const row = await panda.get(KEY);
  return row === undefined ? undefined : { code: stringIn(row, 'c'), text: stringIn(row, 't') };
}

/** How the last try went. Lost, it is noted again at the next one. */
export async function noteCoder(c: Components, stalled: Reason | undefined): Promise<void> {
  const now = await coderStall(c);
  if (now?.code === stalled?.code && now?.text === stalled?.text) return;
  const write: Write =
    stalled === undefined
      ? { kind: 'delete', ...KEY }
      : { kind: 'put', ...KEY, attributes: { c: stalled.code, t: stalled.text } };
  try {
    await c.panda.transact([write]);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
  }
}
