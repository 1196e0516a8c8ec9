// What becomes of each plain write of a batch: done, refused, not known, or failed; and which objects are there to stay.
import { describe, expect, it } from 'vitest';
import { type PocketfulError, retryLater, unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import type { FreshBlock, ObjectChange } from '../../../lib/frontend/index-plan.ts';
import { isThereToStay, putNamed } from '../../../lib/frontend/named/put-named.ts';
import { PLAIN_WRITES_AT_ONCE } from '../../../lib/limits/frontend.ts';
import { TRANSACT_ATTEMPTS_MAX, TRANSACT_BACK_OFF_MS, TRANSACT_BACK_OFF_MS_MAX } from '../../../lib/limits/volume.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { blockFromRow, blockKey } from '../../../lib/panda/rows/block-row.ts';
import { objectAttributes, objectFromRow, objectKey } from '../../../lib/panda/rows/object-row.ts';
import { block, objectOf, putBlock, rowOf, version, worldWith } from '../../gc/removed-rows.ts';

const change = (n: number): ObjectChange => ({ namespace: 'n', key: `k${n}`, next: objectOf(n, [n]) });
const freshOf = (n: number): FreshBlock => {
  const { refs: _, state: __, ...fresh } = rowOf(n);
  return fresh;
};
const isOf =
  (table: string, n: number) =>
  ([write]: readonly Write[]): boolean =>
    write?.partition.split('/')[0] === table && (write.sort === `k${n}` || write.sort === block(n));

async function putting(count: number, isHeld: () => Promise<boolean> = async () => true) {
  const made = await worldWith([]);
  const changes = Array.from({ length: count }, (_, i) => change(i + 1));
  const sent: string[] = [];
  const fails = new Map<(writes: readonly Write[]) => boolean, unknown[]>();
  made.panda.before = async (writes) => {
    sent.push(`${writes[0]?.kind} ${writes[0]?.partition.split('/')[0]} ${Number(writes[0]?.sort.replace('k', ''))}`);
    expect(writes).toHaveLength(1);
    for (const [is, errors] of fails) if (is(writes) && errors.length > 0) throw errors.shift();
  };
  const looks: number[] = [];
  const group = {
    isHeld: () => {
      looks.push(sent.length);
      return isHeld();
    },
  };
  const run = async () => {
    const puts = new Map(changes.map((one) => [one, one.next?.blocks?.[0] as BlockId]));
    const fresh = new Map(changes.map((_, i) => [block(i + 1), freshOf(i + 1)]));
    const { written, unsure, refused, errors } = await putNamed(made.components, group, puts, fresh);
    const keys = (of: readonly ObjectChange[]) => of.map(({ key }) => key);
    return {
      ...{ written: keys(written), unsure: keys(unsure), refused: keys(refused) },
      errors: [...errors].map(([{ key }, { code }]) => `${key} ${code}`),
    };
  };
  return { ...made, changes, sent, fails, looks, run };
}
const none = { written: [], unsure: [], refused: [], errors: [] };

describe('objects put by plain writes', () => {
  it('are their blocks first, a look at the lease, and their names', async () => {
    const { panda, sent, looks, run } = await putting(2);
    expect(await run()).toEqual({ ...none, written: ['k1', 'k2'] });
    expect(sent).toEqual(['put block 1', 'put block 2', 'put object 1', 'put object 2']);
    expect(looks).toEqual([2]);
    expect(blockFromRow((await panda.get(blockKey(block(1)))) as never)).toMatchObject({
      ...{ refs: 1, state: 'live', named: version(1) },
    });
    expect(objectFromRow((await panda.get(objectKey('n', 'k2'))) as never)).toEqual({
      ...{ ...objectOf(2, [2]), etag: block(2) },
      isNamed: true,
    });
  });

  it('are refused where the block or the name is there, and go on for the others', async () => {
    const { panda, run } = await putting(3);
    const { before } = panda;
    panda.before = undefined;
    await panda.transact([putBlock(rowOf(1))]);
    await panda.transact([{ kind: 'put', ...objectKey('n', 'k2'), attributes: objectAttributes(objectOf(2, [])) }]);
    panda.before = before;
    expect(await run()).toEqual({ ...none, written: ['k3'], refused: ['k1', 'k2'] });
  });

  it('are not known where an answer is lost, and are sent no second time', async () => {
    const { fails, sent, run } = await putting(3);
    fails.set(isOf('block', 1), [unknownOutcome('PANDA_UNKNOWN', 'lost')]);
    fails.set(isOf('object', 2), [unknownOutcome('PANDA_UNKNOWN', 'lost')]);
    expect(await run()).toEqual({ ...none, written: ['k3'], unsure: ['k1', 'k2'] });
    expect(sent).toEqual(['put block 1', 'put block 2', 'put block 3', 'put object 2', 'put object 3']);
  });

  it('are tried again where the store was busy, so often, waiting longer each time', async () => {
    const { fails, slept, sent, run } = await putting(1);
    const busy = (count: number) => Array.from({ length: count }, () => retryLater('PANDA_BUSY', 'busy'));
    fails.set(isOf('block', 1), busy(TRANSACT_ATTEMPTS_MAX));
    expect(await run()).toEqual({ ...none, written: ['k1'] });
    expect(slept).toHaveLength(TRANSACT_ATTEMPTS_MAX);
    expect(slept.every((ms, i) => ms <= Math.min(TRANSACT_BACK_OFF_MS_MAX, TRANSACT_BACK_OFF_MS * 2 ** i))).toBe(true);
    expect(Math.max(...slept)).toBeGreaterThan(TRANSACT_BACK_OFF_MS * 8);
    expect(sent).toHaveLength(TRANSACT_ATTEMPTS_MAX + 2);
    const never = await putting(1);
    never.fails.set(isOf('block', 1), busy(TRANSACT_ATTEMPTS_MAX + 1));
    expect(await never.run()).toEqual({ ...none, errors: ['k1 PANDA_BUSY'] });
    expect(never.sent).toHaveLength(TRANSACT_ATTEMPTS_MAX + 1);
    expect(never.looks).toEqual([]);
  });

  it('fail with what the store says, each by itself; a mistake of a program comes out', async () => {
    const { fails, slept, run } = await putting(3);
    fails.set(isOf('block', 1), [retryLater('PANDA_FULL', 'the disk is full')]);
    fails.set(isOf('object', 3), [retryLater('PANDA_FULL', 'the disk is full')]);
    expect(await run()).toEqual({ ...none, written: ['k2'], errors: ['k1 PANDA_FULL', 'k3 PANDA_FULL'] });
    expect(slept).toEqual([]);
    const broken = await putting(1);
    broken.fails.set(isOf('block', 1), [new TypeError('a mistake')]);
    await expect(broken.run()).rejects.toThrow('a mistake');
  });

  it('are refused where the lease is lost before their names are written', async () => {
    const { panda, fails, sent, run } = await putting(3, async () => false);
    fails.set(isOf('block', 1), [new PandaConflict([0])]);
    expect(await run()).toEqual({ ...none, refused: ['k1', 'k2', 'k3'] });
    expect(sent).toHaveLength(3);
    expect(await panda.get(objectKey('n', 'k2'))).toBeUndefined();
  });

  it('fail where nobody can say whether the lease holds', async () => {
    const error: PocketfulError = retryLater('PANDA_BUSY', 'busy');
    const { fails, run } = await putting(3, () => Promise.reject(error));
    fails.set(isOf('block', 1), [unknownOutcome('PANDA_UNKNOWN', 'lost')]);
    fails.set(isOf('block', 2), [new PandaConflict([0])]);
    expect(await run()).toEqual({ ...none, unsure: ['k1'], refused: ['k2'], errors: ['k3 PANDA_BUSY'] });
    const broken = await putting(1, () => Promise.reject(new TypeError('a mistake')));
    await expect(broken.run()).rejects.toThrow('a mistake');
  });

  it('are so many at once', async () => {
    const { panda, run } = await putting(PLAIN_WRITES_AT_ONCE + 9);
    let now = 0;
    let most = 0;
    panda.before = async () => {
      now += 1;
      most = Math.max(most, now);
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    };
    expect((await run()).written).toHaveLength(PLAIN_WRITES_AT_ONCE + 9);
    expect(most).toBe(PLAIN_WRITES_AT_ONCE);
  });
});

describe('an object is there to stay', () => {
  it('if it is this version, and its block names it where it was put so', async () => {
    const writes: Write[] = [1, 2, 3, 4].map((n) => ({
      ...{ kind: 'put', ...objectKey('n', `k${n}`), attributes: objectAttributes(objectOf(n, [n], n !== 4)) },
    }));
    const blocks = [rowOf(1, { named: version(1) }), rowOf(2, { named: version(9) })].map(putBlock);
    const { components } = await worldWith([...writes, ...blocks]);
    const other = { ...change(1), next: { ...objectOf(1, [1]), version: version(8) } };
    const asked = [change(1), change(2), change(3), change(4), change(5), other, { ...change(4), next: undefined }];
    expect([...(await isThereToStay(components, asked))]).toEqual([asked[0], asked[3]]);
    expect(await isThereToStay(components, [])).toEqual(new Set());
  });
});
