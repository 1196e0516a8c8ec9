// `single` and `replica-4`: one data column, and parity columns that are copies of it.
import { corrupt } from '../foundation/errors.ts';
import type { CodecName } from './codec.ts';
import { parityBytes } from './codec.ts';
import {
  assertColumnNumbers,
  assertColumns,
  assertDataColumns,
  assertOutputs,
  assertPadded,
  padded,
} from './columns.ts';
import type { InPlaceCodec } from './in-place.ts';
import type { CodecShape } from './shape.ts';

export function createCopyCodec(name: CodecName, shape: CodecShape): InPlaceCodec {
  const { dataColumns, parityColumns } = shape;
  const total = dataColumns + parityColumns;
  const reason = `${name} has lost all of its ${total} ${total === 1 ? 'column' : 'columns'}`;

  const survivorOf = (lost: readonly number[]): number => {
    for (let column = 0; column < total; column++) if (!lost.includes(column)) return column;
    return -1;
  };

  const survivingOf = (columns: readonly (Uint8Array | null)[]): Uint8Array => {
    const survivor = columns.find((column) => column !== null);
    if (!survivor) throw corrupt('CODE_UNDECODABLE', reason);
    return survivor;
  };

  return {
    name,
    dataColumns,
    parityColumns,
    overhead: total / dataColumns,

    encode(data) {
      assertDataColumns(name, data, dataColumns);
      const column = data[0] as Uint8Array;
      const copy = padded(column, parityBytes(column.length));
      return new Array<Uint8Array>(parityColumns).fill(copy);
    },

    encodeInto(data, parity) {
      assertDataColumns(name, data, dataColumns);
      const column = data[0] as Uint8Array;
      assertOutputs(name, parity, parityColumns, parityBytes(column.length));
      for (const copy of parity) copyPadded(column, copy);
    },

    canReconstruct(lost) {
      assertColumnNumbers(name, lost, total);
      return lost.length === 0 || survivorOf(lost) !== -1;
    },

    repairPlan(lost, wanted = lost) {
      assertColumnNumbers(name, lost, total);
      assertColumnNumbers(name, wanted, total);
      const kept = wanted.filter((column) => !lost.includes(column));
      if (kept.length === wanted.length) return { ok: true, reads: [...new Set(kept)].sort((a, b) => a - b) };
      const survivor = kept[0] ?? survivorOf(lost);
      if (survivor === -1) return { ok: false, reason };
      return { ok: true, reads: [...new Set([survivor, ...kept])].sort((a, b) => a - b) };
    },

    reconstruct(columns, wanted, length) {
      assertColumns(name, columns, shape, length);
      assertColumnNumbers(name, wanted, total);
      assertPadded(length);
      if (wanted.length === 0) return [];
      const survivor = survivingOf(columns);
      return wanted.map((column) => padded(columns[column] ?? survivor, length));
    },

    reconstructInto(columns, lost, length, into) {
      assertColumns(name, columns, shape, length);
      assertColumnNumbers(name, lost, total);
      assertPadded(length);
      assertOutputs(name, into, lost.length, length);
      if (lost.length === 0) return;
      const survivor = survivingOf(columns);
      for (const copy of into) copyPadded(survivor, copy);
    },
  };
}

function copyPadded(column: Uint8Array, into: Uint8Array): void {
  into.set(column);
  into.fill(0, column.length);
}
