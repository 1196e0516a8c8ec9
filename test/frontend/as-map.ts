// The use-cases against a Map, as a property: random puts, overwrites, deletes, GC and encodes by two processes on one store, then everything is
// read, listed and counted again.
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { StalePanda } from '../panda/stale-panda.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const KIB = 1024;
export const NAMESPACE = 'default';

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

export const bytesOf = ({ seed, bytes }: { seed: number; bytes: number }): Uint8Array =>
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
  } else if (step.kind === 'gc') await collectGarbage(p.components);
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

/** Reads `as stale as allowed` may be as old as DynamoDB's eventually consistent ones. */
export const READS = ['strong', 'as stale as allowed'] as const;

export async function expectAsMap(reads: (typeof READS)[number], numRuns: number): Promise<void> {
  let staleReads = 0;
  const sequence = fc.array(step, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 1000 }), sequence, async (seed, steps) => {
      const world = new World(seed, TINY);
      const stale = new StalePanda(world.panda, new SeededRandomness(seed));
      const panda = reads === 'strong' ? world.panda : stale;
      const processes = [world.start({ panda }), world.start({ panda })];
      const model = new Map<string, Uint8Array>();
      for (const step of steps) await perform(processes[step.who] as Process, model, step);
      await expectModel(processes[0] as Process, model);
      staleReads += stale.staleReads;
    }),
    { numRuns },
  );
  // How many depends on the sequences of this run, which are chance: few writes leave few rows that can be read as they were.
  expect(staleReads > 0, `${staleReads} stale reads`).toBe(reads !== 'strong');
}

async function expectModel(reader: Process, model: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [key, body] of model)
    expect(Buffer.compare(await reader.frontend.read(NAMESPACE, key, 1e6), body), key).toBe(0);
  expect(await listAll(reader, '', 3)).toEqual(inOrder(model.keys()));
  expect(await listAll(reader, 'c/', 1)).toEqual(inOrder([...model.keys()].filter((key) => key.startsWith('c/'))));
  await reader.frontend.finishReleases();
  await expectSound(reader);
}
