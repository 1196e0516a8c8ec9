// What a put says of each object, short and long: its row, what was new of it, and in which order it was done.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PocketfulError } from '../../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { PutItem, PutOutcome } from '../../../lib/frontend/put-item.ts';
import { blockIdOf, ownBlockId } from '../../../lib/keys/envelope.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { appendBytesMax } from '../../../lib/volume/write/append.ts';
import { type Process, TINY, World } from '../../store/harness.ts';
import { expectSound } from '../../store/recount.ts';

const NS = 'n';
const BLOCK = TINY.blockBytesMax;
const bytes = (count: number, seed = 1): Uint8Array => new SeededRandomness(seed).bytes(count);
const etagOf = (blocks: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const one of blocks) hash.update(blockIdOf(one), 'hex');
  return blocks.length === 0 ? hash.digest('hex') : `${hash.digest('hex')}-${blocks.length}`;
};

async function putAll(p: Process, items: readonly Partial<PutItem>[]): Promise<PutOutcome[]> {
  const out: PutOutcome[] = [];
  for await (const one of p.frontend.putAll(
    items.map((item) => ({ namespace: NS, key: 'a', body: bytes(5), ...item })),
  ))
    out.push(one);
  return out;
}
const shown = (outcomes: readonly PutOutcome[]) =>
  outcomes.map((one) =>
    one.ok ? [one.key, one.sizeBytes, one.newBytes, one.dedupedBlocks] : [one.key, (one.error as PocketfulError).code],
  );

