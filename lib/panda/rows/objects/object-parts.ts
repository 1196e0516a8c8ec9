// The manifest of an object that was put together from parts: their lengths, in order, as runs of equal ones.
import { Packer, type Unpacker } from '../packing.ts';

/** So many parts of the same length, one after the other. */
export interface PartRun {
  readonly count: number;
  readonly bytes: number;
}

/** Runs of the lengths of parts. */
export function runsOf(lengths: Iterable<number>): PartRun[] {
  const runs: { count: number; bytes: number }[] = [];
  for (const bytes of lengths) {
    const last = runs.at(-1);
    if (last?.bytes === bytes) last.count += 1;
    else runs.push({ count: 1, bytes });
  }
  return runs;
}

/** Bytes of a manifest in a row. */
export const manifestBytes = (parts: readonly PartRun[]): number => packed(parts).length;

export function packParts(facts: Packer, parts: readonly PartRun[]): void {
  const bytes = packed(parts);
  facts.varint(bytes.length).bytes(bytes);
}

export function unpackParts(facts: Unpacker): PartRun[] {
  const runs: PartRun[] = [];
  const inner = facts.inner();
  while (inner.left > 0) runs.push({ count: inner.varint(), bytes: inner.varint() });
  return runs;
}

function packed(parts: readonly PartRun[]): Uint8Array {
  const out = new Packer();
  for (const { count, bytes } of parts) out.varint(count).varint(bytes);
  return out.end();
}
