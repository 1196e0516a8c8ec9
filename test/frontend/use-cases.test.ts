// The use-cases against a Map: random puts, overwrites, deletes, GC and encodes by two processes on one store, then everything is
// read, listed and counted again.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { StalePanda } from '../panda/stale-panda.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const KIB = 1024;
const NAMESPACE = 'default';

/** Few keys and few bodies, so that overwrites, duplicates and known blocks are common. */
const key = fc.constantFrom('a', 'b', 'c/d', 'c/e', 'ä', '#', '\u{1f600}', '\uffee');
const body = fc.record({
  seed: fc.nat({ max: 5 }),
  bytes: fc.constantFrom(0, 1, 700, KIB, KIB + 1, 3 * KIB, 30 * KIB, 70 * KIB),
});
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      who: fc.nat({ max: 1 }),
      items: fc.array(fc.record({ key, body }), { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      who: fc.nat({ max: 1 }),
      keys: fc.array(key, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gc' as const), who: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('encode' as const), who: fc.nat({ max: 1 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const bytesOf = ({ seed, bytes }: { seed: number; bytes: number }): Uint8Array =>
  new SeededRandomness(seed).bytes(bytes);

async function perform(p: Process, model: Map<string, Uint8Array>, step: Step): Promise<void> {
  if (step.kind === 'put') {
    const items = step.items.map((item) => ({ namespace: NAMESPACE, key: item.key, body: bytesOf(item.body) }));
    let outcomes = 0;
    for await (const outcome of p.frontend.putAll(items)) {
      expect(outcome).toMatchObject({ ok: true });
      outcomes += 1;
    }
    expect(outcomes).toBe(items.length);
    for (const item of items) model.set(item.key, item.body); // of one key twice, the later one
  } else if (step.kind === 'delete') {
    const keys = [...step.keys];
    for await (const outcome of p.frontend.deleteAll(keys.map((key) => ({ namespace: NAMESPACE, key })))) {
      expect(outcome.ok, `delete ${outcome.key}`).toBe(model.has(outcome.key));
      model.delete(outcome.key);
    }
  } else if (step.kind === 'gc') await collectGarbage(p.c);
  else {
    await p.volumes.open.sealAll('hot');
    const report = await encodeHot(p.volumes, { force: true, flush: true });
    expect(report.stalled).toBeUndefined();
  }
}

async function listAll(p: Process, prefix: string, limit: number): Promise<string[]> {
  const keys: string[] = [];
  let from: string | undefined;
  do {
    const page = await p.frontend.list({
      namespace: NAMESPACE,
      prefix,
      limit,
      ...(from === undefined ? {} : { from }),
    });
    keys.push(...page.objects.map((object) => object.key));
    from = page.next;
  } while (from !== undefined);
  return keys;
}

const inOrder = (keys: Iterable<string>): string[] =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

describe('put, get, delete and list', () => {
  it.each(['strong', 'as stale as allowed'])(
    'agree with a Map, and the rows with a recount, after any sequence, reads %s',
    async (reads) => {
      let staleReads = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: 1000 }),
          fc.array(step, { minLength: 1, maxLength: 12 }),
          async (seed, steps) => {
            const world = new World(seed, TINY);
            const stale = new StalePanda(world.panda, new SeededRandomness(seed));
            const panda = reads === 'strong' ? world.panda : stale;
            const processes = [world.start({ panda }), world.start({ panda })];
            const model = new Map<string, Uint8Array>();
            for (const step of steps) await perform(processes[step.who] as Process, model, step);
            const reader = processes[0] as Process;
            for (const [key, body] of model)
              expect(Buffer.compare(await reader.frontend.read(NAMESPACE, key, 1e6), body), key).toBe(0);
            expect(await listAll(reader, '', 3)).toEqual(inOrder(model.keys()));
            expect(await listAll(reader, 'c/', 1)).toEqual(
              inOrder([...model.keys()].filter((key) => key.startsWith('c/'))),
            );
            await reader.frontend.finishReleases();
            await expectSound(reader);
            staleReads += stale.staleReads;
          },
        ),
        { numRuns: 25 },
      );
      expect(staleReads > 100).toBe(reads !== 'strong');
    },
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
      await Promise.all([work(a, 1), work(b, 2), collectGarbage(world.start().c)]);
      await a.frontend.finishReleases();
      await expectSound(a);
    }
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
