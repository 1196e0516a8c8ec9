// Put, get, delete and list: against a Map (more often in use-cases.long.test.ts), beside each other, by ranges, pages and versions.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FaultPlan } from '../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { bytesOf, expectAsMap, NAMESPACE, READS } from './as-map.ts';

const KIB = 1024;

describe('put, get, delete and list', () => {
  it.each(READS)('agree with a Map, and the rows with a recount, after any sequence, reads %s', (reads) =>
    expectAsMap(reads, 12),
  );

  it('keep references right when two processes write and delete the same names at once', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const world = new World(seed, TINY);
      const [a, b] = [world.start(), world.start()] as const;
      const work = async (p: Process, salt: number): Promise<void> => {
        const random = new SeededRandomness(seed * 10 + salt);
        for (let round = 0; round < 12; round++) {
          const key = ['x', 'y', 'z'][random.below(3)] as string;
          if (random.below(3) === 0) {
            await p.frontend
              .delete(NAMESPACE, key)
              .catch((error) => expect(error).toMatchObject({ kind: expect.stringMatching(/missing|conflict/) }));
          } else
            await p.frontend.put({
              namespace: NAMESPACE,
              key,
              body: bytesOf({ seed: random.below(3), bytes: 5 * KIB }),
            });
        }
      };
      await Promise.all([work(a, 1), work(b, 2), collectGarbage(world.start().components)]);
      await a.frontend.finishReleases();
      await expectSound(a);
    }
  });

  it('deletes short objects without asking for what only long ones leave behind', async () => {
    const world = new World(6, TINY);
    const asked: string[] = [];
    const plan: FaultPlan = {
      decide: (port, operation) => {
        if (port === 'panda') asked.push(operation);
        return 'none';
      },
    };
    const p = world.start({ plan });
    for (const [key, blocks] of [
      ['short', 1],
      ['long', 60],
    ] as const) {
      await p.frontend.put({ namespace: NAMESPACE, key, body: new SeededRandomness(6).bytes(blocks * KIB) });
      asked.length = 0;
      await p.frontend.delete(NAMESPACE, key);
      expect(asked.includes('get'), key).toBe(key === 'long');
    }
    await expectSound(p);
  });

  it('reads any range of a long object, and only the blocks it needs', async () => {
    const world = new World(3, TINY);
    const p = world.start();
    const body = new SeededRandomness(9).bytes(150 * KIB + 77);
    await p.frontend.put({ namespace: NAMESPACE, key: 'long', body });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: body.length }), fc.nat({ max: body.length }), async (offset, length) => {
        const read = await p.frontend.read(NAMESPACE, 'long', 1e6, { offset, length });
        expect(Buffer.compare(read, body.subarray(offset, offset + length))).toBe(0);
      }),
      { numRuns: 60 },
    );
    const reads = p.volumes.records.stats.reads;
    await p.frontend.read(NAMESPACE, 'long', 1e6, { offset: 100 * KIB + 5, length: 10 });
    expect(p.volumes.records.stats.reads - reads).toBe(1);
    await expect(p.frontend.get(NAMESPACE, 'long', { offset: body.length + 1 })).rejects.toMatchObject({
      code: 'RANGE_INVALID',
    });
  });

  it('rolls keys up by a delimiter, page by page', async () => {
    const world = new World(4, TINY);
    const p = world.start();
    const keys = ['a', 'b/1', 'b/2', 'b/c/3', 'b/\u{10ffff}', 'b\u{10ffff}', 'c', 'd/1', '\uffff/x', '\u{10ffff}/y'];
    for await (const o of p.frontend.putAll(keys.map((key) => ({ namespace: NAMESPACE, key, body: Buffer.from(key) }))))
      expect(o.ok).toBe(true);
    for (const limit of [1, 2, 100]) {
      const objects: string[] = [];
      const prefixes: string[] = [];
      let from: string | undefined;
      do {
        const page = await p.frontend.list({
          namespace: NAMESPACE,
          delimiter: '/',
          limit,
          ...(from === undefined ? {} : { from }),
        });
        objects.push(...page.objects.map(({ key }) => key));
        prefixes.push(...page.commonPrefixes);
        from = page.next;
      } while (from !== undefined);
      expect(objects).toEqual(['a', 'b\u{10ffff}', 'c']);
      expect(prefixes).toEqual(['b/', 'd/', '\uffff/', '\u{10ffff}/']);
    }
  });

  it('puts only over the version it was told', async () => {
    const p = new World(5, TINY).start();
    const first = await p.frontend.put({ namespace: NAMESPACE, key: 'k', body: Buffer.from('1'), ifVersion: 'absent' });
    await expect(
      p.frontend.put({ namespace: NAMESPACE, key: 'k', body: Buffer.from('2'), ifVersion: 'absent' }),
    ).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
    await p.frontend.put({ namespace: NAMESPACE, key: 'k', body: Buffer.from('3'), ifVersion: first.version });
    await expect(p.frontend.delete(NAMESPACE, 'k', { ifVersion: first.version })).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
    });
    expect(Buffer.from(await p.frontend.read(NAMESPACE, 'k', 10)).toString()).toBe('3');
    await expectSound(p);
  });
});
