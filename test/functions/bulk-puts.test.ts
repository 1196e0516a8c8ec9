// Bulk puts of a stage at its frontend function: parts are staged under seal, gathered into erasure-coded volumes past the hot tier, and
// gone; what was cut off is gathered again.
import { describe, expect, it } from 'vitest';
import { readTallies, totalOf } from '../../lib/engine/status/tally.ts';
import { changeNamespace } from '../../lib/engine/upkeep/namespaces.ts';
import { GATHER_MS_MAX } from '../../lib/limits/stage.ts';
import { toBase64 } from '../../lib/service/protocol.ts';
import { FrontendService } from '../../lib/service/service.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { MemoryShelf } from '../journal/memory-shelf.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { type Deployed, deploy } from './events.ts';

const namespace = 'default';
const OBJECTS = 24;
const OBJECT_BYTES = 5000;
const BODIES = Array.from({ length: OBJECTS }, (_, i) => Buffer.from(incompressible(OBJECT_BYTES, i)));
const ALL = Buffer.concat(BODIES);
/** Their ends are not those of objects. */
const PART_BYTES = 70_001;
const OBJECT_LIST = BODIES.map(({ byteLength }, i) => ({
  key: `f${i}`,
  offset: i * OBJECT_BYTES,
  sizeBytes: byteLength,
  metadata: `m${i}`,
}));

interface Part {
  readonly part: string;
  readonly bytes: number;
}
interface Gathered {
  readonly results: readonly { readonly key?: string; readonly newBytes?: number; readonly error?: { code: string } }[];
}

async function stage({ invoke }: Deployed, bytes = ALL): Promise<Part[]> {
  const parts: Part[] = [];
  for (let at = 0; at < bytes.byteLength; at += PART_BYTES) {
    const piece = bytes.subarray(at, at + PART_BYTES);
    const { part } = (await invoke({ op: 'bulkPart', namespace, body: toBase64(piece) })) as { part: string };
    parts.push({ part, bytes: piece.byteLength });
  }
  return parts;
}

const gather = (stage: Deployed, parts: readonly Part[], objects: readonly object[], of = namespace) =>
  stage.invoke({ op: 'bulkGather', namespace: of, parts, objects }) as Promise<Gathered>;

async function inVolumes({ world }: Deployed): Promise<{ hot: number; warm: number }> {
  const { components } = world.start();
  const stored = { hot: 0, warm: 0 };
  for (const { class: cls, extentUsedBytes } of await listVolumes(components.panda, components.settings.cell))
    stored[cls] += extentUsedBytes.reduce((sum, bytes) => sum + bytes, 0);
  return stored;
}

async function expectBodies(stage: Deployed): Promise<void> {
  for (const [i, body] of BODIES.entries()) {
    const got = (await stage.invoke({ op: 'get', namespace, key: `f${i}` })) as { body: string };
    expect(Buffer.compare(Buffer.from(got.body, 'base64'), body), `f${i}`).toBe(0);
  }
}

