// Deletes of many: in rounds, each name once, each with an outcome of its own, whatever befalls the others.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { DeleteItem, DeleteOutcome } from '../../../lib/frontend/delete-objects.ts';
import { DELETES_AT_ONCE } from '../../../lib/limits/frontend.ts';
import { PAIRS_PER_TRANSACTION } from '../../../lib/limits/panda.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Key, Row, Write } from '../../../lib/panda/panda.ts';
import { TINY, World } from '../../store/harness.ts';
import { expectSound } from '../../store/recount.ts';

const NS = 'n';

class ToldPanda extends MemoryPanda {
  readonly looks: number[] = [];
  readonly deletes: number[] = [];
  before: ((writes: readonly Write[]) => Promise<void>) | undefined;

  override async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    if (keys.some(({ partition }) => partition.startsWith('object/'))) this.looks.push(keys.length);
    return super.getMany(keys);
  }
  override async transact(writes: readonly Write[]): Promise<void> {
    await this.before?.(writes);
    const deletes = writes.filter(({ kind, partition }) => kind === 'delete' && partition.startsWith('object/'));
    await super.transact(writes);
    if (deletes.length > 0) this.deletes.push(deletes.length);
  }
}

async function withObjects(count: number) {
  const panda = new ToldPanda();
  const world = new World(8, TINY, 20, panda);
  const p = world.start();
  const items = Array.from({ length: count }, (_, i) => ({ namespace: NS, key: `k${i}`, body: Buffer.from(`${i}`) }));
  for await (const { ok } of p.frontend.putAll(items)) expect(ok).toBe(true);
  panda.looks.length = 0;
  panda.deletes.length = 0;
  const run = async (some: readonly Partial<DeleteItem>[]): Promise<string[]> => {
    const out: DeleteOutcome[] = [];
    for await (const one of p.frontend.deleteAll(some.map((item) => ({ namespace: NS, key: 'k0', ...item }))))
      out.push(one);
    return out.map((one) => `${one.key} ${one.ok ? 'gone' : (one.error as Error & { code: string }).code}`);
  };
  const keys = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ({ key: `k${from + i}` }));
  return { panda, world, p, run, keys };
}

describe('a delete of many', () => {
  it('looks at so many names at a time, and takes as many as a transaction has', async () => {
    const { panda, p, run, keys } = await withObjects(DELETES_AT_ONCE + 1);
    const outcomes = await run(keys(0, DELETES_AT_ONCE + 1));
    expect(outcomes).toEqual(keys(0, DELETES_AT_ONCE + 1).map(({ key }) => `${key} gone`));
    expect(panda.looks).toEqual([DELETES_AT_ONCE, 1]);
    expect(panda.deletes).toEqual([PAIRS_PER_TRANSACTION, DELETES_AT_ONCE - PAIRS_PER_TRANSACTION, 1]);
    expect((await p.frontend.list({ namespace: NS })).objects).toEqual([]);
    await expectSound(p);
  });

  it('of exactly so many looks once; of none not at all', async () => {
    const { panda, run, keys } = await withObjects(3);
    expect(await run([])).toEqual([]);
    expect(panda.looks).toEqual([]);
    const outcomes = await run(keys(0, DELETES_AT_ONCE));
    expect(outcomes.filter((line) => line.endsWith(' gone'))).toHaveLength(3);
    expect(panda.looks).toEqual([DELETES_AT_ONCE]);
  });

  it('answers in the order of the names, and takes each once', async () => {
    const { p, run } = await withObjects(4);
    const { version } = await p.frontend.head(NS, 'k2');
    expect(
      await run([
        ...[
          { key: 'k0' },
          { key: '' },
          { key: 'none' },
          { key: 'k0' },
          { namespace: 'N' },
          { key: 'k1', ifVersion: version },
        ],
        ...[
          { key: 'k2', ifVersion: version },
          { namespace: 'm', key: 'k3' },
        ],
      ]),
    ).toEqual([
      ...[
        'k0 gone',
        ' NAME_EMPTY',
        'none OBJECT_MISSING',
        'k0 OBJECT_MISSING',
        'k0 NAMESPACE_INVALID',
        'k1 VERSION_MISMATCH',
      ],
      ...['k2 gone', 'k3 OBJECT_MISSING'],
    ]);
    expect((await p.frontend.list({ namespace: NS })).objects.map(({ key }) => key)).toEqual(['k1', 'k3']);
  });

  it('whose transaction fails is done one by one: each is told its own error', async () => {
    const { panda, p, run, keys } = await withObjects(5);
    panda.before = async (writes) => {
      if (writes.some(({ kind, sort }) => kind === 'delete' && sort === 'k3')) throw retryLater('PANDA_FULL', 'full');
    };
    expect(await run(keys(0, 5))).toEqual(['k0 gone', 'k1 gone', 'k2 gone', 'k3 PANDA_FULL', 'k4 gone']);
    expect(panda.deletes).toEqual([1, 1, 1, 1]);
    panda.before = () => Promise.reject(new TypeError('a mistake'));
    await expect(run(keys(3, 4))).rejects.toThrow('a mistake');
    panda.before = undefined;
    await expectSound(p);
  });

  it('says of one name alone what is wrong with it', async () => {
    const { p } = await withObjects(1);
    await expect(p.frontend.delete(NS, 'none')).rejects.toMatchObject({
      kind: 'missing',
      message: '"none" is not there',
    });
    await expect(p.frontend.delete(NS, 'k0', { ifVersion: '0'.repeat(24) })).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
    });
    await p.frontend.delete(NS, 'k0');
    await expect(p.frontend.head(NS, 'k0')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });
});
