// What must exist of a volume, as its rows, its directories and its listings say together.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { DamagedPart } from '../../panda/rows/damage-row.ts';
import { groupFromRow, groupPartition } from '../../panda/rows/group-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { ReadPorts } from '../read/read-column.ts';
import { readBucket, rowsOf } from '../rows/read-rows.ts';
import { type ColumnListing, listColumns } from './listing.ts';
import { directoriesOf } from './look-at-directories.ts';
import { type NamedGroup, namedByBucket, namedByRow } from './must-exist.ts';
import type { LookOptions } from './part-look.ts';

/** What must exist of a volume, for whoever copies it. */
export interface MustExist {
  readonly groups: readonly NamedGroup[];
  /** The pack, or the directory objects of store format 1. */
  readonly directories: readonly DamagedPart[];
  /** False if groups may be missing: no directory could be read, and the rows do not lead to all of them. */
  readonly isComplete: boolean;
  readonly listings: readonly ColumnListing[];
}

export async function mustExist(ports: ReadPorts, volume: VolumeRow): Promise<MustExist> {
  const { named, listings, directories, areFound } = await namedParts(ports, volume, {});
  return {
    listings,
    groups: [...named.values()].sort((a, b) => a.seq - b.seq),
    directories: directories.parts.map(({ part }) => part),
    isComplete: areFound,
  };
}

/** Rows first: those of groups go once the directories are written, and what is stored later they do not name. */
export async function namedParts(ports: ReadPorts, volume: VolumeRow, options: LookOptions) {
  const named = await namedGroups(ports, volume);
  const listings = await listColumns(ports, volume);
  const directories = await directoriesOf(ports, volume, listings, options);
  for (const [seq, token] of directories.named) if (!named.has(seq)) named.set(seq, { seq, token });
  const areFound = directories.areComplete || (await addByBuckets(ports, volume, named));
  return { named, listings, directories, areFound };
}

async function namedGroups({ components }: ReadPorts, volume: VolumeRow): Promise<Map<number, NamedGroup>> {
  const named = new Map<number, NamedGroup>();
  for await (const row of rowsOf(components.panda, groupPartition(volume.id, volume.generation))) {
    const group = namedByRow(groupFromRow(row));
    named.set(group.seq, group);
  }
  return named;
}

/** True if the rows of its buckets lead to all of them: its directories are not needed then. */
async function addByBuckets(ports: ReadPorts, volume: VolumeRow, named: Map<number, NamedGroup>): Promise<boolean> {
  const { panda, settings } = ports.components;
  let areFound = true;
  for (const id of volume.buckets) {
    try {
      const bucket = await readBucket(panda, settings.cell, id);
      const group = bucket === undefined ? undefined : namedByBucket(volume, bucket);
      if (group !== undefined && !named.has(group.seq)) named.set(group.seq, group);
      areFound &&= group !== undefined || bucket?.volume !== volume.id;
    } catch (error) {
      if (!isPocketfulError(error)) throw error; // a malformed row is a finding of its own
      areFound = false;
    }
  }
  return areFound;
}
