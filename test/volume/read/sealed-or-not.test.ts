// Where the slots of a bucket are asked for, by what the row of its volume says, and what is remembered of an answer that may change.
import { describe, expect, it } from 'vitest';
import { DIRECTORY_PACK_NAME } from '../../../lib/format/object-names.ts';
import { groupPartition } from '../../../lib/panda/rows/group-row.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';

/** Packs are on these columns of xor-2-1. */
const [FIRST, SECOND] = [1, 2];

async function sealed({ moved = false, keepsRows = false } = {}) {
  const world = new ReadingWorld({ ...(moved ? { hot: 'replica-4' } : {}), warm: 'xor-2-1' });
  const stored = moved ? await world.virtualBucket([300, 40]) : await world.append([300, 40]);
  if (moved) await world.move([stored]);
  const [first] = stored as [Stored, ...Stored[]];
  const open = await world.volumeOf(first);
  const rows = world.panda.snapshot().filter(({ partition }) => partition === groupPartition(open.id, 1));
  await world.store.open.sealAll('warm');
  if (keepsRows) for (const row of rows) await world.panda.transact([{ kind: 'put', ...row }]);
  const volume = await world.volumeOf(first);
  const bucket = await world.bucketRow(first.bucket);
  world.restart();
  let packs: (readonly [number, Uint8Array])[] = [];
  const takePacks = async (...columns: number[]): Promise<void> => {
    packs = [];
    for (const column of columns)
      await world.tamper(volume, column, (bytes, name) => {
        if (name !== DIRECTORY_PACK_NAME) return bytes;
        packs.push([column, bytes.slice()]);
        return undefined;
      });
  };
  const putBack = async (): Promise<void> => {
    for (const [column, bytes] of packs) {
      const { drive, zone, zoneGeneration } = volume.extents[column] as VolumeRow['extents'][number];
      await world.media[drive]?.append({ zone, generation: zoneGeneration }, DIRECTORY_PACK_NAME, [bytes]);
    }
  };
  /** Slots that are found, columns that failed, and objects that are asked for. */
  const ask = async (of: Partial<VolumeRow> = {}) => {
    world.reads = [];
    const { entries, lost } = await world.store.directories.bucketPart({ ...volume, ...of }, bucket);
    const names = world.reads.map((detail) =>
      detail
        .split('/')
        .at(-1)
        ?.replace(/^dir-.*/, 'dir-'),
    );
    return [[...entries].length, lost?.columns.sort((a, b) => a - b), names];
  };
  return { world, volume, ask, takePacks, putBack };
}

const PACK = DIRECTORY_PACK_NAME;

describe('a bucket that was never moved', () => {
  it('is asked for in the pack of a sealed volume, and in its groups where that is open, or has none', async () => {
    const { ask, volume, world } = await sealed({ keepsRows: true });
    expect(await ask()).toEqual([2, undefined, [PACK]]);
    world.restart();
    expect(await ask({ state: 'draining' })).toEqual([2, undefined, [PACK]]);
    world.restart();
    expect(await ask({ state: 'open' })).toEqual([2, undefined, ['1-1', '1-1']]);
    world.restart();
    expect(await ask({ class: 'hot' })).toEqual([2, undefined, ['1-1', '1-1']]);
    world.restart();
    expect(await ask({ directoriesPending: true })).toEqual([2, undefined, ['1-1', '1-1']]);
    expect(volume).toMatchObject({ class: 'warm', state: 'sealed', directoriesPending: false });
  });

  it('is asked for in the pack after all where its groups are gone, if there may be one', async () => {
    const { ask, world } = await sealed();
    expect(await ask({ directoriesPending: true })).toEqual([2, undefined, [PACK]]);
    world.restart();
    expect(await ask({ state: 'open' })).toEqual([0, [], []]);
    expect(await ask({ class: 'hot' })).toEqual([0, [], []]);
  });

  it('is lost with the columns of the pack where nothing leads to its groups', async () => {
    const { ask, takePacks, world, volume } = await sealed();
    await takePacks(FIRST);
    world.driveOf(volume, SECOND).state = 'lost';
    expect(await ask()).toEqual([0, [FIRST, SECOND], [PACK, 'dir-', PACK]]);
    // A drive that is believed away is asked last.
    expect(await ask()).toEqual([0, [FIRST, SECOND], ['dir-', PACK]]);
  });

  it('is asked for in the next copy at once where one is cut, however short it is', async () => {
    for (const left of [70, 63, 0]) {
      const { ask, world, volume } = await sealed();
      await world.tamper(volume, FIRST, (bytes, name) => (name === DIRECTORY_PACK_NAME ? bytes.slice(0, left) : bytes));
      expect(await ask()).toEqual([2, undefined, [PACK, PACK]]);
    }
  });

  it('is read from its groups where the pack cannot be had', async () => {
    const { ask, takePacks } = await sealed({ keepsRows: true });
    await takePacks(FIRST, SECOND);
    expect(await ask()).toEqual([2, undefined, [PACK, 'dir-', PACK, 'dir-', '1-1', '1-1']]);
  });
});

