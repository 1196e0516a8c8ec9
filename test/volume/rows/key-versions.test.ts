// Which key is written under, call by call: by its row, or by a look at blocks where no row tells; and what is said where it is not the store's.
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { denied } from '../../../lib/foundation/errors.ts';
import { newStoreId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { wrapBek } from '../../../lib/keys/envelope.ts';
import { kekFingerprint } from '../../../lib/keys/fingerprint.ts';
import { KEK_CLAIM_ATTEMPTS_MAX } from '../../../lib/limits/volume.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import { blockAttributes, blockKey } from '../../../lib/panda/rows/block-row.ts';
import { kekAttributes, kekKey } from '../../../lib/panda/rows/kek-row.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { currentKek, kekFaults } from '../../../lib/volume/rows/known-keks.ts';
import { SeededRows } from '../../golden/seeded-rows.ts';
import { ToldPanda } from './told-panda.ts';

const NOW_MS = 700;
const random = new SeededRandomness(4);
const rows = new SeededRows(random);
const KEYS = [random.bytes(32), random.bytes(32), random.bytes(32)];
const OTHER = random.bytes(32);

function storeOf({ keys = KEYS.slice(0, 2), nowMs = NOW_MS, destroyed = [] as number[] } = {}) {
  const panda = new ToldPanda();
  const storeId = newStoreId(new SeededRandomness(1));
  const keks = {
    versions: async () =>
      keys.map((_, i) => ({
        version: i + 1,
        createdAtMs: i,
        state: destroyed.includes(i + 1) ? 'destroyed' : i + 1 === keys.length ? 'current' : 'previous',
      })),
    kek: async (version: number) => keys[version - 1] as Uint8Array,
  };
  const clock = new SimulatedClock(nowMs);
  const components = { panda, storeId, keks, clock, randomness: new SeededRandomness(1) } as unknown as Components;
  const row = (version: number, key: Uint8Array) =>
    panda.plant(kekKey(version), kekAttributes({ fingerprint: kekFingerprint(storeId, version, key), sinceMs: 3 }));
  /** The first block of a partition that is looked at. */
  const block = async (kekVersion: number, key: Uint8Array): Promise<void> => {
    const wrappedBek = wrapBek(random.bytes(32), key);
    const one = rows.block({ refs: 1, kekVersion, wrappedBek, isOld: undefined } as object);
    const id = `40${one.id.slice(2)}` as typeof one.id;
    await panda.plant(blockKey(id), blockAttributes({ ...one, id } as typeof one));
  };
  return { panda, components, keks, row, block };
}

const SAMPLED = [0, 32, 64, 96, 128, 160, 192, 224].map((bits) => `query block/${bits.toString(16).padStart(2, '0')}`);
const CLAIM = `write put kek ${kekKey(2).sort}`;
const WRONG = (version: number) =>
  `key version ${version} is another key than the store's version ${version}: these keys were rotated apart from it, put the store's own keys.json back`;
const BEHIND = (here: number, there: number) =>
  `these keys end at version ${here}, the store has version ${there}: they are an older copy, put the newest keys.json back`;

describe('the current key', () => {
  it('is that of the newest row: one look', async () => {
    const { panda, components, row } = storeOf();
    await row(1, KEYS[0] as Uint8Array);
    await row(2, KEYS[1] as Uint8Array);
    expect(await currentKek(components)).toEqual({ version: 2, createdAtMs: 1, state: 'current', key: KEYS[1] });
    expect(panda.taken()).toEqual(['query kek']);
  });

  it('is not another one of its number, or one before it', async () => {
    const { panda, components, row } = storeOf();
    await row(2, OTHER);
    await expect(currentKek(components)).rejects.toMatchObject({ code: 'KEK_WRONG', message: WRONG(2) });
    await row(2, KEYS[1] as Uint8Array);
    await row(5, OTHER);
    await expect(currentKek(components)).rejects.toMatchObject({ code: 'KEYS_BEHIND', message: BEHIND(2, 5) });
    expect(panda.taken()).toEqual(['query kek', 'query kek']);
  });

  it('without a row gets one, if no block that is looked at says otherwise', async () => {
    for (const [nowMs, a] of [
      [NOW_MS, NOW_MS],
      [-3, 0],
    ] as const) {
      const { panda, components, block } = storeOf({ nowMs });
      await block(1, OTHER);
      await block(2, KEYS[1] as Uint8Array);
      expect(await currentKek(components)).toMatchObject({ version: 2 });
      expect(panda.taken()).toEqual(['query kek', ...SAMPLED, CLAIM, 'query kek']);
      const f = kekFingerprint(components.storeId, 2, KEYS[1] as Uint8Array);
      expect(panda.rowsIn('kek')).toEqual({ [kekKey(2).sort]: { f, a } });
    }
  });

  it('is refused by a block of its number that it does not open, and by one of a later number', async () => {
    const { panda, components, block } = storeOf();
    await block(2, OTHER);
    await expect(currentKek(components)).rejects.toMatchObject({ code: 'KEK_WRONG', message: WRONG(2) });
    const later = storeOf();
    await later.block(4, OTHER);
    await expect(currentKek(later.components)).rejects.toMatchObject({ code: 'KEYS_BEHIND', message: BEHIND(2, 4) });
    for (const one of [panda, later.panda]) expect(one.rowsIn('kek')).toEqual({});
  });

  it('is looked at again after a conflict or a lost answer, as often as claims may meet', async () => {
    const { panda, components } = storeOf();
    panda.answers = ['done'];
    expect(await currentKek(components)).toMatchObject({ version: 2 });
    // Whether it was done, the rows say; then it is looked at as any other.
    expect(panda.taken().filter((call) => !call.startsWith('query block'))).toEqual([
      'query kek',
      CLAIM,
      'query kek',
      'query kek',
    ]);
    const other = storeOf();
    other.panda.before = async (call) => {
      if (call === CLAIM) await other.row(2, KEYS[1] as Uint8Array);
    };
    expect(await currentKek(other.components)).toMatchObject({ version: 2 });
    const stuck = storeOf();
    const refused = new PandaConflict([0]);
    stuck.panda.answers = Array.from({ length: 20 }, () => refused);
    await expect(currentKek(stuck.components)).rejects.toBe(refused);
    expect(stuck.panda.taken().filter((call) => call === CLAIM)).toHaveLength(KEK_CLAIM_ATTEMPTS_MAX + 1);
  });

  it('comes out with what keeps its key from being read', async () => {
    const { components, keks, row } = storeOf();
    await row(2, KEYS[1] as Uint8Array);
    const error = denied('PANDA_DENIED', 'no');
    keks.kek = () => Promise.reject(error);
    await expect(currentKek(components)).rejects.toBe(error);
  });
});

describe('faults of keys', () => {
  const faults = async ({ components }: ReturnType<typeof storeOf>) =>
    (await kekFaults(components)).map(({ code, message }) => [code, message]);

  it('are versions that are not there, and such that are another key, each by its number', async () => {
    const store = storeOf();
    await store.row(1, OTHER);
    await store.row(2, KEYS[1] as Uint8Array);
    await store.row(3, KEYS[2] as Uint8Array);
    expect(await faults(store)).toEqual([
      ['KEK_WRONG', WRONG(1)],
      ['KEYS_BEHIND', BEHIND(2, 3)],
    ]);
    const none = storeOf({ keys: [] });
    await none.row(1, OTHER);
    expect(await faults(none)).toEqual([['KEYS_BEHIND', BEHIND(0, 1)]]);
  });

  it('are none of one that was destroyed', async () => {
    const store = storeOf({ destroyed: [1] });
    await store.row(1, OTHER);
    expect(await faults(store)).toEqual([]);
  });
});
