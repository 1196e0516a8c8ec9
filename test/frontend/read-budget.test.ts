import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { getObject } from '../../lib/frontend/get-object.ts';
import { KekRing } from '../../lib/frontend/kek-ring.ts';
import { ReadBudget } from '../../lib/frontend/read-budget.ts';
import { World } from '../store/harness.ts';

const BODY = new SeededRandomness(2).bytes(20_000); // 20 blocks of 1 KiB
const BUDGET_BYTES = 8 * 1024;

async function opened() {
  const { volumes, frontend } = new World(4).start();
  await frontend.put({ namespace: 'default', key: 'a', body: BODY });
  const budget = new ReadBudget(BUDGET_BYTES);
  const keks = new KekRing(volumes.components);
  const read = async () => (await getObject(volumes, keks, budget, 'default', 'a')).body[Symbol.asyncIterator]();
  return { budget, read };
}

async function rest(body: AsyncIterator<Uint8Array>, before: readonly Uint8Array[] = []): Promise<Buffer> {
  const parts = [...before];
  for (let next = await body.next(); !next.done; next = await body.next()) parts.push(next.value);
  return Buffer.concat(parts);
}

const isWhole = (budget: ReadBudget): boolean => budget.tryTake(BUDGET_BYTES);

describe('memory for reading ahead', () => {
  it('is shared, and a reader that stands still holds up no other', async () => {
    const { budget, read } = await opened();
    const still = await read();
    const first = await still.next();
    expect(budget.tryTake(1024)).toBe(false);
    const others = await Promise.all([read(), read(), read()]);
    for (const bytes of await Promise.all(others.map((body) => rest(body)))) expect(bytes.equals(BODY)).toBe(true);
    expect((await rest(still, [first.value as Uint8Array])).equals(BODY)).toBe(true);
    expect(isWhole(budget)).toBe(true);
  });

  it('comes back from a body that is not read to its end', async () => {
    const { budget, read } = await opened();
    const body = await read();
    await body.next();
    expect(isWhole(budget)).toBe(false);
    await body.return?.();
    expect(isWhole(budget)).toBe(true);
  });
});
