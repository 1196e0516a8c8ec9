// One index transaction: what it carries, what is tried again and how often, and which error stands for what.
import { describe, expect, it } from 'vitest';
import { unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import { isGuardFailure, readObjects, runIndex } from '../../../lib/frontend/index-objects.ts';
import type { FreshBlock, ObjectChange } from '../../../lib/frontend/index-plan.ts';
import { INDEX_ATTEMPTS_MAX } from '../../../lib/limits/frontend.ts';
import { TRANSACTION_ITEMS_MAX } from '../../../lib/limits/panda.ts';
import { CONFLICT_BACK_OFF_STEPS_MAX, TRANSACT_BACK_OFF_MS } from '../../../lib/limits/volume.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { blockFromRow, blockKey } from '../../../lib/panda/rows/block-row.ts';
import { type ObjectRow, objectAttributes, objectKey, RELEASES } from '../../../lib/panda/rows/object-row.ts';
import { block, objectOf, putBlock, putBucket, rowOf, version, worldWith } from '../../gc/removed-rows.ts';

const putObject = (row: ObjectRow): Write => ({
  ...{ kind: 'put', ...objectKey(row.namespace, row.key), attributes: objectAttributes(row) },
});
const put = (row: ObjectRow, ifVersion?: string): ObjectChange => ({
  ...{ namespace: row.namespace, key: row.key, next: row },
  ...(ifVersion === undefined ? {} : { ifVersion }),
});
const remove = (row: ObjectRow): ObjectChange => ({ namespace: row.namespace, key: row.key, next: undefined });
const freshOf = (n: number): FreshBlock => {
  const { refs: _, state: __, ...fresh } = rowOf(n);
  return fresh;
};
const freshBlocks = (...of: number[]) => new Map<BlockId, FreshBlock>(of.map((n) => [block(n), freshOf(n)]));
const none = new Map<BlockId, FreshBlock>();

/** What it sends, and how often it is refused. */
async function indexing(writes: readonly Write[] = []) {
  const made = await worldWith([putBucket(1), ...writes]);
  const sent: string[] = [];
  const refuse = (times: number, failed: number) => {
    let refused = 0;
    made.panda.before = async (some) => {
      sent.push(some.map(({ kind, partition }) => `${kind} ${partition.split('/')[0]}`).join(', '));
      if (refused++ < times) throw new PandaConflict([failed]);
    };
  };
  refuse(0, 0);
  const keys = (...of: string[]) => of.map((key) => ({ namespace: 'n', key }));
  const there = async (...of: string[]) => (await readObjects(made.panda, keys(...of))).map((row) => row?.version);
  return { ...made, sent, refuse, there };
}

describe('an index transaction', () => {
  it('writes names, blocks and what was removed, behind its guards', async () => {
    const old = objectOf(1, [1]);
    const { components, sent, there } = await indexing([putBlock(rowOf(1)), putBlock(rowOf(2)), putObject(old)]);
    const next = { ...objectOf(9, [2, 3]), key: old.key };
    const guards = (used: readonly BlockId[]): Write[] => {
      expect(used).toEqual([block(3)]);
      return [{ kind: 'check', ...objectKey('n', 'other'), if: ['absent'] }];
    };
    expect(await runIndex(components, { changes: [put(next)], fresh: freshBlocks(3), guards })).toEqual({
      ...{ ok: true, used: [block(3)] },
    });
    expect(sent).toEqual(['check object, update block, put block, put object, put removed']);
    expect(await there(old.key)).toEqual([version(9)]);
  });

  it('of one write carries another, by which it is known when it comes again', async () => {
    const { components, sent } = await indexing();
    const empty = objectOf(1, []);
    await runIndex(components, { changes: [put(empty)], fresh: none, guards: [] });
    expect(sent).toEqual(['check work, put object']);
    const again = { ...empty, version: version(8) };
    await runIndex(components, { changes: [put(again)], fresh: none, guards: [] });
    await runIndex(components, { changes: [remove(again)], fresh: none, guards: [] });
    expect(sent.slice(1)).toEqual(['put object, put removed', 'delete object, put removed']);
    expect(RELEASES.startsWith('work')).toBe(true);
  });

  it('is not sent where a known block is gone, which is named', async () => {
    const { components, sent } = await indexing([putBlock(rowOf(1))]);
    const request = { changes: [put(objectOf(1, [1, 2]))], fresh: none, guards: [] };
    expect(await runIndex(components, request)).toEqual({ ok: false, gone: [block(2)] });
    expect(sent).toEqual([]);
  });

  it('has as many rows as a transaction takes, and is refused with one more', async () => {
    const many = Array.from({ length: TRANSACTION_ITEMS_MAX - 1 }, (_, n) => n);
    const { components, sent } = await indexing();
    const guard: Write = { kind: 'check', ...objectKey('n', 'other'), if: ['absent'] };
    const request = { changes: [put(objectOf(1, many))], fresh: freshBlocks(...many), guards: [guard] };
    await expect(runIndex(components, request)).rejects.toMatchObject({ code: 'INDEX_TOO_LONG' });
    expect(sent).toEqual([]);
    expect((await runIndex(components, { ...request, guards: [] })).ok).toBe(true);
    expect(sent[0]?.split(', ')).toHaveLength(TRANSACTION_ITEMS_MAX);
  });

  it.each([1, INDEX_ATTEMPTS_MAX, INDEX_ATTEMPTS_MAX + 1])(
    'is planned anew after %i refusals, each time a while later',
    async (times) => {
      const { components, refuse, sent, slept, there } = await indexing([putBlock(rowOf(1))]);
      refuse(times, 0);
      const done = runIndex(components, { changes: [put(objectOf(1, [1]))], fresh: none, guards: [] });
      if (times > INDEX_ATTEMPTS_MAX) await expect(done).rejects.toMatchObject({ kind: 'conflict', code: 'CONTENDED' });
      else await done;
      expect(await there('k1')).toEqual([times > INDEX_ATTEMPTS_MAX ? undefined : version(1)]);
      expect(sent).toHaveLength(Math.min(times, INDEX_ATTEMPTS_MAX) + 1);
      expect(slept).toHaveLength(Math.min(times, INDEX_ATTEMPTS_MAX));
      const most = (i: number) => TRANSACT_BACK_OFF_MS * 2 ** Math.min(i, CONFLICT_BACK_OFF_STEPS_MAX);
      expect(slept.every((ms, i) => ms <= most(i))).toBe(true);
      if (times > 1) expect(Math.max(...slept)).toBeGreaterThan(most(3));
    },
  );

  it('from what was seen before is planned anew at once', async () => {
    const old = objectOf(1, [1]);
    const { components, refuse, slept, sent } = await indexing([putBlock(rowOf(1)), putObject(old)]);
    const change = put({ ...objectOf(5, [1]), key: old.key });
    const seen = { objects: new Map([[change, undefined]]), blocks: new Map([[block(1), rowOf(1)]]) };
    refuse(1, 1);
    await runIndex(components, { changes: [change], fresh: none, guards: [], seen });
    expect(slept).toEqual([]);
    // By what was seen the name was free, and the block had one reference.
    expect(sent).toEqual(['update block, put object', 'update block, put object, put removed']);
  });

  it('is not planned by what was seen where that cannot be: a version that is required, a reference too many', async () => {
    const old = objectOf(1, [1]);
    const { components, sent } = await indexing([putBlock(rowOf(1)), putObject(old)]);
    const change = put({ ...objectOf(5, [1]), key: old.key }, old.version);
    const seen = { objects: new Map([[change, undefined]]), blocks: new Map() };
    await runIndex(components, { changes: [change], fresh: none, guards: [], seen });
    expect(sent).toEqual(['update block, put object, put removed']);
    const extra = new Map([[block(1), -1]]);
    const wrong = { objects: new Map(), blocks: new Map([[block(1), rowOf(1, { refs: 0, state: 'trash' })]]) };
    expect(await runIndex(components, { changes: [], extra, fresh: none, guards: [], seen: wrong })).toMatchObject({
      ok: true,
    });
    const gone = { objects: new Map([[change, undefined]]), blocks: new Map([[block(1), undefined]]) };
    const again = put({ ...objectOf(6, [1]), key: 'k6' });
    expect(await runIndex(components, { changes: [again], fresh: none, guards: [], seen: gone })).toMatchObject({
      ok: true,
    });
  });

  it('reads the block of an object that was put plain after it, whatever was seen of it before', async () => {
    const old = objectOf(1, [1], true);
    const { components, sent } = await indexing([putBlock(rowOf(1, { named: version(1) })), putObject(old)]);
    const change = remove(old);
    const seen = { objects: new Map([[change, old]]), blocks: new Map([[block(1), rowOf(1)]]) };
    await runIndex(components, { changes: [change], fresh: none, guards: [], seen });
    // By what was seen its block did not name it: then it would be nothing that is removed.
    expect(sent).toEqual(['delete object, put removed']);
    const over = await indexing([putBlock(rowOf(1, { named: version(1) })), putObject(old)]);
    const again = put({ ...objectOf(5, [1]), key: old.key, etag: '6'.repeat(64) });
    const stale = { objects: new Map([[again, old]]), blocks: new Map([[block(1), rowOf(1)]]) };
    await runIndex(over.components, { changes: [again], fresh: none, guards: [], seen: stale });
    expect(over.sent).toEqual(['update block, put object, put removed']);
  });

  it('whose guard does not hold is another’s: which guard is told', async () => {
    const { components, refuse, sent } = await indexing([putBlock(rowOf(1))]);
    const guards: Write[] = ['x', 'y'].map((key) => ({ kind: 'check', ...objectKey('n', key), if: ['absent'] }));
    const request = { changes: [put(objectOf(1, [1]))], fresh: none, guards };
    for (const failed of [0, 1]) {
      refuse(1, failed);
      const error = await runIndex(components, request).catch((one: unknown) => one);
      expect(error).toMatchObject({ kind: 'conflict', code: 'GUARD_FAILED' });
      expect([isGuardFailure(error), isGuardFailure(error, failed), isGuardFailure(error, 1 - failed)]).toEqual([
        true,
        true,
        false,
      ]);
    }
    refuse(1, 2);
    expect(await runIndex(components, request)).toMatchObject({ ok: true });
    expect(sent).toHaveLength(4);
    for (const error of [new PandaConflict([0]), new TypeError('x'), undefined])
      expect(isGuardFailure(error)).toBe(false);
  });

  it('that fails otherwise says so', async () => {
    const { components, panda } = await indexing();
    panda.before = () => Promise.reject(new TypeError('a mistake'));
    await expect(runIndex(components, { changes: [put(objectOf(1, []))], fresh: none, guards: [] })).rejects.toThrow(
      'a mistake',
    );
  });
});

describe('a transaction whose answer got lost', () => {
  /** Done or not, and then refused when it is sent again. */
  async function lost(isDone: boolean, writes: readonly Write[]) {
    const made = await indexing(writes);
    let calls = 0;
    const { transact } = made.panda;
    made.panda.transact = async (some) => {
      calls += 1;
      if (calls > 1 && !isDone && calls < 3) throw new PandaConflict([0]);
      if (calls === 1) {
        if (isDone) await transact.call(made.panda, some);
        throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
      }
      return transact.call(made.panda, some);
    };
    return { ...made, calls: () => calls };
  }

  it('is known by the object that was put', async () => {
    const { components, calls, there } = await lost(true, [putBlock(rowOf(1))]);
    const changes = [remove(objectOf(4, [])), put(objectOf(1, [1]))];
    expect(await runIndex(components, { changes, fresh: none, guards: [] })).toMatchObject({ ok: true });
    expect([calls(), await there('k1')]).toEqual([1, [version(1)]]);
  });

  it('is known by all objects that were deleted', async () => {
    const [one, two] = [objectOf(1, [1]), objectOf(2, [2])];
    const rows = [putBlock(rowOf(1)), putBlock(rowOf(2)), putObject(one), putObject(two)];
    const { components, calls } = await lost(true, rows);
    await runIndex(components, { changes: [one, two].map(remove), fresh: none, guards: [] });
    expect(calls()).toBe(1);
    const other = await lost(false, rows);
    await runIndex(other.components, { changes: [one, two].map(remove), fresh: none, guards: [] });
    // Lost, refused when it was sent again, and planned anew.
    expect([other.calls(), await other.there('k1', 'k2')]).toEqual([3, [undefined, undefined]]);
  });

  it('is not done otherwise if it put an object under a name that was free: it may come yet', async () => {
    const { components, calls } = await lost(false, [putBlock(rowOf(1))]);
    const request = { changes: [put(objectOf(1, [1]))], fresh: none, guards: [] };
    await expect(runIndex(components, request)).rejects.toMatchObject({ kind: 'unknown', code: 'PANDA_UNKNOWN' });
    expect(calls()).toBe(2);
    const old = objectOf(1, [1]);
    const over = await lost(false, [putBlock(rowOf(1)), putObject(old)]);
    const next = put({ ...objectOf(7, [1]), key: old.key });
    expect(await runIndex(over.components, { changes: [next], fresh: none, guards: [] })).toMatchObject({ ok: true });
    expect(over.calls()).toBe(3);
  });
});

describe('rows that disagree', () => {
  const wrong = [putObject(objectOf(1, [1])), putBlock(rowOf(1, { refs: 0, state: 'trash' }))];

  it('are damage if they stay so, and read again if they changed', async () => {
    const extra = new Map([[block(1), -1]]);
    const { components } = await indexing(wrong);
    const request = { changes: [], extra, fresh: none, guards: [] };
    await expect(runIndex(components, request)).rejects.toMatchObject({ code: 'REFERENCES_WRONG' });
    const took = async () => true;
    await expect(runIndex(components, { ...request, took })).rejects.toMatchObject({ code: 'GUARD_FAILED' });
    const missing = { ...request, extra: new Map([[block(5), -1]]) };
    await expect(runIndex(components, missing)).rejects.toMatchObject({ code: 'BLOCK_ROW_MISSING' });
    // Somebody puts the object anew while it is looked at.
    const changed = await indexing(wrong);
    let looks = 0;
    const { getMany } = changed.panda;
    changed.panda.getMany = async (keys) => {
      if (keys.some(({ sort }) => sort === 'k1') && ++looks === 2)
        await changed.panda.transact([putObject({ ...objectOf(3, [1]), key: 'k1' }), putBlock(rowOf(1, { refs: 2 }))]);
      return getMany.call(changed.panda, keys);
    };
    const change = { changes: [remove(objectOf(1, [1]))], extra, fresh: none, guards: [] };
    expect(await runIndex(changed.components, change)).toMatchObject({ ok: true });
    expect(blockFromRow((await changed.panda.get(blockKey(block(1)))) as never).refs).toBe(1);
  });
});
