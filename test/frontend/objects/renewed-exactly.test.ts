// Records that are stored anew take the place of those that cannot be read: so many blocks in a transaction, references and state as they were.
import { describe, expect, it } from 'vitest';
import { unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import type { FreshBlock } from '../../../lib/frontend/index-plan.ts';
import { renewRecords } from '../../../lib/frontend/renew-records.ts';
import { RENEWAL_ITEMS_MAX, TRANSACTION_ITEMS_MAX } from '../../../lib/limits/panda.ts';
import {
  CONFLICT_ATTEMPTS_MAX,
  CONFLICT_BACK_OFF_STEPS_MAX,
  TRANSACT_BACK_OFF_MS,
} from '../../../lib/limits/volume.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { Row, Write } from '../../../lib/panda/panda.ts';
import { type BlockRow, blockFromRow, blockKey } from '../../../lib/panda/rows/block-row.ts';
import { objectKey } from '../../../lib/panda/rows/object-row.ts';
import { trashAttributes, trashFromRow, trashKey } from '../../../lib/panda/rows/trash-row.ts';
import {
  AT_MS,
  block,
  bucket,
  CELL,
  putBlock,
  putBucket,
  record,
  rowOf,
  version,
  worldWith,
} from '../../gc/removed-rows.ts';

/** In another bucket, under another record. */
const freshOf = (n: number): FreshBlock => {
  const { refs: _, state: __, ...fresh } = rowOf(n, { bucket: bucket(2), recordId: record(1000 + n), kekVersion: 5 });
  return fresh;
};
const trash = (n: number): Write => ({
  ...{ kind: 'put', ...trashKey(CELL, bucket(1), n) },
  attributes: trashAttributes({ blockId: block(n), recordId: record(n), recordBytes: 100 + n, sinceMs: 7 }),
});

async function renewing(rows: readonly BlockRow[], more: readonly Write[] = []) {
  const made = await worldWith([putBucket(1), putBucket(2), ...rows.map(putBlock), ...more]);
  const sizes: number[] = [];
  let refused = 0;
  const refuse = (times: number, failed: number): void => {
    refused = 0;
    made.panda.before = async (writes) => {
      sizes.push(writes.length);
      if (refused++ < times) throw new PandaConflict([failed]);
    };
  };
  refuse(0, 0);
  const run = (guards: readonly Write[] = []) =>
    renewRecords(made.components, {
      lost: new Map(rows.map((row) => [row.id, row])),
      fresh: new Map(rows.map(({ slot }) => [block(slot), freshOf(slot)] as [BlockId, FreshBlock])),
      guards,
    });
  const now = async (n: number) => blockFromRow((await made.panda.get(blockKey(block(n)))) as Row);
  return { ...made, sizes, refuse, run, now };
}
const guard: Write = { kind: 'check', ...objectKey('n', 'x'), if: ['absent'] };

describe('a block whose record is lost', () => {
  it('names the new one, with the references, the name and the state it had; the old slot dies', async () => {
    const named = rowOf(1, { refs: 3, named: version(4) });
    const { run, now, dead } = await renewing([named, rowOf(2, { refs: 2 })]);
    const renewed = await run();
    expect([...renewed.keys()]).toEqual([block(1), block(2)]);
    for (const [n, of] of [
      [1, { refs: 3, named: version(4) }],
      [2, { refs: 2 }],
    ] as const) {
      expect(renewed.get(block(n))).toEqual({ ...freshOf(n), state: 'live', ...of });
      expect(await now(n)).toEqual({ ...freshOf(n), state: 'live', ...of });
    }
    expect(await dead(1)).toEqual([1, 2]);
  });

  it('in trash stays there, and its grace begins anew, in 1970 at the earliest', async () => {
    const { run, now, world, panda } = await renewing([rowOf(1, { state: 'trash', refs: 0 })], [trash(1)]);
    world.clock.jumpTo(-5);
    expect((await run()).get(block(1))).toMatchObject({ state: 'trash', refs: 0 });
    expect(await now(1)).toMatchObject({ state: 'trash', recordId: record(1001) });
    expect(await panda.get(trashKey(CELL, bucket(1), 1))).toBeUndefined();
    expect(trashFromRow((await panda.get(trashKey(CELL, bucket(2), 1))) as Row)).toMatchObject({
      ...{ blockId: block(1), recordId: record(1001), recordBytes: 101, sinceMs: 0 },
    });
    expect(AT_MS).toBeGreaterThan(0);
  });

  it('is renewed with others, as many as a transaction takes beside its guards', async () => {
    const rows = Array.from({ length: 45 }, (_, n) => rowOf(n));
    const most = (guards: number) => Math.floor((TRANSACTION_ITEMS_MAX - guards) / RENEWAL_ITEMS_MAX);
    expect([most(0), most(1)]).toEqual([20, 19]);
    // Each block, and the bucket and its dead row.
    const free = await renewing(rows);
    expect((await free.run()).size).toBe(45);
    expect(free.sizes).toEqual([22, 22, 7]);
    const guarded = await renewing(rows);
    await guarded.run([guard]);
    expect(guarded.sizes).toEqual([22, 22, 10]);
  });

  it('that somebody else renewed, or nobody has, is left alone', async () => {
    const { run, now, panda, sizes } = await renewing([rowOf(1), rowOf(2)]);
    const { before } = panda;
    panda.before = undefined;
    await panda.transact([putBlock(rowOf(1, { recordId: record(77) })), { kind: 'delete', ...blockKey(block(2)) }]);
    panda.before = before;
    // By what was read both are lost: the transaction is refused, and the rows are read again.
    expect(await run()).toEqual(new Map());
    expect(await now(1)).toMatchObject({ recordId: record(77) });
    expect(sizes).toHaveLength(1);
  });
});

describe('a renewal that is refused', () => {
  it.each([1, CONFLICT_ATTEMPTS_MAX, CONFLICT_ATTEMPTS_MAX + 1])(
    '%i times is tried again, a while later each time',
    async (times) => {
      const { run, refuse, sizes, slept } = await renewing([rowOf(1)]);
      refuse(times, 1);
      if (times > CONFLICT_ATTEMPTS_MAX) await expect(run([guard])).rejects.toMatchObject({ code: 'CONTENDED' });
      else expect((await run([guard])).size).toBe(1);
      expect(sizes).toHaveLength(Math.min(times, CONFLICT_ATTEMPTS_MAX) + 1);
      expect(slept).toHaveLength(Math.min(times, CONFLICT_ATTEMPTS_MAX));
      const most = (i: number) => TRANSACT_BACK_OFF_MS * 2 ** Math.min(i, CONFLICT_BACK_OFF_STEPS_MAX);
      expect(slept.every((ms, i) => ms <= most(i))).toBe(true);
      if (times > 1) expect(Math.max(...slept)).toBeGreaterThan(most(3));
    },
  );

  it('by its guard is another’s', async () => {
    const { run, refuse, sizes } = await renewing([rowOf(1)]);
    refuse(1, 0);
    await expect(run([guard])).rejects.toMatchObject({ kind: 'conflict', code: 'GUARD_FAILED' });
    refuse(1, 0);
    expect((await run([])).size).toBe(1);
    expect(sizes).toHaveLength(3);
  });

  it('by a mistake of a program is not tried again', async () => {
    const { run, panda } = await renewing([rowOf(1)]);
    panda.before = () => Promise.reject(new TypeError('a mistake'));
    await expect(run()).rejects.toThrow('a mistake');
  });

  it('after an answer that got lost is known by the first block', async () => {
    for (const isDone of [true, false]) {
      const { run, panda, now } = await renewing([rowOf(1), rowOf(2)]);
      panda.before = undefined;
      const { transact } = panda;
      let calls = 0;
      panda.transact = async (writes) => {
        calls += 1;
        if (isDone || calls > 1) await transact.call(panda, writes);
        if (calls === 1) throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
      };
      expect((await run()).size).toBe(2);
      expect([calls, (await now(2)).recordId]).toEqual([isDone ? 1 : 2, record(1002)]);
    }
  });
});
