// What lies in the zones of one volume, column by column: names and sizes, as the drives list them.
import { driveUnavailable } from '../../drive/errors.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { extentOf, type ReadPorts } from '../read/read-column.ts';

export interface ColumnListing {
  /** Names and bytes; undefined if the drive cannot be read now. */
  readonly objects: ReadonlyMap<string, number> | undefined;
}

/** `only`: of the other columns what is `known` holds. */
export async function listColumns(
  ports: ReadPorts,
  volume: VolumeRow,
  only?: readonly number[],
  known: readonly ColumnListing[] = [],
): Promise<ColumnListing[]> {
  const list = (column: number): ColumnListing | Promise<ColumnListing> =>
    (only?.includes(column) === false ? known[column] : undefined) ?? listColumn(ports, volume, column);
  return Promise.all(volume.extents.map((_, column) => list(column)));
}

async function listColumn(
  { components, health }: ReadPorts,
  volume: VolumeRow,
  column: number,
): Promise<ColumnListing> {
  const { drive: id, zone, zoneGeneration } = extentOf(volume, column);
  try {
    const drive = components.drives[id];
    if (drive === undefined) throw driveUnavailable(`drive ${id}`, 'it is not among the drives of this store');
    const listed = await drive.list({ zone, generation: zoneGeneration });
    return { objects: new Map(listed.map(({ name, bytes }) => [name, bytes])) };
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    health.failed(id, error);
    return { objects: undefined };
  }
}
