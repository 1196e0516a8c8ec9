// The body in memory refuses what DynamoDB refuses, as long as simulated time says that it is under way.
import { describe, expect, it } from 'vitest';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { EventClock } from '../cost/event-clock.ts';
import { World } from '../store/harness.ts';

const put = (sort: string, partition = 'p'): Write => ({ kind: 'put', partition, sort, attributes: { n: 1 } });
const check = (sort: string): Write => ({ kind: 'check', partition: 'p', sort, if: ['absent'] });
const BUSY = { kind: 'retry', code: 'PANDA_BUSY' };

function paced(partitionWritesPerSecond?: number) {
  const clock = new EventClock();
  const limit = partitionWritesPerSecond === undefined ? {} : { partitionWritesPerSecond };
  const panda = new MemoryPanda({ pace: { clock, transactionMs: 15, writeMs: 5, readMs: 1, ...limit } });
  return { clock, panda };
}

describe('transactions in memory', () => {
  it('that meet at a row, even if both only check it: the later one is refused, and wrote nothing', async () => {
    const { clock, panda } = paced();
    await clock.run(
      (async () => {
        const first = panda.transact([check('shared'), put('a')]);
        await clock.sleep(10);
        await expect(panda.transact([check('shared'), put('b')])).rejects.toMatchObject(BUSY);
        await expect(panda.transact([put('a')])).rejects.toMatchObject(BUSY); // a plain write as well
        await first;
        expect(clock.monotonicMs()).toBe(15);
        await panda.transact([check('shared'), put('b')]);
      })(),
    );
    expect(panda.snapshot().map(({ sort }) => sort)).toEqual(['a', 'b']);
  });

  it('that meet nowhere go on side by side, and so do plain writes of one row', async () => {
    const { clock, panda } = paced();
    await clock.run(
      Promise.all([
        panda.transact([put('a'), put('b')]),
        panda.transact([put('c'), put('d')]),
        panda.transact([put('e')]),
        panda.transact([put('e')]),
      ]),
    );
    expect(clock.monotonicMs()).toBe(15);
  });

  it('one that fails its condition holds its rows as long', async () => {
    const { clock, panda } = paced();
    await clock.run(
      (async () => {
        await panda.transact([put('a')]);
        const refused = expect(panda.transact([check('a'), put('b')])).rejects.toMatchObject({ kind: 'conflict' });
        await expect(panda.transact([put('b'), put('c')])).rejects.toMatchObject(BUSY);
        await refused;
      })(),
    );
  });

  it('a partition takes so many rows a second, those of a transaction twice', async () => {
    const { clock, panda } = paced(100);
    const rows = (from: number, count: number): Write[] => Array.from({ length: count }, (_, i) => put(`k${from + i}`));
    await clock.run(
      (async () => {
        await panda.transact(rows(0, 40));
        await expect(panda.transact(rows(40, 12))).rejects.toMatchObject(BUSY);
        await panda.transact([put('other', 'q')]);
        await clock.sleep(50);
        await panda.transact(rows(40, 12));
      })(),
    );
    expect(panda.snapshot()).toHaveLength(53);
  });

  it('without a pace those of one turn meet; a serial one refuses nothing', async () => {
    const both = (panda: MemoryPanda) =>
      Promise.allSettled([panda.transact([check('s'), put('a')]), panda.transact([check('s'), put('b')])]);
    expect((await both(new MemoryPanda())).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((await both(new MemoryPanda({ isSerial: true }))).every(({ status }) => status === 'fulfilled')).toBe(true);
  });

  it('of a world take a while, throttle, and do so in its copies as well', async () => {
    const world = new World(1);
    for (const panda of [world.panda, world.clone().panda]) {
      const first = panda.transact([check('shared'), put('a')]);
      for (let turn = 0; turn < 10; turn++) await undefined;
      await expect(panda.transact([check('shared'), put('b')])).rejects.toMatchObject(BUSY);
      await first;
      const many = (name: string): Write[] => Array.from({ length: 99 }, (_, i) => put(`${name}${i}`, 'q'));
      for (const name of 'abcde') await panda.transact(many(name));
      await expect(panda.transact(many('f'))).rejects.toMatchObject(BUSY);
    }
  });
});
