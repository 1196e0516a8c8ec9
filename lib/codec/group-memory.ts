// Memory for groups: columns that lie where the kernel works, so that coding copies nothing; or, of columns that lie in
// pieces elsewhere, only their parity. Memory is pooled and bounded; beyond the bound the answer is `retry`.
import { assert, assertCount } from '../foundation/assert.ts';
import { retryLater } from '../foundation/errors.ts';
import { CODED_WINDOW_BYTES, GROUP_MEMORY_BYTES_MAX, GROUP_MEMORY_IDLE_BYTES_MAX } from '../limits/bytes.ts';
import { type Codec, parityBytes } from './codec.ts';
import { inPlaceCodecOf } from './codecs.ts';
import { arenaBytesFor, type ColumnArena, columnsBytes, columnView, createArena, grownArena } from './column-arena.ts';
import { wasmHost } from './kernel/wasm-host.ts';
import { type Column, codePieces, columnBytesOf } from './pieces.ts';

const MIB = 1024 * 1024;

export interface GroupMemory extends Disposable {
  /** k columns of the size asked for. Their bytes are whatever the last group left there. */
  readonly data: readonly Uint8Array<ArrayBuffer>[];
  /** m columns, rounded up to whole cells. Those of a copying codec are the data column itself. */
  readonly parity: readonly Uint8Array<ArrayBuffer>[];
  /** Codes the first lengths[i] bytes of each data column; the parity returned is a part of `parity`. */
  encode(lengths: readonly number[]): Uint8Array<ArrayBuffer>[];
  /**
   * Rebuilds `lost` into their own columns from the others: lengths[i] bytes of each, of the full padded `length` for
   * parity. `unread` are further columns that must not be used.
   */
  reconstruct(lengths: readonly number[], lost: readonly number[], unread?: readonly number[]): void;
  /** Gives the memory back; the views must not be used any more. Twice is once. */
  release(): void;
}

export interface ParityMemory extends Disposable {
  /** m columns. Copies are the pieces of the data column itself, and zeros. */
  readonly parity: readonly Column[];
  /** As that of GroupMemory. */
  release(): void;
}

export interface ColumnPool {
  /** Throws `retry` CODEC_MEMORY_FULL when all memory is in use. */
  allocate(codec: Codec, columnBytes: number): GroupMemory;
  /** The parity of k columns that lie in pieces; throws the same. */
  parityOf(codec: Codec, columns: readonly Column[]): ParityMemory;
  usage(): { readonly usedBytes: number; readonly idleBytes: number };
}

export interface ColumnPoolLimits {
  /** Memory of all groups at once. */
  readonly bytesMax: number;
  /** Memory kept for the next group when none is using it. */
  readonly idleBytesMax: number;
}

const DEFAULT_LIMITS: ColumnPoolLimits = {
  bytesMax: GROUP_MEMORY_BYTES_MAX,
  idleBytesMax: GROUP_MEMORY_IDLE_BYTES_MAX,
};

/** From the pool of this process, unless another is given. */
export const allocateColumns = (codec: Codec, columnBytes: number, pool = processPool): GroupMemory =>
  pool.allocate(codec, columnBytes);
export const parityOf = (codec: Codec, columns: readonly Column[], pool = processPool): ParityMemory =>
  pool.parityOf(codec, columns);

export function createColumnPool(limits: ColumnPoolLimits = DEFAULT_LIMITS): ColumnPool {
  const idle: Slab[] = [];
  let usedBytes = 0;
  const idleBytes = (): number => idle.reduce((sum, slab) => sum + slab.bytes, 0);

  const take = (bytes: number): Slab => {
    const fitting = idle.filter((slab) => slab.bytes >= bytes && slab.bytes <= 2 * bytes);
    const smallest = fitting.sort((a, b) => a.bytes - b.bytes)[0];
    if (smallest) {
      idle.splice(idle.indexOf(smallest), 1);
      return smallest;
    }
    // Groups have grown: what is a little too small now would only lie there beside the new one, so it grows as well.
    const small = idle.filter((slab) => slab.bytes < bytes && 2 * slab.bytes >= bytes);
    for (const slab of small) idle.splice(idle.indexOf(slab), 1);
    while (idle.length > 0 && usedBytes + idleBytes() + bytes > limits.bytesMax) idle.shift();
    if (usedBytes + bytes > limits.bytesMax) {
      const message = `a group needs ${bytes} bytes of memory; ${usedBytes} of ${limits.bytesMax} are in use`;
      throw retryLater('CODEC_MEMORY_FULL', message);
    }
    return small.sort((a, b) => b.bytes - a.bytes)[0]?.grown(bytes) ?? createSlab(bytes);
  };

  const lend = (bytes: number): Lent => {
    const slab = take(slabBytes(bytes));
    usedBytes += slab.bytes;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      usedBytes -= slab.bytes;
      idle.push(slab);
      while (idleBytes() > limits.idleBytesMax) idle.shift();
    };
    return { slab, release, isReleased: () => released };
  };

  return {
    allocate(codec, columnBytes) {
      assertCount(columnBytes, 'columnBytes');
      return createGroupMemory(codec, lend(columnsBytes(storedColumns(codec), parityBytes(columnBytes))), columnBytes);
    },
    parityOf(codec, columns) {
      if (isCopying(codec)) return copiesOf(codec, columns);
      const { dataColumns, parityColumns } = codec;
      const paddedBytes = parityBytes(Math.max(...columns.map(columnBytesOf)));
      const behindBytes = columnsBytes(parityColumns, paddedBytes);
      const { slab, release } = lend(behindBytes + columnsBytes(dataColumns, CODED_WINDOW_BYTES));
      const parity = Array.from({ length: parityColumns }, (_, i) => slab.view(i, paddedBytes, 0));
      const windows = Array.from({ length: dataColumns }, (_, i) => slab.view(i, CODED_WINDOW_BYTES, behindBytes));
      codePieces(inPlaceCodecOf(codec.name), columns, parity, windows);
      return { parity: parity.map((column) => [column]), release, [Symbol.dispose]: release };
    },
    usage: () => ({ usedBytes, idleBytes: idleBytes() }),
  };
}

