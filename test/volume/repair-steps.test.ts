// Every step of a repair on rows is done if nothing happened since they were read, and refused if any one thing did.
import { expect } from 'vitest';
import type { BucketId, RunId, VolumeId } from '../../lib/foundation/ids.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Key } from '../../lib/panda/panda.ts';
import { discardFromRow, discardKey } from '../../lib/panda/rows/drives/discard-row.ts';
import {
  type Extent,
  newVolumeAttributes,
  type VolumeRow,
  volumeFromRow,
  volumeKey,
} from '../../lib/panda/rows/volume-row.ts';
import { claimRepairWrites, commitRepairWrites, undoRepairWrites } from '../../lib/volume/steps/repair-steps.ts';
import { type Meanwhile, type Rows, step } from './one-step.ts';

const CELL = 'c0';
const volume = '00000000000000a0' as VolumeId;
const bucket = '00000000000000b0' as BucketId;
const run = 'repair/me/1' as RunId;
const NOW_MS = 5_000;
const at: Key = volumeKey(CELL, volume);
const extents: readonly Extent[] = [0, 1, 2].map((drive) => ({ drive, zone: 7, zoneGeneration: 3 }));
const claimed = new Map<number, Extent>([
  [0, { drive: 4, zone: 8, zoneGeneration: 1 }],
  [2, { drive: 5, zone: 9, zoneGeneration: 2 }],
]);
const draining: Attributes = {
  ...newVolumeAttributes({ class: 'warm', codec: 'xor-2-1', extents, createdAtMs: 1_000, token: 4 }),
  ...{ u: [10, 20, 30], s: 'draining', r: run, n: 6, z: 1_000, b: new Set([bucket]), rv: 2 },
};
const texts = [...claimed].map(
  ([column, { drive, zone, zoneGeneration }]) => `${column}=${drive}:${zone}:${zoneGeneration}`,
);
const rowOf = (attributes: Attributes): VolumeRow => volumeFromRow({ ...at, attributes });
const now = async (panda: MemoryPanda): Promise<VolumeRow> => {
  const row = await panda.get(at);
  return volumeFromRow(row ?? expect.fail('the volume is gone'));
};
const taken: Meanwhile = {
  'another run took it over': [at, { r: 'another' }],
  'the run gave it back': [at, { s: 'sealed' }],
};
const flipped: Meanwhile = { 'a flip gave it another generation': [at, { g: 2 }] };
const replaced: Meanwhile = { 'another repair replaced an extent': [at, { rv: 3 }] };

step(
  'CLAIM of a repair',
  [[at, draining]],
  () => claimRepairWrites(CELL, run, rowOf(draining), claimed, []),
  { ...taken, ...flipped, ...replaced, 'another repair was begun': [at, { rg: 1, rx: texts }] },
  async (panda) => {
    expect((await now(panda)).repair).toEqual({ generation: 1, extents: claimed });
  },
);

const repairing: Attributes = { ...draining, rg: 1, rx: texts };
const given: Meanwhile = { 'it was given up': [at, { rg: 3 }] };
const usedBytes = new Map([[2, 33]]);
const discardOf = async (panda: MemoryPanda, extent: Extent) => {
  const row = await panda.get(discardKey(extent));
  return row === undefined ? undefined : discardFromRow(row);
};

for (const arePending of [false, true]) {
  const row: Attributes = arePending ? { ...repairing, dp: 1 } : repairing;
  const rows: Rows = [[at, row]];
  step(
    `COMMIT of one column of a repair, directories ${arePending ? 'pending' : 'written'}`,
    rows,
    () => commitRepairWrites(CELL, run, rowOf(row), { columns: [2], usedBytes }, NOW_MS),
    {
      ...taken,
      ...flipped,
      ...replaced,
      ...given,
      'its directories are others now': [at, arePending ? { dp: 0 } : { dp: 1 }],
      'the extent is to be discarded already': [discardKey(extents[2] as Extent), { v: volume, a: 1 }],
    },
    async (panda) => {
      const after = await now(panda);
      expect(after.extents).toEqual([extents[0], extents[1], claimed.get(2)]);
      expect([after.extentUsedBytes, after.revision]).toEqual([[10, 20, 33], 3]);
      expect(after.repair).toEqual({ generation: 1, extents: new Map([[0, claimed.get(0)]]) });
      expect(await discardOf(panda, extents[2] as Extent)).toMatchObject({ volume, column: 2, sinceMs: NOW_MS });
      expect(await discardOf(panda, extents[0] as Extent)).toBeUndefined();
    },
  );
}

step(
  'COMMIT of all columns of a repair',
  [[at, repairing]],
  () => commitRepairWrites(CELL, run, rowOf(repairing), { columns: [0, 2], usedBytes }, NOW_MS),
  { ...taken, ...flipped, ...replaced, ...given },
  async (panda) => {
    const after = await now(panda);
    // What nobody measured stays as it was.
    expect([after.repair, after.extentUsedBytes]).toEqual([undefined, [10, 20, 33]]);
    expect(after.extents).toEqual([claimed.get(0), extents[1], claimed.get(2)]);
  },
);

for (const byRun of [true, false])
  step(
    `giving up a repair ${byRun ? 'under its run' : 'of a volume in trash'}`,
    [[at, byRun ? repairing : { ...repairing, s: 'trash' }]],
    () => undoRepairWrites(CELL, byRun ? run : undefined, rowOf(repairing), NOW_MS),
    { ...(byRun ? taken : {}), ...replaced, ...given },
    async (panda) => {
      expect((await now(panda)).repair).toBeUndefined();
      for (const [column, extent] of claimed)
        expect(await discardOf(panda, extent)).toMatchObject({ volume, column, sinceMs: NOW_MS });
    },
  );
