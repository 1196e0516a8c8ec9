// Objects made of others: as many blocks as a row lists and one more, parts of too many lengths, sources that change meanwhile.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { blockIdsOf } from '../../../lib/frontend/compose/block-ids.ts';
import { BLOCKS_INLINE_MAX } from '../../../lib/limits/panda.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { blockKey } from '../../../lib/panda/rows/block-row.ts';
import { objectAttributes, objectKey, RELEASES, UPLOADS } from '../../../lib/panda/rows/object-row.ts';
import { TINY, World } from '../../store/harness.ts';
import { MeddledPanda } from '../../store/meddled-panda.ts';
import { expectSound } from '../../store/recount.ts';

const NS = 'n';
const BLOCK = TINY.blockBytesMax;
const bytes = (count: number, seed = 1): Uint8Array => new SeededRandomness(seed).bytes(count);

class SentPanda extends MeddledPanda {
  readonly sent: string[] = [];

  override transact(writes: readonly Write[]): Promise<void> {
    this.sent.push(writes.map(({ kind, partition }) => `${kind} ${partition.split('/')[0]}`).join(', '));
    return super.transact(writes);
  }
}

async function sourcesOf(...lengths: number[]) {
  const panda = new SentPanda();
  const world = new World(3, TINY, 20, panda);
  const p = world.start();
  for (const [i, length] of lengths.entries())
    await p.frontend.put({ namespace: NS, key: `s${i}`, body: bytes(length, i) });
  const sources = lengths.map((_, i) => ({ namespace: NS, key: `s${i}` }));
  panda.sent.length = 0;
  const compose = (more: object = {}) => p.frontend.compose({ namespace: NS, key: 'o', sources, ...more });
  return { panda, world, p, sources, compose };
}