const processPool = createColumnPool();

/** A piece of memory that columns are cut from: WebAssembly's, or an ordinary buffer where there is none. */
interface Slab {
  readonly bytes: number;
  /** Column number `column` of those behind the first bytes. */
  view(column: number, columnBytes: number, behindBytes: number): Uint8Array<ArrayBuffer>;
  /** It is that from now on, and this one no more. */
  grown(bytes: number): Slab;
}

interface Lent {
  readonly slab: Slab;
  release(): void;
  isReleased(): boolean;
}

function createSlab(bytes: number): Slab {
  if (wasmHost) return slabOf(createArena(bytes));
  const buffer = new ArrayBuffer(bytes);
  const view: Slab['view'] = (column, columnBytes, behindBytes) =>
    new Uint8Array(buffer, behindBytes + columnsBytes(column, columnBytes), columnBytes);
  return { bytes, view, grown: createSlab };
}

const slabOf = (arena: ColumnArena): Slab => ({
  bytes: arena.bytes.length,
  view: (column, columnBytes, behindBytes) => columnView(arena, column, columnBytes, behindBytes),
  grown: (bytes) => slabOf(grownArena(arena, bytes)),
});

/** Rounded up to one of four sizes per power of two, so that groups of about one size reuse each other's memory. */
function slabBytes(bytes: number): number {
  const needed = Math.max(MIB, arenaBytesFor(bytes));
  const step = 2 ** (Math.floor(Math.log2(needed)) - 2);
  return Math.ceil(needed / step) * step;
}

/** Copies need no memory of their own. */
const isCopying = (codec: Codec): boolean => codec.dataColumns === 1;
const storedColumns = (codec: Codec): number => (isCopying(codec) ? 1 : codec.dataColumns + codec.parityColumns);

const firstBytes = (column: Uint8Array<ArrayBuffer>, bytes: number): Uint8Array<ArrayBuffer> =>
  column.length === bytes ? column : column.subarray(0, bytes);

/** Copies of a column in pieces: the pieces, padded. */
function copiesOf({ parityColumns }: Codec, columns: readonly Column[]): ParityMemory {
  const only = columns[0] as Column;
  const bytes = columnBytesOf(only);
  const padding = parityBytes(bytes) - bytes;
  const copy = padding === 0 ? only : [...only, new Uint8Array(padding)];
  const release = (): void => {};
  return { parity: new Array<Column>(parityColumns).fill(copy), release, [Symbol.dispose]: release };
}

function createGroupMemory(codec: Codec, { slab, release, isReleased }: Lent, columnBytes: number): GroupMemory {
  const { dataColumns, parityColumns } = codec;
  const inPlace = inPlaceCodecOf(codec.name);
  const paddedBytes = parityBytes(columnBytes);
  const columns = Array.from({ length: dataColumns + parityColumns }, (_, column) =>
    slab.view(Math.min(column, storedColumns(codec) - 1), paddedBytes, 0),
  );

  const cut = (lengths: readonly number[]): { length: number; parts: Uint8Array<ArrayBuffer>[] } => {
    assert(!isReleased(), 'this group memory was released');
    assert(lengths.length === dataColumns, 'one length for each data column');
    if (!lengths.every((bytes) => bytes >= 0 && bytes <= columnBytes)) {
      assert(false, `lengths ${lengths} where columns have ${columnBytes} bytes`);
    }
    const length = parityBytes(Math.max(...lengths));
    return { length, parts: columns.map((column, i) => firstBytes(column, lengths[i] ?? length)) };
  };

  return {
    data: columns.slice(0, dataColumns).map((column) => column.subarray(0, columnBytes)),
    parity: columns.slice(dataColumns),

    encode(lengths) {
      const { length, parts } = cut(lengths);
      if (isCopying(codec)) columns[0]?.fill(0, lengths[0], length);
      else inPlace.encodeInto(parts.slice(0, dataColumns), parts.slice(dataColumns));
      return parts.slice(dataColumns);
    },

    reconstruct(lengths, lost, unread = []) {
      const { length, parts } = cut(lengths);
      const without = parts.map((part, i) => (lost.includes(i) || unread.includes(i) ? null : part));
      if (isCopying(codec)) return void inPlace.reconstruct(without, lost, length);
      const into = lost.map((column) => firstBytes(columns[column] as Uint8Array<ArrayBuffer>, length));
      inPlace.reconstructInto(without, lost, length, into);
    },

    release,
    [Symbol.dispose]: release,
  };
}