describe('a bucket that was moved', () => {
  it('is in the group that its row names where the pack cannot be had, or is pending', async () => {
    const { ask, takePacks, world, volume } = await sealed({ moved: true });
    expect(await ask({ directoriesPending: true })).toEqual([2, undefined, ['1-1', '1-1']]);
    world.restart();
    await takePacks(FIRST, SECOND);
    expect(await ask()).toEqual([2, undefined, [PACK, 'dir-', PACK, 'dir-', '1-1', '1-1']]);
    for (const column of [0, 1, 2]) world.driveOf(volume, column).state = 'lost';
    world.restart();
    const [slots, lost] = await ask();
    expect([slots, lost]).toEqual([0, [0, 1, 2]]);
  });
});

describe('a pack that is not there', () => {
  it('may come as long as the seal is pending, and is not asked for again once that is over', async () => {
    const pending = await sealed();
    await pending.takePacks(FIRST, SECOND);
    const of = { directoriesPending: true };
    expect(await pending.ask(of)).toEqual([0, [FIRST, SECOND], [PACK, 'dir-', PACK, 'dir-']]);
    await pending.putBack();
    expect(await pending.ask(of)).toEqual([2, undefined, [PACK]]);
    const over = await sealed();
    await over.takePacks(FIRST, SECOND);
    expect(await over.ask()).toEqual([0, [FIRST, SECOND], [PACK, 'dir-', PACK, 'dir-']]);
    await over.putBack();
    expect(await over.ask()).toEqual([0, [FIRST, SECOND], ['dir-', 'dir-']]);
    // A repair, another generation, and whoever forgets the volume look anew.
    expect(await over.ask({ revision: 1 })).toEqual([2, undefined, [PACK]]);
    over.world.store.directories.forget(over.volume);
    expect(await over.ask()).toEqual([2, undefined, [PACK]]);
    expect(await over.ask()).toEqual([2, undefined, []]);
    expect(await over.ask({ generation: 2 })).toEqual([0, [FIRST, SECOND], [PACK, PACK]]);
  });
});

describe('a column that is rebuilt', () => {
  it('is damaged beyond that where the record would lie behind its end, or nothing tells how long columns are', async () => {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const [stored] = (await world.append([300, 290])) as [Stored, Stored];
    const volume = await world.volumeOf(stored);
    const lost = {
      code: 'RECORD_LOST',
      message: `record ${stored.recordId} of volume ${volume.id} is damaged, and what can be rebuilt does not verify`,
    };
    const at = (offset: number) => world.restart().records.read({ ...stored, hint: { ...stored.hint, offset } });
    expect(await at(0)).toEqual(stored.record);
    for (const offset of [64, 6400]) await expect(at(offset)).rejects.toMatchObject(lost);
    const others = [0, 1, 2].filter((column) => column !== stored.hint.column);
    await world.tamper(volume, stored.hint.column, () => undefined);
    for (const column of others)
      await world.tamper(volume, column, (bytes) => bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)));
    expect(await at(0)).toEqual(stored.record);
    for (const { partition, sort } of world.panda.snapshot())
      if (partition.startsWith('group/')) await world.panda.transact([{ kind: 'delete', partition, sort }]);
    await expect(at(0)).rejects.toMatchObject(lost);
  });
});
