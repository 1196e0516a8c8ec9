// Which generation of a volume a rebuild takes, and which of two groups with one number, when the drives show several.
import { afterEach, describe, expect, it } from 'vitest';
import { chooseGenerations } from '../../lib/engine/rebuild/choose-generations.ts';
import { Sorter } from '../../lib/engine/rebuild/sorter.ts';

const sorters: Sorter[] = [];
afterEach(async () => {
  for (const sorter of sorters.splice(0)) await sorter.close();
});

interface Shown {
  readonly volume: string;
  readonly generation: number;
  readonly sequence: number;
  readonly token?: number;
  /** Zone of each column of three; one that is not there has none. */
  readonly zones: readonly (number | undefined)[];
  readonly zoneGeneration?: number;
  /** Named blocks, one letter each. */
  readonly blocks: string;
}

/** The names of those that are left. */
function left(shown: Readonly<Record<string, Shown>>): string[] {
  const sorter = Sorter.open(':memory:');
  sorters.push(sorter);
  const names = new Map<number, string>();
  for (const [
    i,
    [name, { volume, generation, sequence, token = 1, zones, zoneGeneration = 1, blocks }],
  ] of Object.entries(shown).entries()) {
    const id = i + 1;
    names.set(id, name);
    sorter.run(
      "INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?, 'move', 'xor-2-1', '[9,9,9]', '', 1, ?)",
      ...[id, volume, generation, sequence, token, name, zones.filter((zone) => zone !== undefined).length > 1 ? 1 : 0],
    );
    for (const [column, zone] of zones.entries())
      if (zone !== undefined) {
        sorter.run('INSERT INTO chunks VALUES (?, ?, ?)', id, column, `${column}:${zone}:${zoneGeneration}`);
        sorter.run('INSERT OR IGNORE INTO zones VALUES (?, ?, ?, 9, 0)', column, zone, zoneGeneration);
      }
    for (const [slot, block] of [...blocks].entries()) {
      sorter.run('INSERT INTO records VALUES (?, 0, ?, ?, ?, 0, 0, 9)', `bucket ${name}`, id, slot, block);
      sorter.run('INSERT OR IGNORE INTO named VALUES (?, ?, ?)', block, block, 'bucket');
    }
  }
  chooseGenerations(sorter);
  const groups = sorter.all<{ id: number }>('SELECT id FROM groups ORDER BY id').map(({ id }) => id);
  expect(sorter.all('SELECT DISTINCT groupId AS id FROM records ORDER BY groupId')).toEqual(
    groups.map((id) => ({ id })),
  );
  return groups.map((id) => names.get(id) as string);
}

const host = { volume: 'h', generation: 1, sequence: 1, zones: [1, 1, 1] };
const next = { volume: 'h', generation: 2, sequence: 1, zones: [2, 2, 2] };
const donor = { volume: 'd', generation: 1, sequence: 1, zones: [3, 3, 3] };

describe('a volume that the drives show in several generations', () => {
  it('is the newer one if that alone has something, though more was in the older one', () => {
    expect(left({ old: { ...host, blocks: 'abcde' }, now: { ...next, blocks: 'ax' } })).toEqual(['now']);
  });

  it('is the older one while what came is still with its donor, and not all was copied', () => {
    const shown = { old: { ...host, blocks: 'abc' }, now: { ...next, blocks: 'ab' }, from: { ...donor, blocks: 'x' } };
    expect(left(shown)).toEqual(['old', 'from']);
  });

  it('is the newer one where both will do, and something of the older one is gone', () => {
    const shown = {
      old: { ...host, zones: [1, undefined, 1], blocks: 'ab' },
      now: { ...next, blocks: 'ab' },
    };
    expect(left(shown)).toEqual(['now']);
  });

  it('goes by what is left once another volume is decided', () => {
    // Of the donor, which was topped off itself, the older generation has what the host took: the donor is the newer.
    const shown = {
      old: { ...host, blocks: 'abc' },
      now: { ...next, blocks: 'abx' },
      donorOld: { ...donor, blocks: 'xy' },
      donorNow: { ...donor, generation: 2, zones: [4, 4, 4], blocks: 'yz' },
    };
    expect(left(shown)).toEqual(['now', 'donorNow']);
  });

  it('is one try at a generation, and not the chunks of two', () => {
    const shown = {
      dropped: { ...next, zones: [7, 7, 7], blocks: 'ab' },
      done: { ...next, blocks: 'abx' },
      more: { ...next, sequence: 2, blocks: 'y' },
    };
    expect(left(shown)).toEqual(['done', 'more']);
  });

  it('keeps what a repair has put elsewhere with the rest', () => {
    const shown = { one: { ...host, blocks: 'ab' }, moved: { ...host, sequence: 2, zones: [1, 5, 1], blocks: 'c' } };
    expect(left(shown)).toEqual(['one', 'moved']);
  });
});

it('of two proposals with one number the one that has something alone is left, whatever its token', () => {
  const shown = {
    committed: { ...host, blocks: 'abx' },
    stray: { ...host, token: 2, blocks: 'ab' },
    another: { ...donor, blocks: 'ab' },
  };
  expect(left(shown)).toEqual(['committed', 'another']);
});

describe('a zone that shows two generations', () => {
  const old = { ...host, zones: [1, undefined, 1] };
  const young = { ...donor, zones: [1, 1, 3], zoneGeneration: 2 };

  it('is of the younger one, as chunks may come late to what was erased', () => {
    expect(left({ late: { ...old, blocks: 'ab' }, now: { ...young, blocks: 'x' } })).toEqual(['now']);
    expect(left({ late: { ...old, blocks: 'a' }, now: { ...young, blocks: 'a' } })).toEqual(['now']);
  });

  it('is of the older one if only that has what is nowhere else: a restore gave up the younger one', () => {
    const shown = { kept: { ...old, blocks: 'ab' }, givenUp: { ...young, blocks: 'b' } };
    expect(left(shown)).toEqual(['kept']);
    const another = { ...host, volume: 'o', zones: [8, 8, 8], blocks: 'x' };
    expect(left({ ...shown, givenUp: { ...young, blocks: 'bx' }, another })).toEqual(['kept', 'another']);
  });

  it('leaves out a volume once, and what shared another zone with it stays', () => {
    const shown = {
      late: { ...old, zones: [1, 2, 1], blocks: 'ab' },
      one: { ...young, zones: [1, undefined, 5], blocks: 'x' },
      two: { ...young, volume: 'e', zones: [6, 2, 6], blocks: 'y' },
    };
    expect(left(shown)).toEqual(['one', 'two']);
  });
});
