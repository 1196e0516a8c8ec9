// Whether what is at a path, or behind a descriptor, is still the file that was found, as it was.
import type { BigIntStats } from 'node:fs';

export type FileMark = Pick<BigIntStats, 'ino' | 'dev' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** What a put asks of a file that was found, until it is in the store. */
export type FoundStats = FileMark & Pick<BigIntStats, 'mode' | 'ctimeMs'>;

/** The system says twelve numbers more, and thousands of files are under way: half a KiB each. */
export const foundStats = ({ ino, dev, size, mtimeNs, ctimeNs, mode, ctimeMs }: BigIntStats): FoundStats => ({
  ino,
  dev,
  size,
  mtimeNs,
  ctimeNs,
  mode,
  ctimeMs,
});

/** `ctime` as well: whoever rewrites a file in place can set its `mtime` back, but not that. */
export const isSameFile = (before: FileMark, now: FileMark): boolean =>
  before.ino === now.ino &&
  before.dev === now.dev &&
  before.size === now.size &&
  before.mtimeNs === now.mtimeNs &&
  before.ctimeNs === now.ctimeNs;

/** For all bytes that such a file was found to have, and one more, to see that it has no more. */
export const roomOf = ({ size }: Pick<FileMark, 'size'>): number => Number(size) + 1;

/** Of many files, five numbers of 64 bits each; times may be before 1970. */
export type MarksOfFiles = ArrayBuffer;

const MARK_BYTES = 40;

export function packMarks(files: readonly FileMark[]): MarksOfFiles {
  const marks = new DataView(new ArrayBuffer(files.length * MARK_BYTES));
  for (const [i, { ino, dev, size, mtimeNs, ctimeNs }] of files.entries()) {
    const at = i * MARK_BYTES;
    marks.setBigUint64(at, ino);
    marks.setBigUint64(at + 8, dev);
    marks.setBigUint64(at + 16, size);
    marks.setBigInt64(at + 24, mtimeNs);
    marks.setBigInt64(at + 32, ctimeNs);
  }
  return marks.buffer;
}

export function markAt(packed: MarksOfFiles, i: number): FileMark {
  const mark = new DataView(packed, i * MARK_BYTES, MARK_BYTES);
  return {
    ino: mark.getBigUint64(0),
    dev: mark.getBigUint64(8),
    size: mark.getBigUint64(16),
    mtimeNs: mark.getBigInt64(24),
    ctimeNs: mark.getBigInt64(32),
  };
}
