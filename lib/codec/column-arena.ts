// One WebAssembly memory laid out for columns: a table of addresses, strips for columns that live elsewhere, a strip of
// zeros for columns that have ended, then the columns themselves, at a stride that is no power of two, so that equal
// offsets of many columns do not compete for the same cache sets.
import { assert, present } from '../foundation/assert.ts';
import { CODE_COLUMNS_MAX, GROUP_MEMORY_BYTES_MAX } from '../limits/bytes.ts';
import { CELL_BYTES } from './codec.ts';
import { type WasmMemory, wasmHost } from './kernel/wasm-host.ts';

export const STRIP_BYTES = 16 * 1024;
const PAGE_BYTES = 64 * 1024;
const TABLE_BYTES = 1024;
const STRIDE_PADDING_BYTES = 3 * CELL_BYTES;
const STRIP_STRIDE_BYTES = STRIP_BYTES + STRIDE_PADDING_BYTES;
const STRIPS_AT = TABLE_BYTES;
const ZEROS_AT = STRIPS_AT + CODE_COLUMNS_MAX * STRIP_STRIDE_BYTES;
const COLUMNS_AT = ZEROS_AT + STRIP_STRIDE_BYTES;

export interface ColumnArena {
  readonly memory: WasmMemory;
  readonly bytes: Uint8Array;
  /** Where `run` finds the column addresses. */
  readonly table: Uint32Array;
  readonly tableAddress: number;
  readonly zerosAddress: number;
  stripAddress(column: number): number;
}

const arenas = new WeakMap<ArrayBufferLike, ColumnArena>();

/** The arena a view lies in, if it lies in one. */
export const arenaOf = (view: Uint8Array): ColumnArena | undefined => arenas.get(view.buffer);

/** The distance between two columns of `columnBytes` bytes. */
const strideBytes = (columnBytes: number): number =>
  Math.ceil(columnBytes / CELL_BYTES) * CELL_BYTES + STRIDE_PADDING_BYTES;

/** What so many columns take, with what is between them. */
export const columnsBytes = (columns: number, columnBytes: number): number => columns * strideBytes(columnBytes);

/** Of an arena with so much for columns. */
export const arenaBytesFor = (bytes: number): number => Math.ceil((COLUMNS_AT + bytes) / PAGE_BYTES) * PAGE_BYTES;

export const arenaBytes = (columns: number, columnBytes: number): number =>
  arenaBytesFor(columnsBytes(columns, columnBytes));

/** `bytes` as arenaBytes gives them. Pages cost real memory only once they are touched. */
export function createArena(bytes: number): ColumnArena {
  assert(bytes % PAGE_BYTES === 0 && bytes > COLUMNS_AT, `an arena cannot have ${bytes} bytes`);
  const initial = bytes / PAGE_BYTES;
  const maximum = Math.max(initial, Math.ceil(GROUP_MEMORY_BYTES_MAX / PAGE_BYTES));
  return arenaIn(new (present(wasmHost, 'no WebAssembly here').Memory)({ initial, maximum }));
}

/** The same memory, longer; views of it are empty from now on, and the arena it was is no more. */
export function grownArena({ memory }: ColumnArena, bytes: number): ColumnArena {
  assert(bytes % PAGE_BYTES === 0 && bytes > memory.buffer.byteLength, `an arena does not grow to ${bytes} bytes`);
  memory.grow((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  return arenaIn(memory);
}

function arenaIn(memory: WasmMemory): ColumnArena {
  const arena: ColumnArena = {
    memory,
    bytes: new Uint8Array(memory.buffer),
    table: new Uint32Array(memory.buffer, 0, CODE_COLUMNS_MAX * 2),
    tableAddress: 0,
    zerosAddress: ZEROS_AT,
    stripAddress: (column) => STRIPS_AT + column * STRIP_STRIDE_BYTES,
  };
  arenas.set(memory.buffer, arena);
  return arena;
}

/** A view of column number `column` of an arena divided, behind its first bytes, into columns of `columnBytes`. */
export function columnView(
  arena: ColumnArena,
  column: number,
  columnBytes: number,
  behindBytes = 0,
): Uint8Array<ArrayBuffer> {
  const at = COLUMNS_AT + behindBytes + columnsBytes(column, columnBytes);
  return new Uint8Array(arena.memory.buffer, at, columnBytes);
}
