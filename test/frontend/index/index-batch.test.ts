// The transactions of one batch over the group that holds its records: what becomes of each object, what has to be done again, and how the group ends.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../../lib/foundation/errors.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import { objectKey } from '../../../lib/panda/rows/object-row.ts';
import { version } from '../../gc/removed-rows.ts';
import { fine, grouped, idOf, isOf, lostAnswer, put } from './grouped.ts';

describe('a batch', () => {
  it('settles its group with its last transaction where every record is named', async () => {
    const { ended, run, sound } = await grouped([1, 2]);
    expect(await run([put('a', [1]), put('b', [2])])).toEqual(fine);
    expect(ended).toEqual(['finished']);
    await sound();
  });

  it('settles it afterwards where one is not, so that its slot dies', async () => {
    const { ended, run, sound } = await grouped([1, 2]);
    expect(await run([put('a', [1])])).toEqual(fine);
    expect(ended).toEqual(['settle', 'finished']);
    await sound();
  });

  it('is done one by one where one of it is refused, which alone is told so', async () => {
    const { ended, run, panda, sound } = await grouped([1, 2, 3]);
    expect(await run([put('a', [1]), put('b', [2], version(8)), put('c', [3])])).toEqual({
      ...fine,
      errors: ['b VERSION_MISMATCH'],
    });
    expect(ended).toEqual(['settle', 'finished']);
    expect([await panda.get(objectKey('n', 'a')), await panda.get(objectKey('n', 'b'))]).toEqual([
      expect.anything(),
      undefined,
    ]);
    await sound();
  });

  it('is put off where the lease is broken, and where a known block is gone', async () => {
    const { ended, run, group, sound } = await grouped([1]);
    await group.recover();
    ended.length = 0;
    expect(await run([put('a', [1])])).toEqual({ ...fine, again: ['a'] });
    expect(ended).toEqual(['settle']);
    await sound();
    const gone = await grouped([1]);
    expect(await gone.run([put('a', [1]), put('b', [7])])).toMatchObject({
      isLost: false,
      again: ['a', 'b'],
      errors: [],
    });
    await gone.sound();
  });

  it('of a segment that is put off says so, and whatever else fails comes out', async () => {
    const { run, group } = await grouped([1]);
    await group.recover();
    const extra = new Map([[idOf(1), 1]]);
    expect(await run([], { extra })).toEqual({ ...fine, isLost: true });
    const refused = await grouped([1]);
    refused.panda.before = async (writes) => {
      if (writes.some(({ partition }) => partition.startsWith('block/'))) throw lostAnswer();
    };
    await expect(refused.run([], { extra, took: async () => false })).rejects.toMatchObject({ code: 'PANDA_UNKNOWN' });
    expect(refused.ended).toEqual(['leave']);
  });

  it('that fails for all of it ends its group; by a mistake of a program it does not', async () => {
    const full = await grouped([1]);
    full.panda.before = async (writes) => {
      if (isOf('a')(writes)) throw retryLater('PANDA_FULL', 'the disk is full');
    };
    await expect(full.run([put('a', [1])])).rejects.toMatchObject({ code: 'PANDA_FULL' });
    expect(full.ended).toEqual(['settle', 'finished']);
    const broken = await grouped([1]);
    broken.panda.before = () => Promise.reject(new TypeError('a mistake'));
    await expect(broken.run([put('a', [1])])).rejects.toThrow('a mistake');
    expect(broken.ended).toEqual([]);
  });

  it('without new records ends nothing, and says of each what is not known', async () => {
    const { ended, run, panda } = await grouped([2], { known: [1] });
    panda.before = async (writes) => {
      if (isOf('b')(writes)) throw lostAnswer();
    };
    expect(await run([put('a', [1]), put('b', [1])], { appended: undefined })).toEqual({
      ...fine,
      errors: ['a PANDA_UNKNOWN', 'b PANDA_UNKNOWN'],
    });
    panda.before = async (writes) => {
      if (isOf('b')(writes)) throw retryLater('PANDA_FULL', 'the disk is full');
    };
    await expect(run([put('b', [1])], { appended: undefined })).rejects.toMatchObject({ code: 'PANDA_FULL' });
    expect(ended).toEqual([]);
    panda.before = undefined;
    expect(await run([put('c', [1])], { appended: undefined })).toEqual(fine);
    expect(ended).toEqual([]);
  });
});

describe('an answer that got lost', () => {
  /** Of the transaction of `a`, which is done or not. */
  async function lost(isDone: boolean, isShared = false) {
    const made = await grouped([1], { isShared });
    made.panda.before = async (writes) => {
      if (!isOf('a')(writes)) return;
      if (isDone) await MemoryPanda.prototype.transact.call(made.panda, writes).catch(() => undefined);
      throw lostAnswer();
    };
    return made;
  }

  it('is made up for by a recovery of the group: what is there is there, the rest is done again', async () => {
    const done = await lost(true);
    // It tells by the object itself that it was done.
    expect(await done.run([put('a', [1])])).toEqual(fine);
    expect(done.ended).toEqual(['finished']);
    await done.sound();
    const not = await lost(false);
    expect(await not.run([put('a', [1])])).toEqual({ ...fine, again: ['a'] });
    expect(not.ended).toEqual(['recover']);
    await not.sound();
  });

  it('is told where the group cannot be recovered now, or nobody can be asked', async () => {
    const { run, group } = await lost(false);
    group.recover = async () => false;
    expect(await run([put('a', [1])])).toEqual({ ...fine, errors: ['a PANDA_UNKNOWN'] });
    for (const error of [retryLater('PANDA_BUSY', 'busy'), new TypeError('a mistake')]) {
      const unasked = await lost(false);
      const { recover } = unasked.group;
      unasked.group.recover = async () => {
        const isDone = await recover.call(unasked.group);
        unasked.panda.beforeRead = () => Promise.reject(error);
        return isDone;
      };
      const outcome = unasked.run([put('a', [1])]);
      if (error instanceof TypeError) await expect(outcome).rejects.toBe(error);
      else expect(await outcome).toEqual({ ...fine, errors: ['a PANDA_UNKNOWN'] });
    }
  });

  it('in a group that others share recovers it for all', async () => {
    const { run, ended } = await lost(false, true);
    expect(await run([put('a', [1])])).toEqual({ ...fine, again: ['a'] });
    expect(ended).toEqual(['recover']);
  });
});