describe('an object that is put', () => {
  it('is told with what was new of it: each new block once, in the order of the objects', async () => {
    const p = new World(1, { ...TINY, bucketBytes: 16 * 1024 }).start();
    const [one, two] = [bytes(BLOCK, 1), bytes(BLOCK, 2)];
    const outcomes = await putAll(p, [
      { key: 'a', body: Buffer.concat([one, one, two]) },
      { key: 'b', body: two },
      { key: 'c', body: new Uint8Array(0) },
      { key: 'd', body: bytes(9, 4) },
    ]);
    // What a record is longer than its block.
    const more = ((outcomes[3] as { newBytes?: number }).newBytes ?? 0) - 9;
    expect(more).toBeGreaterThan(15);
    expect(shown(outcomes)).toEqual([
      ['a', 3 * BLOCK, 2 * (BLOCK + more), 1],
      ['b', BLOCK, 0, 1],
      ['c', 0, 0, 0],
      ['d', 9, 9 + more, 0],
    ]);
    expect(outcomes.map((outcome) => 'etag' in outcome && outcome.etag)).toEqual([
      ...[etagOf([one, one, two]), blockIdOf(two), etagOf([]), blockIdOf(bytes(9, 4))],
    ]);
    for (const outcome of outcomes)
      if (outcome.ok) expect((await p.frontend.head(NS, outcome.key)).version).toBe(outcome.version);
  });

  it('that is long is told the same', async () => {
    const p = new World(2).start();
    const count = 2 * Math.ceil(appendBytesMax(TINY) / BLOCK);
    const blocks = Array.from({ length: count }, (_, i) => bytes(BLOCK, i % 3));
    const [outcome] = await putAll(p, [{ key: 'long', body: Buffer.concat(blocks), metadata: 'm' }]);
    const row = await p.frontend.head(NS, 'long');
    expect(row).toMatchObject({
      ...{
        sizeBytes: count * BLOCK,
        blockBytes: BLOCK,
        etag: etagOf(blocks),
        createdAtMs: expect.any(Number),
        metadata: 'm',
      },
      ...{ blocks: undefined },
    });
    expect(outcome).toMatchObject({
      ok: true,
      key: 'long',
      version: row.version,
      etag: row.etag,
      sizeBytes: row.sizeBytes,
    });
    const again = await putAll(p, [{ key: 'copy', body: Buffer.concat(blocks) }]);
    expect(shown(again)).toEqual([['copy', count * BLOCK, 0, count]]);
    await expectSound(p);
  });

  it('before 1970 is of its beginning', async () => {
    const world = new World(3);
    world.clock.jumpTo(-100);
    const p = world.start();
    await putAll(p, [{ key: 'a' }, { key: 'long', body: bytes(30 * BLOCK) }]);
    for (const key of ['a', 'long']) expect((await p.frontend.head(NS, key)).createdAtMs).toBe(0);
  });

  it('has the facts that are known when it was read and verified, and no object is put whose facts are too many', async () => {
    const p = new World(4).start();
    for (const [key, body] of [
      ['short', bytes(9)],
      ['long', bytes(30 * BLOCK)],
    ] as const) {
      const told: string[] = [];
      async function* pieces(): AsyncGenerator<Uint8Array> {
        yield body;
        told.push('read');
      }
      const facts = () => {
        told.push('facts');
        return { md5: '0'.repeat(32), system: '{"t":1}' };
      };
      const verify = async () => void told.push('verified');
      const outcome = await putAll(p, [{ key, body: pieces(), facts, verify }]);
      expect([told, outcome[0]?.ok]).toEqual([['read', 'verified', 'facts'], true]);
      expect(await p.frontend.head(NS, key)).toMatchObject({ md5: '0'.repeat(32), system: '{"t":1}' });
      const tooMany = await putAll(p, [{ key: `${key} x`, body, facts: () => ({ system: 's'.repeat(6145) }) }]);
      expect(shown(tooMany)).toEqual([[`${key} x`, 'SYSTEM_TOO_LONG']]);
    }
    await p.frontend.finishReleases();
    await expectSound(p);
  });

  it('is asked for as a whole where somebody has it so, and its memory is given back', async () => {
    const p = new World(5).start();
    const freed: string[] = [];
    const asked: number[] = [];
    const whole = (key: string, body: Uint8Array) => ({
      ...{ key, body: (): never => expect.fail('it was read') },
      whole: async (bytesMax: number) => {
        asked.push(bytesMax);
        return { bytes: body.slice(), sha256: blockIdOf(body), free: () => void freed.push(key) };
      },
    });
    const outcomes = await putAll(p, [
      whole('a', bytes(9)),
      whole('none', new Uint8Array(0)),
      { ...whole('own', bytes(9)), ownBlocks: true },
    ]);
    expect(outcomes.map((one) => one.ok && [one.key, one.sizeBytes, one.etag])).toEqual([
      ...[
        ['a', 9, blockIdOf(bytes(9))],
        ['none', 0, etagOf([])],
        ['own', 9, ownBlockId(NS, blockIdOf(bytes(9)))],
      ],
    ]);
    expect([freed.sort(), asked]).toEqual([
      ['a', 'none', 'own'],
      [BLOCK, BLOCK, BLOCK],
    ]);
    expect(Buffer.compare(await p.frontend.read(NS, 'a', 99), bytes(9))).toBe(0);
    expect((await p.frontend.head(NS, 'none')).blocks).toEqual([]);
    const cut = await putAll(p, [{ key: 'cut', body: bytes(7), whole: async () => undefined }]);
    expect(shown(cut)[0]?.slice(0, 2)).toEqual(['cut', 7]);
  });

  it('may have a name that is no path only where that is said', async () => {
    const p = new World(6).start();
    const outcomes = await putAll(p, [
      { key: 'a//b' },
      { key: 'a//c', isAnyKey: true },
      { key: '', isAnyKey: true },
      { namespace: 'N' },
      { metadata: 'm'.repeat(2049) },
    ]);
    expect(
      shown(outcomes)
        .map(([key, what]) => [key, what])
        .sort(),
    ).toEqual(
      [
        ['a//b', 'NAME_INVALID'],
        ['', 'NAME_EMPTY'],
        ['a', 'NAMESPACE_INVALID'],
        ['a', 'METADATA_TOO_LONG'],
        ['a//c', 5],
      ].sort(),
    );
  });
});

