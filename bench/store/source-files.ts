// Files to put, of pseudo-random bytes.
import { createCipheriv } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { SourceFile } from '../bounds.ts';

const KIB = 1024;
const MB = 1e6;
const LONG_BYTES = 50 * MB;

export function smallFiles(folder: string, count: number): SourceFile[] {
  const random = new SeededRandomness(1);
  return written(
    folder,
    Array.from({ length: count }, () => 4 * KIB + random.below(60 * KIB + 1)),
  );
}

export const longFiles = (folder: string, count: number): SourceFile[] =>
  written(folder, new Array<number>(count).fill(LONG_BYTES));

/** Files of pseudo-random bytes, no two alike. */
function written(folder: string, sizes: readonly number[]): SourceFile[] {
  fs.mkdirSync(folder);
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, sizes.length % 251));
  return sizes.map((bytes, i) => {
    const path = join(folder, `${i}.bin`);
    fs.writeFileSync(path, stream.update(Buffer.alloc(bytes)));
    return { path, bytes };
  });
}
