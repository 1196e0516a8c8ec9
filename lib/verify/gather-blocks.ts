// The rows of blocks as the index scanner takes them: chunk by chunk as numbers, and once more as rows where some of a
// chunk are suspected.
import { isPocketfulError } from '../foundation/errors.ts';
import { INDEX_CHUNK_BLOCKS_MAX } from '../limits/verify.ts';
import type { Row } from '../panda/panda.ts';
import { BLOCK_PLACE_ATTRIBUTES, BlockPlace } from '../panda/rows/block/block-place.ts';
import { type BlockRow, blockAttributes, blockFromRow, blockPartitions } from '../panda/rows/block-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { BlockTable } from './block-table.ts';

export interface GatherOptions {
  /** Rows of one chunk: memory. */
  readonly chunkBlocksMax?: number | undefined;
  /** True: gather no more rows; what was gathered is still checked. */
  readonly isLate?: (() => boolean) | undefined;
  /** True: stop; the chunk under way is begun anew by the next scan. */
  readonly isOver?: (() => boolean) | undefined;
}

/** Rows of names that follow one another. */
export interface Chunk {
  readonly table: BlockTable;
  readonly from: string;
  /** The last name it may hold. */
  readonly to: string;
  readonly next: string | undefined;
}

/** Rows from a name on: until there are enough, or it is late. A cursor is the beginning of a block's id. */
export async function gatherBlocks(
  { components }: VolumeStore,
  from: string,
  { chunkBlocksMax = INDEX_CHUNK_BLOCKS_MAX, isLate = () => false, isOver = () => false }: GatherOptions,
  onProgress: (blocks: number) => void,
): Promise<Chunk> {
  const table = new BlockTable();
  const place = new BlockPlace(components.settings.cell);
  for (const partition of blockPartitions()) {
    const bits = partition.slice(-2);
    if (bits < from.slice(0, 2)) continue;
    let at: string | undefined = bits === from.slice(0, 2) ? from : bits;
    while (at !== undefined) {
      const page: Awaited<ReturnType<typeof components.panda.query>> = await components.panda.query(
        partition,
        { from: at },
        { only: BLOCK_PLACE_ATTRIBUTES },
      );
      for (const row of page.rows)
        if ((place.read(row) || (await readWhole(components, row, place))) && place.isOfCell) table.add(place);
      onProgress(table.size);
      at = page.next;
      if (at !== undefined && (table.size >= chunkBlocksMax || isLate() || isOver()))
        return { table, from, to: `${at.slice(0, -1)}${before(at.at(-1) as string)}`, next: at };
    }
    const next = nextBits(bits);
    if (next !== undefined && (table.size >= chunkBlocksMax || isLate() || isOver()))
      return { table, from, to: `${bits}~`, next };
  }
  return { table, from, to: '~', next: undefined };
}

/** Of a row of an older format, or one that cannot be read: somebody is told of that. */
async function readWhole(components: Components, row: Row, place: BlockPlace): Promise<boolean> {
  const { panda, badRow = () => {} } = components;
  const whole = row.damaged === undefined ? await panda.get(row).catch(passBad) : row;
  const block = whole === undefined ? undefined : readOrTell(whole, blockFromRow, badRow);
  return block !== undefined && place.read({ ...row, attributes: blockAttributes(block) });
}

/** The highest text that is below a name's last digit: names in between do not exist. */
const before = (digit: string): string => `${String.fromCharCode(digit.charCodeAt(0) - 1)}~`;

function nextBits(bits: string): string | undefined {
  const next = Number.parseInt(bits, 16) + 1;
  return next === 256 ? undefined : next.toString(16).padStart(2, '0');
}

export async function* blocksBetween({ components }: VolumeStore, from: string, to: string): AsyncGenerator<BlockRow> {
  for (const partition of blockPartitions()) {
    const bits = partition.slice(-2);
    if (bits < from.slice(0, 2) || bits > to.slice(0, 2)) continue;
    const at = bits === from.slice(0, 2) ? from : bits;
    for await (const row of rowsOf(components.panda, partition, at, to)) {
      const block = readOrTell(row, blockFromRow, () => {});
      if (block !== undefined && block.cell === components.settings.cell) yield block;
    }
  }
}

/** A row that cannot be read is doctor's to name. */
export function passBad(error: unknown): undefined {
  if (!isPocketfulError(error) || error.kind !== 'corrupt') throw error;
  return undefined;
}
