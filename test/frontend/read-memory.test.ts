// What a get has handed out it holds no more, however long it waits to be asked on.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { getObject } from '../../lib/frontend/get-object.ts';
import { KekRing } from '../../lib/frontend/kek-ring.ts';
import { ReadBudget } from '../../lib/frontend/read-budget.ts';
import { TINY, World } from '../store/harness.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

it('a block that was handed out is not held by a get that waits', async () => {
  const p = new World(1, TINY).start();
  const body = p.components.randomness.bytes(3 * TINY.blockBytesMax);
  await p.frontend.put({ namespace: 'n', key: 'k', body });
  // No memory to read ahead: it waits with one block handed out, and none begun.
  const found = await getObject(p.volumes, new KekRing(p.components), new ReadBudget(1), 'n', 'k');
  const pieces = found.body[Symbol.asyncIterator]();
  const taken = async (): Promise<WeakRef<ArrayBufferLike>> => {
    const { value } = await pieces.next();
    expect(value.length).toBe(TINY.blockBytesMax);
    return new WeakRef(value.buffer);
  };
  const first = await taken();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(first.deref()).toBeUndefined();
  await taken();
  await taken();
  expect((await pieces.next()).done).toBe(true);
});