describe('an object made of others', () => {
  it('lists as many blocks as a row has, and has segments from one more on', async () => {
    const short = await sourcesOf(40 * BLOCK, (BLOCKS_INLINE_MAX - 40) * BLOCK);
    expect(await short.compose()).toMatchObject({ blocks: { length: BLOCKS_INLINE_MAX }, segments: undefined });
    expect(short.panda.sent).toHaveLength(1);
    const long = await sourcesOf(40 * BLOCK, (BLOCKS_INLINE_MAX - 40) * BLOCK, 1);
    expect(await long.compose()).toMatchObject({ blocks: undefined, segments: 2, etag: expect.stringMatching(/-46$/) });
    // Begun, two segments, published.
    expect(long.panda.sent).toHaveLength(4);
    expect((await long.panda.query(UPLOADS)).rows).toEqual([]);
    await expectSound(long.p);
  });

  it('is of now, has what is said of it, and the parts of its only source or its own', async () => {
    const { world, compose } = await sourcesOf(BLOCK + 1, 7);
    const facts = { md5: '0'.repeat(32), system: '{}' };
    const made = await compose({ metadata: 'm', facts, areParts: true });
    expect(made).toMatchObject({
      ...{ sizeBytes: BLOCK + 8, blockBytes: BLOCK, createdAtMs: world.clock.nowMs(), metadata: 'm', ...facts },
      parts: [
        { count: 1, bytes: BLOCK + 1 },
        { count: 1, bytes: 7 },
      ],
    });
    world.clock.jumpTo(-1);
    const copy = await compose({ key: 'copy', sources: [{ namespace: NS, key: 'o' }] });
    expect([copy.createdAtMs, copy.parts, copy.metadata]).toEqual([0, made.parts, undefined]);
    const plain = await compose({ key: 'plain', sources: [{ namespace: NS, key: 's1' }] });
    expect('parts' in plain).toBe(false);
  });

  it('of parts of too many different lengths is refused', async () => {
    const { p, compose } = await sourcesOf(1);
    const row = await p.frontend.head(NS, 's0');
    const count = 12_000;
    const panda = p.components.panda as MeddledPanda;
    const get = panda.get.bind(panda);
    let n = 0;
    // Each look at the source finds another length: as many sources as there may be.
    panda.get = async (key) => {
      if (key.sort !== 's0') return get(key);
      n += 1;
      return {
        ...objectKey(NS, 's0'),
        attributes: objectAttributes({ ...row, isNamed: undefined, sizeBytes: 1e9 + 7919 * n } as never),
      };
    };
    const sources = Array.from({ length: count }, () => ({ namespace: NS, key: 's0' }));
    await expect(compose({ sources, areParts: true })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'PARTS_TOO_MANY',
    });
  });

  it('of blocks of another size than the store’s is refused', async () => {
    const { p, panda, compose } = await sourcesOf(100);
    const row = await p.frontend.head(NS, 's0');
    await panda.transact([
      { kind: 'put', ...objectKey(NS, 's0'), attributes: objectAttributes({ ...row, blockBytes: 2 * BLOCK }) },
    ]);
    await expect(compose()).rejects.toMatchObject({
      kind: 'invalid',
      code: 'BLOCKS_UNFIT',
      message: expect.stringMatching(/^"s0" is cut/),
    });
  });

  it.each([
    [{ namespace: 'N' }, 'NAMESPACE_INVALID'],
    [{ key: '' }, 'NAME_EMPTY'],
    [{ metadata: 'm'.repeat(2049) }, 'METADATA_TOO_LONG'],
    [{ facts: { system: 's'.repeat(6145) } }, 'SYSTEM_TOO_LONG'],
  ])('with %j is refused before anything is read', async (more, code) => {
    const { panda, compose } = await sourcesOf(100);
    await expect(compose({ sources: [{ namespace: NS, key: 'none' }], ...more })).rejects.toMatchObject({ code });
    expect(panda.sent).toEqual([]);
  });

  it('one of whose blocks went meanwhile is told to have changed, and nothing of it is left', async () => {
    for (const lengths of [[BLOCK], [44 * BLOCK, 3 * BLOCK]]) {
      const { p, panda, compose } = await sourcesOf(...lengths);
      const last = await p.frontend.head(NS, `s${lengths.length - 1}`);
      const blocks = await Array.fromAsync(blockIdsOf(p.volumes, last));
      panda.before = async (writes) => {
        if (!writes.some(({ partition }) => /^(object|segment)\//.test(partition))) return;
        if (lengths.length > 1 && !writes.some(({ sort }) => sort === '00000001')) return;
        panda.before = undefined;
        await panda.transact([{ kind: 'delete', ...blockKey(blocks.at(-1) as never) }]);
      };
      await expect(compose()).rejects.toMatchObject({
        ...{ kind: 'conflict', code: 'OBJECT_CHANGED' },
        message: 'what "o" is made of was overwritten or deleted meanwhile',
      });
      await expect(p.frontend.head(NS, 'o')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      expect((await panda.query(UPLOADS)).rows).toEqual([]);
      await p.frontend.finishReleases();
      expect((await panda.query(RELEASES)).rows).toEqual([]);
    }
  });

  it('whose mark went meanwhile is told to have changed, short and long', async () => {
    for (const lengths of [[BLOCK], [44 * BLOCK, 3 * BLOCK]]) {
      const { p, panda, compose } = await sourcesOf(...lengths);
      const mark = { namespace: NS, key: 'mark' };
      const { version } = await p.frontend.put({ ...mark, body: new Uint8Array(0) });
      panda.before = async (writes) => {
        if (!writes.some(({ kind, sort }) => kind === 'put' && sort === 'o')) return;
        panda.before = undefined;
        await panda.transact([{ kind: 'delete', ...objectKey(NS, 'mark') }]);
      };
      await expect(compose({ ends: { ...mark, version } })).rejects.toMatchObject({ code: 'OBJECT_CHANGED' });
      expect((await panda.query(UPLOADS)).rows).toEqual([]);
    }
  });
});