describe('a bulk put of a stage', () => {
  it('goes into erasure-coded volumes at once, and its parts are gone', async () => {
    const stage_ = deploy(41);
    expect(await stage_.invoke({ op: 'bulkBegin', namespace })).toEqual({
      gatherBytesMax: 16 * TINY.groupBytesMin,
      partBytesMax: 4 * 1024 * 1024,
      takesMore: true,
    });
    const parts = await stage(stage_);
    expect(stage_.staging.objects.size).toBe(parts.length);
    const { results } = await gather(stage_, parts, OBJECT_LIST);
    expect(results.map(({ key }) => key)).toEqual(OBJECT_LIST.map(({ key }) => key));
    const { hot, warm } = await inVolumes(stage_);
    expect(hot).toBe(0);
    // Headers are a large part of what is so small.
    expect(warm / ALL.byteLength).toBeLessThan((16 / 12) * 1.35);
    expect(stage_.staging.objects.size).toBe(0);
    const { encodedBytes, encodedGroups } = totalOf(await readTallies(stage_.world.start().components, 1));
    expect([encodedBytes > ALL.byteLength, encodedGroups > 0]).toEqual([true, true]);
    await expectBodies(stage_);
    expect(await stage_.invoke({ op: 'head', namespace, key: 'f3' })).toMatchObject({ object: { metadata: 'm3' } });
    await expectSound(stage_.world.start());
  });

  it('may be gathered again, whoever died: nothing is stored twice', async () => {
    const stage_ = deploy(42);
    const parts = await stage(stage_);
    await gather(stage_, parts, OBJECT_LIST.slice(0, 12));
    const before = await inVolumes(stage_);
    // The answer got lost, and with it what the parts were: they are staged once more.
    const { results } = await gather(stage_, await stage(stage_), OBJECT_LIST);
    expect(results.map(({ newBytes = 0 }) => newBytes > 0)).toEqual(OBJECT_LIST.map((_, i) => i >= 12));
    expect((await inVolumes(stage_)).warm).toBeGreaterThan(before.warm);
    await expectBodies(stage_);
  });

  it('lies on the way as ciphertext only, and under names that only its sender knows', async () => {
    const stage_ = deploy(43);
    const text = Buffer.from('a sentence that nobody else may read '.repeat(20));
    const [part] = (await stage(stage_, text)) as [Part];
    const [[name, stored]] = [...stage_.staging.objects] as [[string, Uint8Array]];
    expect(Buffer.from(stored).includes('sentence')).toBe(false);
    expect(name).toBe(`0/${part.part.slice(0, 32)}`);
    const objects = [{ key: 'a', offset: 0, sizeBytes: 10 }];
    const forged = { ...part, part: `${part.part.slice(0, 32)}${'0'.repeat(64)}` };
    expect(await gather(stage_, [forged], objects)).toMatchObject({ results: [{ error: { code: 'BLOCK_CORRUPT' } }] });
    expect(await gather(stage_, [part], objects, 'other')).toMatchObject({
      results: [{ error: { code: 'BLOCK_CORRUPT' } }],
    });
    expect(await gather(stage_, [{ ...part, bytes: part.bytes + 1 }], objects)).toMatchObject({
      results: [{ error: { code: 'REQUEST_INVALID' } }],
    });
    expect((await inVolumes(stage_)).warm).toBe(0);
    expect(await gather(stage_, [part], objects)).toMatchObject({ results: [{ key: 'a' }] });
    expect(await gather(stage_, [part], objects)).toMatchObject({ results: [{ error: { code: 'CHUNK_MISSING' } }] });
  });

  it('names an object for itself, and keeps the parts until all of them are stored', async () => {
    const stage_ = deploy(44);
    const parts = await stage(stage_, ALL.subarray(0, 60_000));
    const objects = [...OBJECT_LIST.slice(0, 10), { key: '../up', offset: 0, sizeBytes: 9 }];
    const { results } = await gather(stage_, parts, objects);
    expect(results[10]).toMatchObject({ error: { code: 'NAME_INVALID' } });
    expect(results.slice(0, 10).every(({ key }) => key !== undefined)).toBe(true);
    expect(stage_.staging.objects.size).toBe(parts.length);
  });

  it.each([
    ['a key that is there twice', [OBJECT_LIST[0], OBJECT_LIST[0]], 'KEY_TWICE'],
    [
      'an object that ends after its parts',
      [{ key: 'a', offset: ALL.byteLength - 5, sizeBytes: 6 }],
      'REQUEST_INVALID',
    ],
    ['no object', [], 'REQUEST_INVALID'],
  ])('refuses %s', async (_, objects, code) => {
    const stage_ = deploy(45);
    expect(await gather(stage_, await stage(stage_), objects as object[])).toMatchObject({ error: { code } });
  });

  it('begins no object when its time is up, and has all of them in the end', async () => {
    const stage_ = deploy(46);
    const parts = await stage(stage_);
    const { staging, world } = stage_;
    // Two reads of parts take all the time there is.
    const read = staging.read.bind(staging);
    staging.read = (...args) => {
      world.clock.advance(Math.ceil((GATHER_MS_MAX + 1) / 2));
      return read(...args);
    };
    let left: readonly (typeof OBJECT_LIST)[number][] = OBJECT_LIST;
    const codes: (string | undefined)[] = [];
    for (let calls = 0; left.length > 0 && calls < 20; calls++) {
      const { results } = await gather(stage_, parts, left);
      codes.push(...results.map(({ error }) => error?.code));
      left = left.filter((_, i) => results[i]?.error !== undefined);
    }
    expect(new Set(codes)).toEqual(new Set([undefined, 'BULK_LATER']));
    expect(left).toEqual([]);
  });

  it('puts an object of a gathering only at the version that is wanted', async () => {
    const stage_ = deploy(49);
    const [first, second] = OBJECT_LIST as [(typeof OBJECT_LIST)[number], (typeof OBJECT_LIST)[number]];
    const absent = { ...first, ifVersion: 'absent' };
    const { results } = await gather(stage_, await stage(stage_), [absent, second]);
    const { version } = results[0] as { version: string };
    const replaced = { ...first, sizeBytes: 100, ifVersion: version };
    const again = await gather(stage_, await stage(stage_), [replaced, { ...second, ifVersion: version }]);
    expect(again.results).toMatchObject([{ key: 'f0', sizeBytes: 100 }, { error: { code: 'VERSION_MISMATCH' } }]);
    expect(await gather(stage_, await stage(stage_), [absent])).toMatchObject({
      results: [{ error: { code: 'VERSION_MISMATCH' } }],
    });
  });

  it('takes a long object in several calls, seen by nobody before it is whole', async () => {
    const stage_ = deploy(50);
    const { upload } = (await stage_.invoke({ op: 'uploadBegin', namespace, key: 'long' })) as { upload: string };
    const half = 60 * 1024;
    const slice = async (from: number, to: number) => ({
      ...{ op: 'bulkExtend', namespace, upload, at: from, offset: 0 },
      parts: await stage(stage_, ALL.subarray(from, to)),
    });
    expect(await stage_.invoke(await slice(half, ALL.byteLength))).toEqual({ storedBytes: ALL.byteLength - half });
    const finish = { op: 'uploadFinish', namespace, upload, key: 'long', sizeBytes: ALL.byteLength };
    expect(await stage_.invoke(finish)).toMatchObject({ error: { code: 'UPLOAD_INCOMPLETE' } });
    const missing = { error: { code: 'OBJECT_MISSING' } };
    expect(await stage_.invoke({ op: 'head', namespace, key: 'long' })).toMatchObject(missing);
    // The first half comes in two calls, and once more, as a caller does that lost an answer.
    const first = await slice(0, half);
    const { staging, world } = stage_;
    const read = staging.read.bind(staging);
    staging.read = (...args) => {
      world.clock.advance(GATHER_MS_MAX + 1);
      return read(...args);
    };
    const { storedBytes } = (await stage_.invoke(first)) as { storedBytes: number };
    expect(storedBytes).toBeGreaterThan(0);
    expect(storedBytes).toBeLessThan(half);
    staging.read = read;
    const rest = { ...first, at: storedBytes, offset: storedBytes };
    expect(await stage_.invoke(rest)).toEqual({ storedBytes: half - storedBytes });
    expect(await stage_.invoke(await slice(0, half))).toEqual({ storedBytes: half });
    expect(staging.objects.size).toBe(0);
    expect(await stage_.invoke(finish)).toMatchObject({ object: { sizeBytes: ALL.byteLength } });
    // Only what was cut short before it was a group.
    expect((await inVolumes(stage_)).hot).toBeLessThan(4 * storedBytes * 1.2);
    const got = (await stage_.invoke({ op: 'get', namespace, key: 'long' })) as { body: string };
    expect(Buffer.compare(Buffer.from(got.body, 'base64'), ALL)).toBe(0);
    await expectSound(world.start());
  });

  it('extends no upload of another namespace, and none between its blocks', async () => {
    const stage_ = deploy(52);
    const { upload } = (await stage_.invoke({ op: 'uploadBegin', namespace, key: 'long' })) as { upload: string };
    const request = { op: 'bulkExtend', namespace, upload, at: 0, offset: 0, parts: await stage(stage_) };
    const codes = async (more: object) => (await stage_.invoke({ ...request, ...more })) as { error: { code: string } };
    expect((await codes({ at: 5 })).error.code).toBe('PART_INVALID');
    expect((await codes({ namespace: 'other' })).error.code).toBe('UPLOAD_MISMATCH');
    expect((await codes({ offset: ALL.byteLength })).error.code).toBe('REQUEST_INVALID');
    expect((await codes({ upload: '0'.repeat(24) })).error.code).toBe('UPLOAD_MISSING');
    await stage_.invoke({ op: 'uploadAbort', upload });
    await expectSound(stage_.world.start());
  });

  it('shares blocks with no other namespace where that has its own', async () => {
    const stage_ = deploy(47);
    await changeNamespace(stage_.world.start().components, namespace, { dedup: 'own' });
    const put = { op: 'put', namespace: 'other', objects: [{ key: 'a', body: toBase64(BODIES[0] as Buffer) }] };
    await stage_.invoke(put);
    const { results } = await gather(stage_, await stage(stage_), OBJECT_LIST.slice(0, 1));
    expect(results[0]?.newBytes).toBeGreaterThan(OBJECT_BYTES);
  });

  it('is not there without a hot tier, or without a place for parts', async () => {
    const world = new World(48, { ...PRESETS.thrifty, extentBytes: 64 * 1024 * 1024 });
    const bulkOf = (service: FrontendService) => () => service.bulk;
    const refused = expect.objectContaining({ code: 'REQUEST_INVALID' });
    expect(bulkOf(new FrontendService(world.start().volumes, undefined, new MemoryShelf('s')))).toThrow(refused);
    expect(bulkOf(new FrontendService(new World(48).start().volumes))).toThrow(refused);
  });
});
