// The faulty body: each mode does, or does not, what it reports.
import { describe, expect, it } from 'vitest';
import { CountingPlan, Crash, type FaultMode, scriptedPlan } from '../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { FaultyPanda } from '../../lib/panda/faulty-panda.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Put } from '../../lib/panda/panda.ts';

const put = (sort: string): Put => ({ kind: 'put', partition: 'p', sort, attributes: {} });
const key = { partition: 'p', sort: 'a' };
const coded = (kind: string, code: string): object => expect.objectContaining({ name: 'PocketfulError', kind, code });

async function transactUnder(mode: FaultMode): Promise<{ error: unknown; applied: boolean }> {
  const inner = new MemoryPanda();
  const panda = new FaultyPanda(inner, new CountingPlan(1, mode));
  const error = await panda.transact([put('a')]).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, applied: (await inner.get(key)) !== undefined };
}

describe('FaultyPanda', () => {
  it('applies a transaction or not, as each mode says', async () => {
    expect(await transactUnder('none')).toEqual({ error: undefined, applied: true });
    expect(await transactUnder('before')).toEqual({ error: expect.any(Crash), applied: false });
    expect(await transactUnder('after')).toEqual({ error: expect.any(Crash), applied: true });
    expect(await transactUnder('before-error')).toEqual({ error: coded('unknown', 'PANDA_UNKNOWN'), applied: false });
    expect(await transactUnder('after-error')).toEqual({ error: coded('unknown', 'PANDA_UNKNOWN'), applied: true });
  });

  it('asks the plan once for each call, and names the rows', async () => {
    const asked: string[] = [];
    const plan = scriptedPlan(({ operation, call }, detail) => {
      asked.push(`${call} ${operation} ${detail}`);
      return 'none';
    });
    const panda = new FaultyPanda(new MemoryPanda(), plan);
    await panda.transact([put('a'), { kind: 'delete', partition: 'q', sort: 'b' }]);
    await panda.get(key);
    await panda.getMany([key, { partition: 'q', sort: 'b' }]);
    await panda.query('p', { from: 'a' });
    for await (const page of panda.scan()) expect(page.length).toBe(1);
    expect(asked).toEqual([
      '1 transact put p|a delete q|b',
      '2 get p|a',
      '3 getMany p|a q|b',
      '4 query p|a..',
      '5 scan ',
      '6 scan ',
    ]);
  });

  it('crashes at every call after a crash', async () => {
    const panda = new FaultyPanda(new MemoryPanda(), new CountingPlan(1, 'after'));
    await expect(panda.get(key)).rejects.toBeInstanceOf(Crash);
    await expect(panda.transact([put('a')])).rejects.toBeInstanceOf(Crash);
    await expect(panda.query('p')).rejects.toBeInstanceOf(Crash);
  });

  it('fails reads as busy', async () => {
    const panda = new FaultyPanda(
      new MemoryPanda(),
      scriptedPlan(() => 'after-error'),
    );
    await expect(panda.get(key)).rejects.toEqual(coded('retry', 'PANDA_BUSY'));
    await expect(panda.scan()[Symbol.asyncIterator]().next()).rejects.toEqual(coded('retry', 'PANDA_BUSY'));
  });

  it('is busy as often as told, and then has not applied', async () => {
    const inner = new MemoryPanda();
    const busyness = { permille: 300, randomness: new SeededRandomness(7) };
    const panda = new FaultyPanda(inner, { decide: () => 'none' }, busyness);
    let busy = 0;
    for (let i = 0; i < 1000; i++) {
      const sort = String(i);
      const done = await panda.transact([put(sort)]).then(
        () => true,
        (error: unknown) => {
          expect(error).toEqual(coded('retry', 'PANDA_BUSY'));
          return false;
        },
      );
      if (!done) busy += 1;
      expect((await inner.get({ partition: 'p', sort })) !== undefined).toBe(done);
    }
    expect(busy).toBeGreaterThan(240);
    expect(busy).toBeLessThan(360);
  });
});
