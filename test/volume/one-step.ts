// A step on rows, each of its conditions by itself: it is done if nothing happened since its rows were read, and refused if any one thing did.
import { describe, expect, it } from 'vitest';
import { isKind } from '../../lib/foundation/errors.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Key, Write } from '../../lib/panda/panda.ts';

export type Rows = readonly (readonly [key: Key, attributes: Attributes])[];
/** What happened meanwhile: a change of a row that was read. */
export type Meanwhile = Readonly<Record<string, readonly [key: Key, change: Attributes | 'gone']>>;

export async function pandaWith(rows: Rows): Promise<MemoryPanda> {
  const panda = new MemoryPanda();
  await panda.transact(rows.map(([key, attributes]): Write => ({ kind: 'put', ...key, attributes })));
  return panda;
}

function changed(rows: Rows, key: Key, change: Attributes | 'gone'): Rows {
  const isThis = (other: Key): boolean => other.partition === key.partition && other.sort === key.sort;
  const before = rows.find(([other]) => isThis(other))?.[1];
  const rest = rows.filter(([other]) => !isThis(other));
  return change === 'gone' ? rest : [...rest, [key, { ...before, ...change }]];
}

/** Every test of a step: it is done, with what comes out, and refused after each thing that may happen. */
export function step(
  name: string,
  rows: Rows,
  writesNow: () => readonly Write[],
  meanwhile: Meanwhile,
  done: (panda: MemoryPanda) => Promise<void>,
): void {
  describe(name, () => {
    it('is done if nothing happened meanwhile', async () => {
      const panda = await pandaWith(rows);
      await panda.transact(writesNow());
      await done(panda);
    });
    it.each(Object.keys(meanwhile))('is refused if %s', async (what) => {
      const [key, change] = meanwhile[what] as Meanwhile[string];
      const panda = await pandaWith(changed(rows, key, change));
      await expect(panda.transact(writesNow())).rejects.toSatisfy((error) => isKind(error, 'conflict'));
    });
  });
}
