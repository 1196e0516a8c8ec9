// Whether what is at a path, or behind a descriptor, is still the file that was found, as it was.
import type { BigIntStats } from 'node:fs';

export type FileMark = Pick<BigIntStats, 'ino' | 'dev' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** `ctime` as well: whoever rewrites a file in place can set its `mtime` back, but not that. */
export const isSameFile = (before: FileMark, now: FileMark): boolean =>
  before.ino === now.ino &&
  before.dev === now.dev &&
  before.size === now.size &&
  before.mtimeNs === now.mtimeNs &&
  before.ctimeNs === now.ctimeNs;

/** For all bytes that such a file was found to have, and one more, to see that it has no more. */
export const roomOf = ({ size }: Pick<FileMark, 'size'>): number => Number(size) + 1;
