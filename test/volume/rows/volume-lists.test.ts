// The lists of open and hot volumes, call by call: what is asked and written to mend them, and what is left alone.
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { VolumeId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { completed, listedKey, VOLUME_LISTS, type VolumeList } from '../../../lib/panda/rows/open-row.ts';
import {
  rebuiltVolumeAttributes,
  type VolumeRow,
  type VolumeState,
  volumeKey,
} from '../../../lib/panda/rows/volume-row.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { countHot, listedVolumes, mendVolumeLists, readListed } from '../../../lib/volume/rows/volume-lists.ts';
import { TINY } from '../../store/harness.ts';
import { ToldPanda } from './told-panda.ts';

const CELL = TINY.cell;
const NOW_MS = 5000;
const LOOK_AT_ALL = Array.from({ length: 16 }, (_, shard) => `query volume/${CELL}/${shard}`);
const LOOK = [`query open/${CELL}`, `query hot/${CELL}`, ...LOOK_AT_ALL];

const idOf = (n: number): VolumeId => n.toString(16).padStart(16, '0') as VolumeId;
const ids = (from: number, count: number): VolumeId[] => Array.from({ length: count }, (_, i) => idOf(from + i));

function storeOf(nowMs = NOW_MS) {
  const panda = new ToldPanda();
  const clock = new SimulatedClock(nowMs);
  const components = { panda, clock, randomness: new SeededRandomness(1), settings: TINY } as unknown as Components;
  const volume = (id: VolumeId, state: VolumeState, cls: VolumeRow['class']): Promise<void> => {
    const attributes = rebuiltVolumeAttributes({
      class: cls,
      codec: 'xor-2-1',
      generation: 1,
      extents: ['0:0:1', '1:0:1', '2:0:1'],
      token: 1,
      nextSeq: 1,
      extentUsedBytes: [0, 0, 0],
      buckets: new Set(),
      createdAtMs: 7,
      directoriesPending: false,
    });
    return panda.plant(volumeKey(CELL, id), { ...attributes, s: state });
  };
  const list = (of: VolumeList, ...listed: VolumeId[]): Promise<unknown> =>
    Promise.all(listed.map((id) => panda.plant(listedKey(of, CELL, id), { a: 7 })));
  const complete = async (...lists: VolumeList[]): Promise<void> => {
    for (const of of lists) {
      const { partition, sort, attributes } = completed(of, CELL, 1);
      await panda.plant({ partition, sort }, attributes);
    }
  };
  const listed = () => ({ open: panda.rowsIn(`open/${CELL}`), hot: panda.rowsIn(`hot/${CELL}`) });
  return { panda, components, volume, list, complete, listed };
}

describe('lists that are as they should be', () => {
  it('are read alone, and nothing is written', async () => {
    const { panda, components, volume, list, complete } = storeOf();
    await volume(idOf(1), 'open', 'warm');
    await volume(idOf(2), 'sealed', 'hot');
    await list('open', idOf(1));
    await list('hot', idOf(2));
    await complete(...VOLUME_LISTS);
    expect(await listedVolumes(components, 'open')).toEqual(new Set([idOf(1)]));
    expect(panda.taken()).toEqual([`query open/${CELL}`]);
    expect((await mendVolumeLists(components)).map(({ id }) => id)).toEqual([idOf(1), idOf(2)]);
    expect(panda.taken()).toEqual(LOOK);
  });
});

describe('lists of which rows are missing, or too many', () => {
  it('are mended, each row by itself, and said to be complete where they were not', async () => {
    const { panda, components, volume, list, complete, listed } = storeOf();
    await volume(idOf(1), 'open', 'hot');
    await volume(idOf(2), 'open', 'warm');
    await volume(idOf(3), 'draining', 'hot');
    await volume(idOf(4), 'trash', 'hot');
    await list('open', idOf(2), idOf(3), idOf(9));
    await list('hot', idOf(3), idOf(4));
    await complete('hot');
    const volumes = await mendVolumeLists(components);
    expect(volumes.map(({ id }) => id)).toEqual(ids(1, 4));
    const shard = (n: number) => `check ${volumeKey(CELL, idOf(n)).partition} ${idOf(n)}`;
    expect(panda.taken()).toEqual([
      ...LOOK,
      'getMany 1',
      `write ${shard(1)}, put open/${CELL} ${idOf(1)}`,
      `write delete open/${CELL} ${idOf(3)}`,
      `write delete open/${CELL} ${idOf(9)}`,
      'getMany 1',
      `write ${shard(1)}, put hot/${CELL} ${idOf(1)}`,
      `write delete hot/${CELL} ${idOf(4)}`,
      `write put open/${CELL} complete`,
    ]);
    const row = { a: 7 };
    expect(listed()).toEqual({
      open: { [idOf(1)]: row, [idOf(2)]: row, complete: { a: NOW_MS } },
      hot: { [idOf(1)]: row, [idOf(3)]: row, complete: { a: 1 } },
    });
  });

  it('are mended before they are read if nobody has said that they are complete', async () => {
    const { panda, components, volume } = storeOf();
    await volume(idOf(1), 'open', 'warm');
    expect(await listedVolumes(components, 'open')).toEqual(new Set([idOf(1)]));
    const calls = panda.taken();
    expect(calls.at(0)).toBe(`query open/${CELL}`);
    expect(calls.at(-1)).toBe(`query open/${CELL}`);
    expect(calls.filter((call) => call.startsWith('write put'))).toEqual([
      `write put open/${CELL} complete`,
      `write put hot/${CELL} complete`,
    ]);
  });

  it('get no second row of one that was listed while they were read', async () => {
    const { panda, components, volume, list, complete } = storeOf();
    await volume(idOf(1), 'open', 'warm');
    await volume(idOf(2), 'open', 'warm');
    await complete(...VOLUME_LISTS);
    panda.before = async (call) => {
      if (call === LOOK_AT_ALL[0]) await list('open', idOf(1));
    };
    await mendVolumeLists(components);
    const writes = panda.taken().filter((call) => call.startsWith('write'));
    expect(writes).toEqual([expect.stringContaining(`put open/${CELL} ${idOf(2)}`)]);
  });

  it('may name what is no volume: that is told of where somebody listens, and left alone', async () => {
    const { panda, components, complete, listed } = storeOf();
    await panda.plant({ partition: `open/${CELL}`, sort: 'what' }, { a: 1 });
    await complete(...VOLUME_LISTS);
    await expect(listedVolumes(components, 'open')).rejects.toMatchObject({ code: 'ROW_MALFORMED' });
    const told: string[] = [];
    const listening = { ...components, badRow: ({ sort }: { readonly sort: string }) => void told.push(sort) };
    panda.taken();
    expect(await listedVolumes(listening, 'open')).toEqual(new Set());
    expect(await mendVolumeLists(listening)).toEqual([]);
    expect(panda.taken()).toEqual([`query open/${CELL}`, ...LOOK]);
    expect([told, Object.keys(listed().open)]).toEqual([
      ['what', 'what'],
      ['complete', 'what'],
    ]);
  });

  it('do not get one that is sealed before its row is written', async () => {
    const { panda, components, volume, complete, listed } = storeOf();
    await volume(idOf(1), 'open', 'warm');
    await complete(...VOLUME_LISTS);
    panda.before = async (call) => {
      if (call.startsWith('write check')) await volume(idOf(1), 'sealed', 'warm');
    };
    expect(await mendVolumeLists(components)).toHaveLength(1);
    expect(Object.keys(listed().open)).toEqual(['complete']);
  });

  it('are looked at by a hundred keys at once', async () => {
    for (const [count, asked] of [
      [100, ['getMany 100']],
      [101, ['getMany 100', 'getMany 1']],
    ] as const) {
      const { panda, components, volume, complete, listed } = storeOf();
      for (const id of ids(1, count)) await volume(id, 'open', 'warm');
      await complete(...VOLUME_LISTS);
      await mendVolumeLists(components);
      expect(panda.taken().filter((call) => call.startsWith('getMany'))).toEqual(asked);
      expect(Object.keys(listed().open)).toHaveLength(count + 1);
    }
  });

  it('have a time of completeness that is none before 1970', async () => {
    const { components, listed } = storeOf(-5);
    await mendVolumeLists(components);
    expect(listed()).toEqual({ open: { complete: { a: 0 } }, hot: { complete: { a: 0 } } });
  });
});

describe('an answer that is lost', () => {
  const writesOf = (panda: ToldPanda) => panda.taken().filter((call) => call.startsWith('write'));

  it('of a row that was missing is taken for a yes: the next look tells', async () => {
    const { panda, components, volume, complete, listed } = storeOf();
    await volume(idOf(1), 'open', 'warm');
    await complete(...VOLUME_LISTS);
    panda.answers = ['undone'];
    await mendVolumeLists(components);
    expect(writesOf(panda)).toHaveLength(1);
    expect(Object.keys(listed().open)).toEqual(['complete']);
  });

  it('of a row that is too much, or of completeness, is asked for again', async () => {
    const { panda, components, list, complete, listed } = storeOf();
    await list('open', idOf(9));
    await complete('open');
    panda.answers = ['undone', 'sound', 'undone'];
    await mendVolumeLists(components);
    const deleted = `write delete open/${CELL} ${idOf(9)}`;
    const said = `write put hot/${CELL} complete`;
    expect(writesOf(panda)).toEqual([deleted, deleted, said, said]);
    expect(listed()).toEqual({ open: { complete: { a: 1 } }, hot: { complete: { a: expect.any(Number) } } });
  });

  it('that is none but a refusal comes out', async () => {
    const { panda, components, volume } = storeOf();
    await volume(idOf(1), 'open', 'warm');
    const full = retryLater('PANDA_FULL', 'full');
    panda.answers = [full];
    await expect(mendVolumeLists(components)).rejects.toBe(full);
  });
});

describe('volumes of a list', () => {
  it('are read in the order asked; of those that belong there no more the rows go', async () => {
    const { panda, components, volume, list, listed } = storeOf();
    await volume(idOf(1), 'open', 'warm');
    await volume(idOf(2), 'sealed', 'warm');
    await volume(idOf(3), 'open', 'warm');
    await list('open', ...ids(1, 4));
    const read = await readListed(components, 'open', [idOf(3), idOf(2), idOf(4), idOf(1)]);
    expect(read.map(({ id }) => id)).toEqual([idOf(3), idOf(1)]);
    expect(panda.taken()).toEqual([
      'getMany 4',
      `write delete open/${CELL} ${idOf(2)}`,
      `write delete open/${CELL} ${idOf(4)}`,
    ]);
    expect(Object.keys(listed().open)).toEqual([idOf(1), idOf(3)]);
  });

  it('are read a hundred at once, and none if none are asked for', async () => {
    const { panda, components, volume } = storeOf();
    for (const id of ids(1, 101)) await volume(id, 'open', 'warm');
    expect(await readListed(components, 'open', [])).toEqual([]);
    expect(panda.taken()).toEqual([]);
    expect(await readListed(components, 'open', ids(1, 100))).toHaveLength(100);
    expect(panda.taken()).toEqual(['getMany 100']);
    const read = await readListed(components, 'open', ids(1, 101));
    expect(read.map(({ id }) => id)).toEqual(ids(1, 101));
    expect(panda.taken()).toEqual(['getMany 100', 'getMany 1']);
  });
});

describe('hot volumes', () => {
  it('are counted by their list, and looked at only where they seem to be more than enough', async () => {
    const { panda, components, volume, list, complete } = storeOf();
    await volume(idOf(1), 'open', 'hot');
    await volume(idOf(2), 'draining', 'hot');
    await list('hot', ...ids(1, 3));
    await complete(...VOLUME_LISTS);
    expect(await countHot(components, 4)).toBe(3);
    expect(await countHot(components, 3)).toBe(3);
    expect(panda.taken()).toEqual([`query hot/${CELL}`, `query hot/${CELL}`]);
    expect(await countHot(components, 2)).toBe(2);
    expect(panda.taken()).toEqual([`query hot/${CELL}`, 'getMany 3', `write delete hot/${CELL} ${idOf(3)}`]);
    expect(await countHot(components, 1)).toBe(2);
  });
});
