// Real files to store: from the project's own node_modules, in path order, spread over all its packages.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../node_modules/', import.meta.url));

export interface RealFile {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** `count` files of at most `bytesMax` bytes each, every one at an equal distance in path order. */
export function realFiles(count: number, bytesMax: number): RealFile[] {
  const paths = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/.') && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(FOLDER.length))
    .sort();
  const files: RealFile[] = [];
  const step = paths.length / count;
  for (let i = 0; i < count; i++) {
    // The next file that is small enough, if the one at this distance is not.
    for (let at = Math.floor(i * step); at < Math.floor((i + 1) * step); at++) {
      const key = paths[at] as string;
      const bytes = readFileSync(join(FOLDER, key));
      if (bytes.byteLength > bytesMax) continue;
      files.push({ key, bytes });
      break;
    }
  }
  return files;
}
