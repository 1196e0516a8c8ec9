// What a pass of repairs plans: which volumes, in which order, which are sealed first, and whose claims are given up.
import { expect, it } from 'vitest';
import type { RunId, VolumeId } from '../../lib/foundation/ids.ts';
import type { DamageRow } from '../../lib/panda/rows/damage-row.ts';
import type { DriveRow, DriveState } from '../../lib/panda/rows/drives/drive-row.ts';
import { VOLUME_STATES, type VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { planOf } from '../../lib/volume/repair/repair-store.ts';

/** Of `xor-2-1`, on three drives; each column holds so many bytes. */
const volume = (
  id: string,
  drives: readonly number[],
  bytes: readonly number[],
  changes: Partial<VolumeRow> = {},
): VolumeRow =>
  ({
    id: id as VolumeId,
    codec: 'xor-2-1',
    state: 'sealed',
    generation: 3,
    extents: drives.map((drive) => ({ drive, zone: 0, zoneGeneration: 1 })),
    extentUsedBytes: bytes,
    ...changes,
  }) as VolumeRow;

const drivesOf = (states: Readonly<Record<number, DriveState>>): Map<number, DriveRow> =>
  new Map(
    Object.entries(states).map(([drive, state]) => [
      Number(drive),
      { drive: Number(drive), state, change: 1, sinceMs: 0, domain: undefined },
    ]),
  );

const damage = (id: string, column: number, kind: DamageRow['kind'], changes: Partial<DamageRow> = {}): DamageRow => ({
  volume: id as VolumeId,
  generation: 3,
  column,
  part: 1,
  kind,
  sinceMs: 0,
  reason: 'CHUNK_MISSING',
  ...changes,
});

const CLAIM = { generation: 3, extents: new Map() };
const LOST = { code: 'DRIVE_LOST', text: 'drive 0 is lost' };

it('nothing is planned for volumes that are where they should be', () => {
  const sound = [volume('a', [0, 1, 2], [1, 2, 3]), volume('b', [1, 2, 3], [1, 2, 3], { state: 'open' })];
  const nothing = { repairs: [], open: [], abandoned: [], bytes: 0 };
  expect(planOf([], new Map(), [])).toEqual(nothing);
  expect(planOf(sound, drivesOf({ 0: 'active', 2: 'active', 7: 'lost' }), [])).toEqual(nothing);
});

it('what survives least comes first, of those the smallest, and of those the first by name', () => {
  const volumes = [
    volume('e', [0, 1, 2], [50, 1, 1]),
    volume('d', [3, 4, 5], [1, 1, 9]),
    volume('c', [0, 1, 2], [40, 1, 1]),
    volume('b', [3, 4, 5], [1, 1, 9]),
    volume('a', [0, 1, 2], [60, 70, 1]),
  ];
  const rows = [damage('a', 1, 'wrong'), damage('b', 2, 'missing'), damage('d', 2, 'missing')];
  // `b` and `d` miss something of one column each, as `c` and `e` do; `a` of two, which is more than it survives.
  const plan = planOf(volumes, drivesOf({ 0: 'lost' }), rows);
  expect(plan.repairs.map((one) => [one.volume.id, one.spare, one.bytes])).toEqual([
    ['a', -1, 130],
    ['b', 0, 9],
    ['d', 0, 9],
    ['c', 0, 40],
    ['e', 0, 50],
  ]);
  expect(plan).toMatchObject({ open: [], abandoned: [], bytes: 238 });
  const missing = { code: 'OBJECTS_DAMAGED', text: '1 of its objects are missing' };
  const wrong = { code: 'OBJECTS_DAMAGED', text: '1 of its objects are not as they were written' };
  expect(plan.repairs.slice(0, 3).map(({ columns }) => columns)).toEqual([
    [
      { column: 0, how: 'move', reason: LOST },
      { column: 1, how: 'move', reason: wrong },
    ],
    [{ column: 2, how: 'fill', reason: missing }],
    [{ column: 2, how: 'fill', reason: missing }],
  ]);
});

it('a drive that is emptied takes nothing from what a volume survives', () => {
  const { repairs } = planOf([volume('a', [0, 1, 2], [5, 6, 7])], drivesOf({ 1: 'draining' }), []);
  const reason = { code: 'DRIVE_DRAINING', text: 'drive 1 is being emptied' };
  expect(repairs.map(({ volume: of, ...rest }) => rest)).toEqual([
    { columns: [{ column: 1, how: 'move', reason }], spare: 1, bytes: 6 },
  ]);
});

it('damage is of a volume, a generation and a column; all of it missing is filled in, and anything else moves it', () => {
  const volumes = [volume('a', [0, 1, 2], [5, 6, 7]), volume('b', [0, 1, 2], [5, 6, 7])];
  const rows = [
    damage('a', 2, 'missing'),
    damage('a', 2, 'short', { part: 2 }),
    damage('a', 1, 'wrong', { generation: 2 }),
    damage('b', 0, 'missing', { part: 'pack' }),
    damage('b', 0, 'missing'),
    damage('c', 1, 'wrong'),
  ];
  const { repairs } = planOf(volumes, new Map(), rows);
  expect(
    repairs.map((one) => [one.volume.id, one.columns.map(({ column, how, reason }) => [column, how, reason.text])]),
  ).toEqual([
    ['b', [[0, 'fill', '2 of its objects are missing']]],
    ['a', [[2, 'move', '2 of its objects are not as they were written']]],
  ]);
});

it('an open volume is sealed first if a column of it is to be made elsewhere, and left if it only misses something', () => {
  const open = { state: 'open' } as const;
  const volumes = [
    volume('a', [0, 1, 2], [5, 6, 7], open),
    volume('b', [1, 2, 3], [5, 6, 7], open),
    volume('c', [1, 2, 3], [5, 6, 7], open),
  ];
  const rows = [damage('b', 1, 'missing'), damage('c', 1, 'foreign')];
  const plan = planOf(volumes, drivesOf({ 0: 'lost' }), rows);
  expect(plan.repairs.map((one) => one.volume.id)).toEqual(['a', 'c']);
  expect(plan).toMatchObject({ open: ['a', 'c'], abandoned: [], bytes: 11 });
});

it.each(VOLUME_STATES)('of volumes that are %s, those that hold data are repaired', (state) => {
  const plan = planOf([volume('a', [0, 1, 2], [5, 6, 7], { state })], drivesOf({ 0: 'retired' }), []);
  expect(plan.repairs).toHaveLength(state === 'trash' || state === 'erasing' ? 0 : 1);
  expect(plan.open).toEqual(state === 'open' ? ['a'] : []);
});

it('the claim of a sealed volume is given up that no repair wants and no run has', () => {
  const run = 'repair/p0/000000000001' as RunId;
  const at = [1, 2, 3] as const;
  const volumes = [
    volume('a', at, [1, 1, 1], { repair: CLAIM }),
    volume('b', at, [1, 1, 1], { repair: CLAIM, run }),
    volume('c', at, [1, 1, 1], { repair: CLAIM, state: 'draining' }),
    volume('d', at, [1, 1, 1]),
    volume('e', [0, 2, 3], [1, 1, 1], { repair: CLAIM }),
    volume('f', at, [1, 1, 1], { repair: CLAIM }),
  ];
  const plan = planOf(volumes, drivesOf({ 0: 'lost' }), []);
  expect(plan.repairs.map((one) => one.volume.id)).toEqual(['e']);
  expect(plan.abandoned).toEqual(['a', 'f']);
});