describe('puts of one name', () => {
  it('in one call are done in the order they came, short and long', async () => {
    const long = (seed: number) => bytes(30 * BLOCK, seed);
    for (const bodies of [
      [long(1), bytes(5, 2)],
      [bytes(5, 1), long(2)],
      [long(1), long(2), bytes(5, 3), bytes(6, 4)],
    ]) {
      const p = new World(7).start();
      const outcomes = await putAll(
        p,
        bodies.map((body) => ({ key: 'same', body })),
      );
      expect(outcomes.every(({ ok }) => ok)).toBe(true);
      expect(Buffer.compare(await p.frontend.read(NS, 'same', 1e6), bodies.at(-1) as Uint8Array)).toBe(0);
      await p.frontend.finishReleases();
      await expectSound(p);
    }
  });

  it('whose bodies come late are put in their order, too', async () => {
    const p = new World(8).start();
    async function* slow(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      yield bytes(5, 1);
    }
    await putAll(p, [
      { key: 'same', body: slow() },
      { key: 'same', body: bytes(5, 2) },
    ]);
    expect(Buffer.compare(await p.frontend.read(NS, 'same', 99), bytes(5, 2))).toBe(0);
  });
});

describe('a put that breaks', () => {
  class BrokenPanda extends MemoryPanda {
    fails: ((writes: readonly Write[]) => unknown) | undefined;

    override async transact(writes: readonly Write[]): Promise<void> {
      const error = this.fails?.(writes);
      if (error !== undefined) throw error;
      return super.transact(writes);
    }
  }
  const isOf = (table: string) => (writes: readonly Write[]) =>
    writes.some(({ partition }) => partition.startsWith(table));

  it('by a mistake of a program ends with it; by what is an item’s fault it goes on', async () => {
    for (const [key, body] of [
      ['short', bytes(5)],
      ['long', bytes(30 * BLOCK)],
    ] as const) {
      const panda = new BrokenPanda();
      const p = new World(9, TINY, 20, panda).start();
      const mistake = new TypeError('a mistake');
      panda.fails = (writes) => (isOf('object/')(writes) ? mistake : undefined);
      await expect(putAll(p, [{ key, body }])).rejects.toBe(mistake);
      const refused = new PocketfulError('denied', 'KEK_WRONG', 'not here');
      panda.fails = (writes) => (isOf('object/')(writes) ? refused : undefined);
      const outcomes = await putAll(p, [
        { key, body },
        { key: 'none', namespace: 'N' },
      ]);
      expect(
        shown(outcomes)
          .map(([of, what]) => [of, what])
          .sort(),
      ).toEqual(
        [
          [key, 'KEK_WRONG'],
          ['none', 'NAMESPACE_INVALID'],
        ].sort(),
      );
    }
  });

  it('where its items cannot be had fails with that', async () => {
    const p = new World(10).start();
    async function* items(): AsyncGenerator<PutItem> {
      yield { namespace: NS, key: 'a', body: bytes(5) };
      throw new Error('the list is gone');
    }
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const { key } of p.frontend.putAll(items())) seen.push(key);
      })(),
    ).rejects.toThrow('the list is gone');
  });

  it('by a code of the system is an item’s fault, by no code it is not', async () => {
    const p = new World(11).start();
    const failing = (error: unknown) =>
      async function* (): AsyncGenerator<Uint8Array> {
        yield bytes(3);
        throw error;
      };
    const gone = Object.assign(new Error('gone'), { code: 'ENOENT' });
    expect(
      shown(await putAll(p, [{ key: 'x', body: failing(gone) }, { key: 'y' }]))
        .map(([key]) => key)
        .sort(),
    ).toEqual(['x', 'y']);
    await expect(putAll(p, [{ key: 'x', body: failing(new Error('what')) }])).rejects.toThrow('what');
    await expect(putAll(p, [{ key: 'x', body: failing({ code: 'ENOENT' }) }])).rejects.toEqual({ code: 'ENOENT' });
  });
});
