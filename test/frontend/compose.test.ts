// Objects put together from others without a byte moved: copies and uploads in parts; what is read of them, and that references stay right.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { blockAt, partAt, partsOf } from '../../lib/frontend/compose/block-layout.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { runsOf } from '../../lib/panda/rows/objects/object-parts.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { LatePanda } from '../store/late-panda.ts';
import { expectSound } from '../store/recount.ts';
import { NAMESPACE } from './as-map.ts';

const KIB = 1024;
const MD5 = '0123456789abcdef0123456789abcdef';

async function putParts(p: Process, lengths: readonly number[], seed = 1): Promise<Buffer> {
  const random = new SeededRandomness(seed);
  const bodies = lengths.map((bytes) => random.bytes(bytes));
  for (const [i, body] of bodies.entries())
    await p.frontend.put({ namespace: '+parts', key: `u/${i}`, body, isAnyKey: true });
  return Buffer.concat(bodies);
}

const sourcesOf = (lengths: readonly number[]) => lengths.map((_, i) => ({ namespace: '+parts', key: `u/${i}` }));

describe('an object put together from parts', () => {
  it('ends what stood for it while it was made, in the same transaction, short or long', async () => {
    for (const lengths of [[2 * KIB], [40 * KIB, 40 * KIB]]) {
      const p = new World(3, TINY).start();
      await putParts(p, lengths);
      const mark = { namespace: '+uploads', key: 'o' };
      const { version } = await p.frontend.put({ ...mark, body: new Uint8Array(0), isAnyKey: true });
      const made = { namespace: NAMESPACE, key: 'o', sources: sourcesOf(lengths), areParts: true };
      const other = { ...mark, version: '0'.repeat(24) as typeof version };
      await expect(p.frontend.compose({ ...made, ends: other })).rejects.toMatchObject({ kind: 'conflict' });
      await expect(p.frontend.head(NAMESPACE, 'o')).rejects.toMatchObject({ kind: 'missing' });
      await p.frontend.compose({ ...made, ends: { ...mark, version } });
      await expect(p.frontend.head(mark.namespace, mark.key)).rejects.toMatchObject({ kind: 'missing' });
      await expect(p.frontend.compose({ ...made, ends: { ...mark, version } })).rejects.toMatchObject({
        kind: 'missing',
      });
    }
  });

  it.each([
    ['of whole blocks', [2 * KIB, 2 * KIB, 5]],
    ['that end within blocks', [2 * KIB + 1, 2 * KIB + 1, 1500, 3]],
    ['of more blocks than a row lists', [40 * KIB + 77, 40 * KIB + 77, 40 * KIB + 77, 9 * KIB]],
    ['one of them empty', [0]],
  ])('%s reads as its parts one after the other, whole and by any range', async (_, lengths) => {
    const p = new World(1, TINY).start();
    const whole = await putParts(p, lengths);
    const facts = { md5: MD5, system: '{"t":"text/plain"}' };
    const made = await p.frontend.compose({
      namespace: NAMESPACE,
      key: 'o',
      sources: sourcesOf(lengths),
      areParts: true,
      facts,
    });
    expect(made).toMatchObject({ sizeBytes: whole.length, parts: runsOf(lengths), ...facts });
    for (const [i] of lengths.entries()) await p.frontend.delete('+parts', `u/${i}`);
    await collectGarbage(p.components);
    expect(Buffer.compare(await p.frontend.read(NAMESPACE, 'o', 1e6), whole)).toBe(0);
    expect(await p.frontend.head(NAMESPACE, 'o')).toMatchObject({
      ...facts,
      version: made.version,
      parts: runsOf(lengths),
    });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length }), fc.nat({ max: whole.length }), async (offset, length) => {
        const read = await p.frontend.read(NAMESPACE, 'o', 1e6, { offset, length });
        expect(Buffer.compare(read, whole.subarray(offset, offset + length))).toBe(0);
      }),
      { numRuns: 40, seed: 7 },
    );
    await expectSound(p);
    await p.frontend.delete(NAMESPACE, 'o');
    await p.frontend.finishReleases();
    await expectSound(p);
  });

  it('and a copy of it store no byte, and a copy outlives what it was made from', async () => {
    const p = new World(2, TINY).start();
    const lengths = [30 * KIB + 5, 30 * KIB + 5, 100];
    const whole = await putParts(p, lengths);
    const before = (await appended(p)).length;
    await p.frontend.compose({ namespace: NAMESPACE, key: 'o', sources: sourcesOf(lengths), areParts: true });
    const copy = await p.frontend.compose({
      namespace: 'other',
      key: 'a//b/',
      sources: [{ namespace: NAMESPACE, key: 'o' }],
    });
    expect((await appended(p)).length).toBe(before);
    expect(partsOf(copy)).toBe(3);
    await p.frontend.delete(NAMESPACE, 'o');
    for (const [i] of lengths.entries()) await p.frontend.delete('+parts', `u/${i}`);
    await p.frontend.finishReleases();
    await collectGarbage(p.components);
    expect(Buffer.compare(await p.frontend.read('other', 'a//b/', 1e6), whole)).toBe(0);
    await expectSound(p);
  });

  it('is refused when a source or its own name is not as it was said to be', async () => {
    const p = new World(3, TINY).start();
    await putParts(p, [100]);
    const sources = sourcesOf([100]);
    await p.frontend.compose({ namespace: NAMESPACE, key: 'o', sources });
    const again = { namespace: NAMESPACE, key: 'o', sources, ifVersion: 'absent' } as const;
    await expect(p.frontend.compose(again)).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
    const other = [{ ...(sources[0] as (typeof sources)[number]), version: '0'.repeat(24) }];
    await expect(p.frontend.compose({ ...again, sources: other })).rejects.toMatchObject({ code: 'OBJECT_CHANGED' });
    const none = [{ namespace: '+parts', key: 'none' }];
    await expect(p.frontend.compose({ ...again, sources: none })).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    const long = { ...again, key: 'x', ifVersion: undefined, facts: { system: 'x'.repeat(6145) } };
    await expect(p.frontend.compose(long)).rejects.toMatchObject({ code: 'SYSTEM_TOO_LONG' });
    await expect(p.frontend.put({ ...long, body: Buffer.from('x'), facts: () => long.facts })).rejects.toMatchObject({
      code: 'SYSTEM_TOO_LONG',
    });
    await expectSound(p);
  });

  it('keeps its facts and parts in the trash, and has them when it is restored', async () => {
    const p = new World(4, { ...TINY, deleteGraceMs: 3_600_000 }).start();
    const lengths = [1500, 1500, 3];
    const whole = await putParts(p, lengths);
    const facts = { md5: MD5, system: '{"n":3}' };
    await p.frontend.compose({ namespace: NAMESPACE, key: 'o', sources: sourcesOf(lengths), areParts: true, facts });
    await p.frontend.delete(NAMESPACE, 'o');
    await p.frontend.restore({ namespace: NAMESPACE, key: 'o' });
    expect(await p.frontend.head(NAMESPACE, 'o')).toMatchObject({ ...facts, parts: runsOf(lengths) });
    expect(Buffer.compare(await p.frontend.read(NAMESPACE, 'o', 1e6), whole)).toBe(0);
  });
});

