// What is noted of a drive that lost nothing is believed only of what a repair could not bring there.
import { describe, expect, it } from 'vitest';
import { chunkName } from '../../../lib/format/object-names.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { newVolumeAttributes } from '../../../lib/panda/rows/volume-row.ts';
import { Disk } from '../ports/disk.ts';
import { isLeftByRepair, movedBy, type NotedAt } from './damage.ts';

const extent = { drive: 0, zone: 7, zoneGeneration: 3 };
const missing: NotedAt = { part: 2, kind: 'missing', extent };

async function worldOf(names: readonly string[]) {
  const disk = new Disk('d0');
  for (const name of names) await disk.append({ zone: 7, generation: 3 }, name, [new Uint8Array(9)]);
  return { movedExtents: new Set(['0:7:3']), disks: [disk] };
}

describe('what is noted missing where a repair put a column', () => {
  it('is left by it if it is not there', async () => {
    const world = await worldOf([chunkName(1, 2), chunkName(12, 2)]);
    expect(isLeftByRepair(world, missing)).toBe(true);
    expect(isLeftByRepair(world, { ...missing, part: 'pack' })).toBe(true);
    expect(isLeftByRepair(await worldOf([]), missing)).toBe(true);
  });

  it('is not, if it is there', async () => {
    expect(isLeftByRepair(await worldOf([chunkName(2, 5)]), missing)).toBe(false);
    expect(isLeftByRepair(await worldOf(['dirs']), { ...missing, part: 'pack' })).toBe(false);
  });

  it('nor if it is another damage, or no repair put the column there', async () => {
    const world = await worldOf([]);
    expect(isLeftByRepair(world, { ...missing, kind: 'wrong' })).toBe(false);
    expect(isLeftByRepair({ ...world, movedExtents: new Set() }, missing)).toBe(false);
  });
});

describe('extents that an update moves', () => {
  const extents = [0, 1, 2].map((drive) => ({ drive, zone: 0, zoneGeneration: 1 }));
  const row: Row = {
    partition: 'volume/c0/9',
    sort: '93a4be17fef8b29d',
    attributes: newVolumeAttributes({ class: 'hot', codec: 'xor-2-1', extents, createdAtMs: 1, token: 1 }),
  } as Row;
  const update = { kind: 'update', partition: row.partition, sort: row.sort } as const;

  it('are those of a repair that are others than before, and none of a flip', () => {
    const x = ['0:0:1', '5:6:1', '2:0:1'];
    expect(movedBy({ ...update, set: { x } }, row)).toEqual([{ drive: 5, zone: 6, zoneGeneration: 1 }]);
    expect(movedBy({ ...update, set: { x, g: 2 } }, row)).toEqual([]);
    expect(movedBy({ ...update, set: { t: 2 } }, row)).toEqual([]);
  });
});
