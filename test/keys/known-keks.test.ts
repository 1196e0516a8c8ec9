// Whether the keys at hand are those a store is written with: told by rows, and by blocks where an older release left no rows.
import { beforeAll, describe, expect, it } from 'vitest';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import type { KekStore, KekVersion } from '../../lib/keys/keys.ts';
import { KEK_CLAIM_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import { kekPartition } from '../../lib/panda/rows/kek-row.ts';
import type { Components } from '../../lib/volume/rows/components.ts';
import { currentKek, kekFaults } from '../../lib/volume/rows/known-keks.ts';
import { FixedKeks, World } from '../store/harness.ts';

const SEED = 31;
/** Enough that some of the blocks that are asked are there. */
const OBJECTS = 250;

/** Keys by number: the last one is current. `looks` counts how often it was asked which there are. */
class Keks implements KekStore {
  looks = 0;
  readonly destroyed = new Set<number>();
  readonly #keys: readonly Uint8Array[];
  readonly #currentAt: (look: number) => number;

  constructor(keys: readonly Uint8Array[], currentAt: (look: number) => number = () => keys.length) {
    [this.#keys, this.#currentAt] = [keys, currentAt];
  }
  async versions(): Promise<readonly KekVersion[]> {
    const current = this.#currentAt(this.looks++);
    return this.#keys.map((_, i) => ({
      version: i + 1,
      createdAtMs: 0,
      state: i + 1 === current ? 'current' : this.destroyed.has(i + 1) ? 'destroyed' : 'previous',
    }));
  }
  async kek(version: number): Promise<Uint8Array> {
    return this.#keys[version - 1] as Uint8Array;
  }
  rotate = (): Promise<never> => Promise.reject(new Error('not here'));
  destroy = (): Promise<never> => Promise.reject(new Error('not here'));
}

const keyOf = (seed: number): Uint8Array => new SeededRandomness(seed).bytes(32);
/** The first is the one that worlds put under. */
const [first, second, other] = [keyOf(1), keyOf(2), keyOf(3)];
let worlds: { readonly one: World; readonly two: World };

const kekRows = async (world: World) => (await world.panda.query(kekPartition)).rows;

async function forgetRows(world: World): Promise<void> {
  for (const { partition, sort } of await kekRows(world))
    await world.panda.transact([{ kind: 'delete', partition, sort }]);
}

const given = (world: World, keks: KekStore): Components => ({ ...world.start().components, keks });
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (isPocketfulError(error) ? error.code : error),
  );

beforeAll(async () => {
  const one = new World(SEED);
  first.set(await new FixedKeks(SEED).kek());
  const items = Array.from({ length: OBJECTS }, (_, i) => ({
    namespace: 'default',
    key: `k/${i}`,
    body: Buffer.from(`body ${i}`),
  }));
  for await (const { ok } of one.start().frontend.putAll(items)) expect(ok).toBe(true);
  const two = one.clone();
  await rewrapKeys(given(two, new Keks([first, second])));
  worlds = { one, two };
});

describe('a store without rows of keys', () => {
  it('takes the key its blocks are wrapped by, and writes down which it is', async () => {
    const world = worlds.one.clone();
    await forgetRows(world);
    expect(await currentKek(given(world, new Keks([first])))).toMatchObject({ version: 1, key: first });
    expect(await kekRows(world)).toHaveLength(1);
    expect(await codeOf(currentKek(given(world, new Keks([other]))))).toBe('KEK_WRONG');
  });

  it('refuses another key of that number', async () => {
    const world = worlds.one.clone();
    await forgetRows(world);
    expect(await codeOf(currentKek(given(world, new Keks([other]))))).toBe('KEK_WRONG');
    expect(await kekRows(world)).toEqual([]);
  });

  it('takes a key that is newer than all its blocks, whatever it is', async () => {
    const world = worlds.one.clone();
    await forgetRows(world);
    expect(await currentKek(given(world, new Keks([first, other])))).toMatchObject({ version: 2, key: other });
  });

  it('refuses keys from before its blocks were wrapped', async () => {
    const world = worlds.two.clone();
    await forgetRows(world);
    const error = await currentKek(given(world, new Keks([first]))).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: 'denied', code: 'KEYS_BEHIND' });
    expect(String(error)).toMatch(/\b1\b.*\b2\b|\b2\b.*\b1\b/);
    expect(await kekRows(world)).toEqual([]);
  });

  it('looks once more if the version was rotated meanwhile, and gives up if that goes on', async () => {
    const world = worlds.two.clone();
    await forgetRows(world);
    const rotating = new Keks([first, second], (look) => (look === 0 ? 1 : 2));
    expect(await currentKek(given(world, rotating))).toMatchObject({ version: 2, key: second });
    await forgetRows(world);
    const stuck = new Keks([first, second], () => 1);
    expect(await codeOf(currentKek(given(world, stuck)))).toBe('KEK_ROTATED');
    // Each attempt asks which is current, and which is the newest.
    expect(stuck.looks).toBe(2 * (KEK_CLAIM_ATTEMPTS_MAX + 1));
  });
});

describe('doctor', () => {
  const faultsOf = async (keks: KekStore): Promise<string[]> =>
    (await kekFaults(given(worlds.two, keks))).map(({ code }) => code);

  it('says nothing of the keys that the rows name', async () => {
    expect(await faultsOf(new Keks([first, second]))).toEqual([]);
  });
  it('says which are not there, and which are others', async () => {
    expect(await faultsOf(new Keks([first]))).toEqual(['KEYS_BEHIND']);
    expect(await faultsOf(new Keks([]))).toEqual(['KEYS_BEHIND', 'KEYS_BEHIND']);
    expect(await faultsOf(new Keks([first, other]))).toEqual(['KEK_WRONG']);
  });
  it('does not ask for one that was destroyed', async () => {
    const keks = new Keks([other, second]);
    keks.destroyed.add(1);
    expect(await faultsOf(keks)).toEqual([]);
  });
});
