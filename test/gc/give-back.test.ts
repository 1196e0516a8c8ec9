// References of what was removed are given back though others are at the same rows, tried so often and no more; whoever finds the row gone leaves it.
import { expect, it } from 'vitest';
import { giveBack } from '../../lib/gc/give-back.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { holdingFromRow, holdsReferences } from '../../lib/panda/rows/removed/held-references.ts';
import { TINY, World } from '../store/harness.ts';

class RefusingPanda extends MemoryPanda {
  refuses: ((writes: readonly Write[]) => Promise<boolean>) | undefined;

  override async transact(writes: readonly Write[]): Promise<void> {
    if (await this.refuses?.(writes)) throw new PandaConflict([0]);
    return super.transact(writes);
  }
}

/** A row of one removed object, and how many blocks there still are. */
async function removed() {
  const panda = new RefusingPanda();
  const world = new World(3, { ...TINY, deleteGraceMs: 1000 }, 20, panda);
  const p = world.start();
  await p.frontend.put({ namespace: 'n', key: 'a', body: Buffer.from('what is deleted '.repeat(9)) });
  await p.frontend.delete('n', 'a');
  const row =
    panda.snapshot().find((one) => one.partition.startsWith('removed') && holdsReferences(one)) ??
    expect.fail('no row');
  const blocks = () => panda.snapshot().filter(({ partition }) => partition.startsWith('block/')).length;
  expect(blocks()).toBe(1);
  return { panda, components: p.components, row, holding: holdingFromRow(row), blocks };
}

it('they are given back once, and the slots that are left are told', async () => {
  const { panda, components, row, holding, blocks } = await removed();
  const given = await giveBack(components, holding);
  expect(given?.left).toHaveLength(1);
  expect(given?.gone.notes).toEqual(given?.left);
  expect(blocks()).toBe(0);
  const now = holdingFromRow((await panda.get(row)) ?? expect.fail('no row'));
  expect(given?.gone).toEqual(now);
  expect(await giveBack(components, now)).toEqual({ gone: now, left: [] });
});

it.each([1, CONFLICT_ATTEMPTS_MAX])('they are given back after %i refusals', async (times) => {
  const { panda, components, holding, blocks } = await removed();
  let refused = 0;
  panda.refuses = async () => refused < times && ++refused > 0;
  expect((await giveBack(components, holding))?.left).toHaveLength(1);
  expect({ refused, blocks: blocks() }).toEqual({ refused: times, blocks: 0 });
});

it('it is told if others are always first', async () => {
  const { panda, components, holding, blocks } = await removed();
  let refused = 0;
  panda.refuses = async () => {
    refused += 1;
    if (refused > 100) throw new TypeError('it never ends');
    return true;
  };
  await expect(giveBack(components, holding)).rejects.toMatchObject({ code: 'CONTENDED' });
  expect({ refused, blocks: blocks() }).toEqual({ refused: CONFLICT_ATTEMPTS_MAX + 1, blocks: 1 });
});

it('another worker has ended it: nothing is left to do', async () => {
  const { panda, components, row, holding } = await removed();
  let isFirst = true;
  panda.refuses = async () => {
    if (!isFirst) return false;
    isFirst = false;
    await panda.transact([{ kind: 'delete', partition: row.partition, sort: row.sort }]);
    return true;
  };
  expect(await giveBack(components, holding)).toBeUndefined();
});
