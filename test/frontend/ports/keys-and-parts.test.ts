// Keys as a process uses them, looked up again after a minute; and bytes that are staged under them until they are gathered.
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { StagedParts } from '../../../lib/frontend/bulk/staged-parts.ts';
import { KekRing } from '../../../lib/frontend/kek-ring.ts';
import { MemoryKekStore } from '../../../lib/keys/memory-kek-store.ts';
import { KEK_LOOK_EVERY_MS } from '../../../lib/limits/frontend.ts';
import { MemoryShelf } from '../../journal/memory-shelf.ts';
import { World } from '../../store/harness.ts';

/** Keys of which it is counted how often they are looked up. */
function ring() {
  const world = new World(5);
  const { components } = world.start();
  const keks = new MemoryKekStore({ clock: new SimulatedClock(), randomness: new SeededRandomness(3) });
  const counted = { looks: 0, isDown: false };
  const versions = keks.versions.bind(keks);
  keks.versions = async () => {
    counted.looks += 1;
    if (counted.isDown) throw new Error('no keys now');
    return versions();
  };
  return { world, keks, counted, keys: new KekRing({ ...components, keks }) };
}

describe('the current key', () => {
  it('is looked up once a minute', async () => {
    const { world, keks, counted, keys } = ring();
    const first = await keys.current();
    expect(first).toEqual({ version: 1, key: await keks.kek(1) });
    const { looks } = counted;
    expect(await keys.current()).toBe(first);
    await keks.rotate();
    world.clock.advance(KEK_LOOK_EVERY_MS - 1);
    expect((await keys.current()).version).toBe(1);
    expect(counted.looks).toBe(looks);
    world.clock.advance(1);
    expect((await keys.current()).version).toBe(2);
    world.clock.advance(KEK_LOOK_EVERY_MS - 1);
    await keks.rotate();
    expect((await keys.current()).version).toBe(2);
  });

  it('is looked up by one for all who ask meanwhile', async () => {
    const { keys } = ring();
    expect(keys.current()).toBe(keys.current());
    await keys.current();
  });

  it('is looked up at once when it is forgotten, or could not be had', async () => {
    const { keks, counted, keys } = ring();
    await keys.current();
    await keks.rotate();
    keys.forget();
    expect((await keys.current()).version).toBe(2);
    keys.forget();
    counted.isDown = true;
    await expect(keys.current()).rejects.toThrow('no keys now');
    counted.isDown = false;
    expect((await keys.current()).version).toBe(2);
  });

  it('is not the only one: any other is had by its number', async () => {
    const { keks, keys } = ring();
    await keks.rotate();
    expect(await keys.key(1)).toEqual(await keks.kek(1));
  });
});

describe('staged bytes', () => {
  const NAMES_BYTES = 64;

  async function staged() {
    const { keks, keys } = ring();
    const shelf = new MemoryShelf();
    const parts = new StagedParts(shelf, keys, new SeededRandomness(9));
    const bodies = [Buffer.from('first part'), Buffer.from('the second'), Buffer.alloc(3000, 'x')];
    const names: { part: string; bytes: number }[] = [];
    for (const body of bodies) names.push({ part: await parts.stage('n', body), bytes: body.length });
    const read = async (namespace: string, of = names): Promise<string> => {
      const all = parts.bytesOf(namespace, of);
      const pieces: Uint8Array[] = [];
      for await (const piece of all.range(0, all.sizeBytes)) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    };
    return { keks, shelf, parts, names, bodies, read };
  }

  it('come back, under any key they were sealed with, and never lie there in the open', async () => {
    const { keks, shelf, parts, names, bodies, read } = await staged();
    await keks.rotate();
    expect(await read('n')).toBe(Buffer.concat(bodies).toString());
    expect([...shelf.objects.keys()]).toEqual(names.map(({ part }) => `0/${part.slice(0, 32)}`));
    for (const [i, bytes] of [...shelf.objects.values()].entries()) {
      expect(Buffer.from(bytes).readUInt32LE()).toBe(1);
      expect(Buffer.from(bytes).includes(bodies[i]?.subarray(0, 8) as Buffer)).toBe(false);
    }
    expect(names.map(({ part }) => part.length)).toEqual(names.map(() => 32 + NAMES_BYTES));
    await parts.remove(names.slice(0, 2));
    expect(shelf.objects.size).toBe(1);
    await expect(read('n')).rejects.toMatchObject({ kind: 'missing', code: 'CHUNK_MISSING' });
  });

  it('are of one namespace, of their length, and whole', async () => {
    const { shelf, names, read } = await staged();
    await expect(read('m')).rejects.toMatchObject({ kind: 'corrupt', code: 'BLOCK_CORRUPT' });
    const [first = { part: '', bytes: 0 }] = names;
    await expect(read('n', [{ ...first, bytes: first.bytes + 1 }])).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: `part ${first.part.slice(0, 32)} has ${first.bytes} bytes, not ${first.bytes + 1}`,
    });
    const key = `0/${first.part.slice(0, 32)}`;
    const whole = shelf.objects.get(key) as Uint8Array;
    // Version and wrapped key.
    for (const bytes of [0, 43])
      await (async () => {
        (shelf.objects as Map<string, Uint8Array>).set(key, whole.subarray(0, bytes));
        await expect(read('n')).rejects.toMatchObject({
          code: 'BLOCK_CORRUPT',
          message: expect.stringMatching(/is cut off/),
        });
      })();
    (shelf.objects as Map<string, Uint8Array>).set(key, whole.subarray(0, 44));
    await expect(read('n')).rejects.toMatchObject({ kind: 'corrupt', message: expect.not.stringMatching(/cut off/) });
  });
});
