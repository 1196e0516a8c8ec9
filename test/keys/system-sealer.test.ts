// Threads that seal give what this thread would have given, and nothing is lost with them.
import { afterAll, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { POOL_BYTES_MIN } from '../../lib/keys/compression.ts';
import { blockIdOf, openBlock, type SealedBlock } from '../../lib/keys/envelope.ts';
import { sealHere } from '../../lib/keys/sealer.ts';
import { SystemSealer } from '../../lib/keys/system-sealer.ts';
import { SEAL_JOB_BYTES, SEAL_JOBS_FROM_BLOCKS } from '../../lib/limits/engine.ts';
import { BLOCK_BYTES_MAX } from '../../lib/limits/frontend.ts';

const sealer = new SystemSealer(2);
afterAll(() => sealer.close());

const kek = { version: 3, key: new SeededRandomness(99).bytes(32) };
const random = new SeededRandomness(7);
const small = Array.from({ length: SEAL_JOBS_FROM_BLOCKS * 4 }, (_, i) =>
  i % 3 === 0 ? Buffer.alloc(1000 * i, `compressible ${i} `) : random.bytes(500 * i),
);

const opened = (sealed: readonly SealedBlock[], plains: readonly Uint8Array[]): Buffer[] =>
  sealed.map(({ record, recordId, wrappedBek }, i) =>
    Buffer.from(openBlock(record, wrappedBek, kek.key, { recordId, blockId: blockIdOf(plains[i] as Uint8Array) })),
  );

const texts = (sealed: readonly SealedBlock[]): unknown[] =>
  sealed.map(({ recordId, record, wrappedBek, kekVersion }) => [
    recordId,
    Buffer.from(record).toString('latin1'),
    Buffer.from(wrappedBek).toString('hex'),
    kekVersion,
  ]);

it('small blocks, more than a job has, become the very same records', async () => {
  expect(small.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(2 * SEAL_JOB_BYTES);
  const sealed = await sealer.seal(small, new SeededRandomness(1), kek);
  expect(texts(sealed)).toEqual(texts(await sealHere.seal(small, new SeededRandomness(1), kek)));
  expect(opened(sealed, small)).toEqual(small.map((plain) => Buffer.from(plain)));
});

it('large ones between them are sealed too, each in its place and under a key of its own', async () => {
  const mixed = [
    ...small.slice(0, 40),
    random.bytes(POOL_BYTES_MIN),
    ...small.slice(40, 80),
    Buffer.alloc(POOL_BYTES_MIN),
  ];
  const sealed = await sealer.seal(mixed, new SeededRandomness(2), kek);
  expect(opened(sealed, mixed)).toEqual(mixed.map((plain) => Buffer.from(plain)));
  expect(new Set(sealed.map(({ recordId }) => recordId)).size).toBe(mixed.length);
});

it('what threads do not answer is sealed here', async () => {
  const own = new SystemSealer(1);
  const sealing = own.seal(small, new SeededRandomness(3), kek);
  await own.close();
  expect(opened(await sealing, small)).toEqual(small.map((plain) => Buffer.from(plain)));
});

it('what threads share is sealed where it lies, among others that are not', async () => {
  const bytes = small.reduce((sum, { length }) => sum + length, 0);
  const [one, other] = [new SharedArrayBuffer(bytes), new SharedArrayBuffer(bytes)];
  let at = 0;
  const mixed = small.map((plain, i) => {
    if (i % 4 === 0) return plain;
    const shared = new Uint8Array(i % 4 === 1 ? one : other, at, plain.length);
    shared.set(plain);
    at += plain.length;
    return shared;
  });
  const sealed = await sealer.seal(mixed, new SeededRandomness(4), kek);
  expect(texts(sealed)).toEqual(texts(await sealHere.seal(small, new SeededRandomness(4), kek)));
});

it('each is told of as its job is done, not when all are, and is read no more then', async () => {
  const all = [...small, random.bytes(POOL_BYTES_MIN), random.bytes(10)];
  const plains = all.map((plain) => Uint8Array.from(plain));
  const told = new Map<number, SealedBlock>();
  const toldTogether: number[] = [];
  const sealed = await sealer.seal(plains, new SeededRandomness(2), kek, (i, block) => {
    if (told.size === toldTogether.reduce((sum, count) => sum + count, 0))
      setImmediate(() => toldTogether.push(told.size - toldTogether.reduce((sum, count) => sum + count, 0)));
    told.set(i, block);
    plains[i]?.fill(0);
  });
  await new Promise((done) => setImmediate(done));
  expect(toldTogether.length).toBeGreaterThan(1);
  expect(all.map((_, i) => told.get(i))).toEqual(sealed);
  expect(opened(sealed, all)).toEqual(all.map((plain) => Buffer.from(plain)));
});

it('a large record lies where another one did that was released, and that but once', async () => {
  const large = [random.bytes(BLOCK_BYTES_MAX)];
  const sealedNext = (seed: number) => sealer.seal(large, new SeededRandomness(seed), kek);
  const memoryOf = ([first]: readonly SealedBlock[]): unknown => first?.record.buffer;
  const one = await sealedNext(1);
  for (let i = 0; i < 2; i++) sealer.release(one);
  const next = [await sealedNext(2), await sealedNext(3)];
  expect(memoryOf(next[0] ?? [])).toBe(memoryOf(one));
  expect(memoryOf(next[1] ?? [])).not.toBe(memoryOf(one));
  for (const sealed of next) expect(opened(sealed, large)).toEqual(large.map((plain) => Buffer.from(plain)));
});

it('memory of records that are released serves later ones, once, and that of others does not', async () => {
  const few = small.slice(0, SEAL_JOBS_FROM_BLOCKS);
  const sealedNext = (seed: number) => sealer.seal(few, new SeededRandomness(seed), kek);
  const memoryOf = ([first]: readonly SealedBlock[]): unknown => first?.record.buffer;
  const held = await sealedNext(5);
  const before = opened(held, few);
  const memories = new Set<unknown>();
  for (let round = 0; round < 6; round++) {
    const [one, other] = [await sealedNext(6 + round), await sealedNext(12 + round)];
    expect(new Set([held, one, other].map(memoryOf)).size).toBe(3);
    expect(opened(one, few)).toEqual(before);
    memories.add(memoryOf(one)).add(memoryOf(other));
    for (const sealed of [one, one, other]) sealer.release(sealed);
  }
  // Two of records, and one of what was copied for a job.
  expect(memories.size).toBeLessThanOrEqual(3);
  expect(opened(held, few)).toEqual(before);
});