describe('objects that were put by plain writes, as on a stage', () => {
  it('keep their facts, and are put together as any others', async () => {
    const world = new World(6);
    const p = world.start({ panda: new LatePanda(world.panda, () => false) });
    const facts = () => ({ md5: MD5, system: '{"t":"x"}' });
    const items = ['a', 'b', 'c'].map((key) => ({ namespace: NAMESPACE, key, body: Buffer.from(`of ${key}`), facts }));
    for await (const outcome of p.frontend.putAll(items)) expect(outcome.ok).toBe(true);
    expect(await p.frontend.head(NAMESPACE, 'a')).toMatchObject({ isNamed: true, ...facts() });
    const sources = ['c', 'a', 'c'].map((key) => ({ namespace: NAMESPACE, key }));
    const made = await p.frontend.compose({ namespace: NAMESPACE, key: 'o', sources, areParts: true });
    expect(made.isNamed).toBeUndefined();
    for (const key of ['a', 'b', 'c']) await p.frontend.delete(NAMESPACE, key);
    await collectGarbage(p.components);
    expect(Buffer.from(await p.frontend.read(NAMESPACE, 'o', 1e6)).toString()).toBe('of cof aof c');
    await expectSound(world.start());
    await p.frontend.delete(NAMESPACE, 'o');
    await collectGarbage(p.components);
    await expectSound(world.start());
  });
});

/** Groups on the drives. */
async function appended(p: Process): Promise<string[]> {
  const names: string[] = [];
  for await (const rows of p.components.panda.scan())
    for (const row of rows) if (row.partition.startsWith('group/')) names.push(`${row.partition} ${row.sort}`);
  return names;
}

describe('the layout of an object of parts', () => {
  it('finds the block and the part of every byte', () => {
    const lengths = [10, 10, 7, 25, 25, 1];
    const object = { sizeBytes: 78, blockBytes: 8, parts: runsOf(lengths) };
    let offset = 0;
    let index = 0;
    for (const [i, bytes] of lengths.entries()) {
      expect(partAt(object, i + 1)).toEqual({ start: offset, bytes });
      for (let at = 0; at < bytes; at += 8, index++)
        for (let in_ = at; in_ < Math.min(bytes, at + 8); in_++)
          expect(blockAt(object, offset + in_)).toEqual({ index, start: offset + at, bytes: Math.min(8, bytes - at) });
      offset += bytes;
    }
    expect(partAt(object, 7)).toBeUndefined();
  });
});
