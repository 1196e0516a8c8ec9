// Real files to store: from the project's own node_modules, spread over all its packages, and always with the largest that
// may be had, since tests need one of several blocks.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../node_modules/', import.meta.url));

export interface RealFile {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** `count` files of at most `bytesMax` bytes each: the largest of all, and the others at equal distances in path order. */
export function realFiles(count: number, bytesMax: number): RealFile[] {
  const fitting = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/.') && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ key: path.slice(FOLDER.length), size: statSync(path).size }))
    .filter(({ size }) => size <= bytesMax)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const largest = fitting.reduce((best, file) => (file.size > best.size ? file : best));
  const rest = fitting.filter((file) => file !== largest);
  const step = rest.length / (count - 1);
  const spread = Array.from({ length: count - 1 }, (_, i) => rest[Math.floor(i * step)] as typeof largest);
  return [largest, ...spread].map(({ key }) => ({ key, bytes: readFileSync(join(FOLDER, key)) }));
}
