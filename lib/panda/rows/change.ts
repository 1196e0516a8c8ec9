// What row modules offer besides reading and writing whole rows: conditions are clauses of panda.ts, changes of single
// attributes are these. Whoever acts puts both together into one write and never names an attribute.
import { assert } from '../../foundation/assert.ts';
import type { Update } from '../panda.ts';

/** To be spread into a write of kind `update`. */
export type Change = Pick<Update, 'set' | 'add' | 'remove' | 'insert' | 'discard'>;

/** Several changes of one row as one. No attribute may be named by two of them. */
export function together(...changes: readonly Change[]): Change {
  const whole: { -readonly [part in keyof Change]: Change[part] } = {};
  for (const { set, add, remove, insert, discard } of changes) {
    if (set !== undefined) whole.set = joined(whole.set, set);
    if (add !== undefined) whole.add = joined(whole.add, add);
    if (remove !== undefined) whole.remove = [...(whole.remove ?? []), ...remove];
    if (insert !== undefined) whole.insert = joined(whole.insert, insert);
    if (discard !== undefined) whole.discard = joined(whole.discard, discard);
  }
  return whole;
}

/** A name in two different parts, or removed twice, is refused by every body. */
function joined<T>(one: Readonly<Record<string, T>> = {}, other: Readonly<Record<string, T>>): Record<string, T> {
  for (const name of Object.keys(other)) assert(!Object.hasOwn(one, name), () => `attribute ${name} is changed twice`);
  return { ...one, ...other };
}
