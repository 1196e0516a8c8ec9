// The steps of a repair on rows (protocols 24 and 26), pure: extents claimed for columns that are to be made again,
// committed or given up. Rows that were read go in, writes with their conditions come out.
import { assert } from '../../foundation/assert.ts';
import type { RunId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import { type DiscardRow, discardAttributes, discardKey } from '../../panda/rows/drives/discard-row.ts';
import {
  beginRepair,
  directoriesAreAs,
  drainsUnder,
  endRepair,
  generationIs,
  hasNoRepair,
  repairIsOf,
  replaceExtents,
  revisionIs,
} from '../../panda/rows/volume-changes.ts';
import { type Extent, type RepairInMaking, type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';

type Host = Pick<VolumeRow, 'id' | 'generation' | 'revision'>;

/** CLAIM (24): the columns to be made again have extents of their own. `zoneWrites` take them. */
export const claimRepairWrites = (
  cell: string,
  run: RunId,
  { id, generation, revision }: Host,
  extents: RepairInMaking['extents'],
  zoneWrites: readonly Write[],
): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, id),
    ...beginRepair({ generation, extents }),
    if: [...drainsUnder(run), generationIs(generation), revisionIs(revision), hasNoRepair],
  },
  ...zoneWrites,
];

/**
 * COMMIT (26): `columns` are where they were made again, and the extents they had are to be discarded; other columns
 * that are in the making stay so. `usedBytes`: of each of them, in its new place. Not if its directories were written
 * meanwhile: nobody has copied them, and the rows that named its groups go.
 */
export function commitRepairWrites(
  cell: string,
  run: RunId,
  volume: VolumeRow,
  { columns, usedBytes }: { readonly columns: readonly number[]; readonly usedBytes: ReadonlyMap<number, number> },
  nowMs: number,
): Write[] {
  const { id, generation, revision, repair } = volume;
  assert(repair?.generation === generation, 'a repair of this generation is in the making');
  assert(columns.length > 0 && columns.every((column) => repair.extents.has(column)), 'they are of it');
  const goes = (column: number): boolean => columns.includes(column);
  const extents = volume.extents.map(
    (extent, column) => (goes(column) ? repair.extents.get(column) : extent) as Extent,
  );
  const used = volume.extentUsedBytes.map((bytes, column) => (goes(column) ? usedBytes.get(column) : bytes) ?? bytes);
  const rest = { generation, extents: new Map([...repair.extents].filter(([column]) => !goes(column))) };
  return [
    {
      kind: 'update',
      ...volumeKey(cell, id),
      ...replaceExtents(revision + 1, extents, used, rest),
      if: [
        ...drainsUnder(run),
        generationIs(generation),
        revisionIs(revision),
        repairIsOf(generation),
        directoriesAreAs(volume),
      ],
    },
    ...columns.map((column) => discardWrite(volume.extents[column] as Extent, { volume: id, column, sinceMs: nowMs })),
  ];
}

/**
 * What was claimed is given up. Under no run: of a volume in trash, which nobody repairs any more, whatever its state
 * becomes meanwhile.
 */
export const undoRepairWrites = (
  cell: string,
  run: RunId | undefined,
  { id, revision, repair }: Pick<VolumeRow, 'id' | 'revision' | 'repair'>,
  nowMs: number,
): Write[] => {
  assert(repair !== undefined, 'a repair is in the making');
  return [
    {
      kind: 'update',
      ...volumeKey(cell, id),
      ...endRepair,
      if: [...(run === undefined ? [] : drainsUnder(run)), revisionIs(revision), repairIsOf(repair.generation)],
    },
    ...[...repair.extents].map(([column, extent]) => discardWrite(extent, { volume: id, column, sinceMs: nowMs })),
  ];
};

const discardWrite = (extent: Extent, why: Omit<DiscardRow, keyof Extent>): Write => ({
  kind: 'put',
  ...discardKey(extent),
  attributes: discardAttributes(why),
  if: ['absent'],
});
