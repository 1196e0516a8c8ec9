// crowded/CELL | volume id: it did not fit its own extents as an L1 host, when it was this.
import type { Attributes, Key, Row } from '../../panda/panda.ts';
import { countIn } from '../../panda/rows/row-reader.ts';

export interface CrowdedNote {
  readonly generation: number;
  readonly liveBytes: number;
}

export const crowdedPartition = (cell: string): string => `crowded/${cell}`;
export const crowdedKey = (cell: string, id: string): Key => ({ partition: crowdedPartition(cell), sort: id });

export const crowdedFromRow = (row: Row): CrowdedNote => ({
  generation: countIn(row, 'g'),
  liveBytes: countIn(row, 'l'),
});

export const crowdedAttributes = ({ generation, liveBytes }: CrowdedNote): Attributes => ({
  g: generation,
  l: liveBytes,
});
