// When a look at a volume says nothing, since the volume has moved on; what it says of a pack that is not complete yet; and of what holds nothing alive.
import { describe, expect, it } from 'vitest';
import { DIRECTORY_PACK_NAME } from '../../../lib/format/object-names.ts';
import type { Attributes } from '../../../lib/panda/panda.ts';
import { bucketKey } from '../../../lib/panda/rows/bucket-row.ts';
import { VOLUME_STATES, type VolumeRow, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { holdsData, lookAtVolume } from '../../../lib/volume/check/look.ts';
import type { LookOptions } from '../../../lib/volume/check/part-look.ts';
import { type DamageFound, noteDamage } from '../../../lib/volume/rows/damage.ts';
import { flipped } from '../planted.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';

async function worldOf(sealed: boolean) {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const stored = [...(await world.append([300])), ...(await world.append([40]))];
  if (sealed) await world.store.open.sealAll('warm');
  const volume = await world.volumeOf(stored[0] as Stored);
  const key = volumeKey('c0', volume.id);
  const change = async (attributes: Attributes, remove: readonly string[] = []): Promise<VolumeRow> => {
    await world.panda.transact([{ kind: 'update', ...key, set: attributes, remove }]);
    return world.volumeOf(stored[0] as Stored);
  };
  const look = (options: LookOptions = {}, of = volume) => lookAtVolume(world.restart(), of, options);
  /** Done once, while the drives are listed. */
  const meanwhile = (what: () => Promise<unknown>): void => {
    const drive = world.driveOf(volume, 0);
    const { list } = drive;
    drive.list = async (at, signal) => {
      drive.list = list;
      await what();
      return list.call(drive, at, signal);
    };
  };
  return { world, stored, volume, key, change, look, meanwhile };
}

describe('a volume', () => {
  it('in trash or being erased holds nothing that is needed: it is not looked at', async () => {
    expect(VOLUME_STATES.map((state) => [state, holdsData({ state })])).toEqual([
      ['open', true],
      ['sealed', true],
      ['draining', true],
      ['trash', false],
      ['erasing', false],
    ]);
    const { world, volume, look } = await worldOf(true);
    for (const state of ['trash', 'erasing'] as const) expect(await look({}, { ...volume, state })).toBeUndefined();
    expect(world.reads).toEqual([]);
  });

  it.each<[string, Attributes]>([
    ['in trash', { s: 'trash', d: 5 }],
    ['of another generation', { g: 2 }],
    ['of other extents', { rv: 1 }],
    ['of which the directories are pending', { dp: 1 }],
    ['that is open', { s: 'open' }],
  ])('%s by the end of a look is not what was looked at', async (_, attributes) => {
    const { change, look, meanwhile } = await worldOf(true);
    expect(await look()).toBeDefined();
    meanwhile(() => change(attributes));
    expect(await look()).toBeUndefined();
  });

  it('that is gone by the end is not, either; one that is drained is the same still', async () => {
    const { world, key, change, look, meanwhile } = await worldOf(true);
    meanwhile(() => change({ s: 'draining', r: 'run' }));
    expect(await look()).toMatchObject({ damage: [], groups: 2 });
    meanwhile(() => world.panda.transact([{ kind: 'delete', ...key }]));
    expect(await look()).toBeUndefined();
  });

  it('is looked at as long as nobody stops it, group by group', async () => {
    const { look } = await worldOf(true);
    const stopped = new AbortController();
    stopped.abort(new Error('enough'));
    await expect(look({ signal: stopped.signal })).rejects.toThrow('enough');
    expect(await look({ signal: new AbortController().signal })).toMatchObject({ groups: 2, objects: 6 });
    let asked = 0;
    const isOver = (): boolean => {
      asked += 1;
      return false;
    };
    expect(await look({ isOver })).toMatchObject({ groups: 2, cutAfterSeq: undefined });
    expect(asked).toBe(1);
  });

  it('counts what nothing names only where all that must exist was looked at', async () => {
    const { world, volume, look } = await worldOf(true);
    const { drive, zone, zoneGeneration } = volume.extents[1] as VolumeRow['extents'][number];
    for (const [name, bytes] of [
      ['77-77', 9],
      ['stray', 4],
    ] as const)
      await world.media[drive]?.append({ zone, generation: zoneGeneration }, name, [new Uint8Array(bytes)]);
    const none = { objects: 0, bytes: 0 };
    expect((await look())?.strays).toEqual({ objects: 2, bytes: 13 });
    expect((await look({ afterSeq: 1 }))?.strays).toEqual(none);
    expect((await look({ skipDirectories: true }))?.strays).toEqual(none);
    expect((await look({ isOver: () => true }))?.strays).toEqual(none);
    world.driveOf(volume, 1).state = 'lost';
    expect(await look()).toMatchObject({ strays: none, unlisted: 1, unread: 0, spare: 0 });
  });
});

describe('a pack whose seal is pending', () => {
  /** Copies are on columns 1 and 2. */
  async function pending() {
    const made = await worldOf(true);
    const volume = await made.change({ dp: 1 });
    const look = (options: LookOptions = {}) => made.look(options, volume);
    const replace = (column: number, change: (bytes: Uint8Array) => Uint8Array | undefined) =>
      made.world.tamper(volume, column, (bytes, name) => (name === DIRECTORY_PACK_NAME ? change(bytes) : bytes));
    const note = (column: number, kind: DamageFound['kind']) =>
      noteDamage(made.world.components, volume, [
        { volume: volume.id, generation: 1, column, part: 'pack', kind, reason: 'DIRECTORY_FOREIGN' },
      ]);
    // The rows of its groups went with the seal that was done: without them nothing else is looked at.
    return { ...made, volume, look, replace, note };
  }
  const shown = (look: Awaited<ReturnType<typeof lookAtVolume>>) => ({
    pack: look?.pendingPack,
    damage: look?.damage.map(({ column, kind }) => [column, kind]),
    found: look?.found.map(({ column, kind }) => [column, kind]),
    healed: look?.healed.map(({ column, kind }) => [column, kind]),
  });
  const nothing = { damage: [], found: [], healed: [] };

  it('is counted as far as it is there, and what is not there is no damage', async () => {
    const { look, replace, world } = await pending();
    const bytes = world.reads.length;
    expect(shown(await look())).toEqual({ pack: { sound: 2, of: 2 }, ...nothing });
    expect(world.reads.length).toBeGreaterThan(bytes);
    await replace(1, () => undefined);
    expect(shown(await look())).toEqual({ pack: { sound: 1, of: 2 }, ...nothing });
    expect(shown(await look({ skipDirectories: true })).pack).toBeUndefined();
  });

  it('is damage where it is another, read whole or not', async () => {
    const { look, replace } = await pending();
    await replace(1, (pack) => flipped(pack, pack.length - 3, 2));
    for (const options of [{}, { read: true }])
      expect(shown(await look(options))).toEqual({
        pack: { sound: 1, of: 2 },
        damage: [[1, 'wrong']],
        found: [[1, 'wrong']],
        healed: [],
      });
  });

  it('keeps what was noted of it where it cannot be read, or was found not to be its own', async () => {
    const { look, note, world, volume } = await pending();
    await note(1, 'foreign');
    await note(2, 'wrong');
    expect(shown(await look())).toEqual({
      pack: { sound: 1, of: 2 },
      damage: [[1, 'foreign']],
      found: [],
      healed: [[2, 'wrong']],
    });
    for (const column of [1, 2]) world.driveOf(volume, column).state = 'lost';
    expect(shown(await look())).toEqual({
      pack: { sound: 0, of: 2 },
      damage: [
        [1, 'foreign'],
        [2, 'wrong'],
      ],
      found: [],
      healed: [],
    });
  });

  it('is not counted where its drive is away, and what nothing is known of is no damage', async () => {
    const { look, world, volume } = await pending();
    world.driveOf(volume, 1).state = 'lost';
    expect(shown(await look())).toEqual({ pack: { sound: 1, of: 2 }, ...nothing });
  });

  it('that is gone heals what was noted of it', async () => {
    const { look, note, replace } = await pending();
    await note(1, 'foreign');
    await replace(1, () => undefined);
    expect(shown(await look())).toEqual({ pack: { sound: 1, of: 2 }, damage: [], found: [], healed: [[1, 'foreign']] });
  });
});

describe('a volume beyond its code', () => {
  it('is lost as long as one of its buckets has something alive in it, or cannot be read', async () => {
    const { world, stored, volume, look } = await worldOf(true);
    for (const column of [0, 2])
      await world.tamper(volume, column, (bytes, name) => (name === DIRECTORY_PACK_NAME ? bytes : undefined));
    const key = bucketKey('c0', (stored[0] as Stored).bucket);
    const bucket = (set: Attributes) => world.panda.transact([{ kind: 'update', ...key, set }]);
    const told = async () => {
      const { spare, lostParts } = (await look()) ?? expect.fail('no look');
      return [spare, lostParts];
    };
    // The second group has nothing in the first column.
    const lost = [-1, [1]];
    expect(await told()).toEqual(lost);
    await bucket({ l: 0 });
    expect(await told()).toEqual([0, []]);
    await bucket({ l: 1 });
    expect(await told()).toEqual(lost);
    await bucket({ v: '00000000000000ee' });
    expect(await told()).toEqual([0, []]);
    await bucket({ l: 'no number' });
    expect(await told()).toEqual(lost);
    await world.panda.transact([{ kind: 'delete', ...key }]);
    expect(await told()).toEqual([0, []]);
  });
});
