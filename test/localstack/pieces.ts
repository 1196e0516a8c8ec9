// Enough real bytes to fill volumes: archives of pieces of the large files among the project's packages. What is compressed already
// needs the fewest records for its bytes, and the emulator's time goes by records.
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { RealFile } from './real-files.ts';

const FOLDER = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const LARGE_BYTES = 2 * 1024 * 1024;
const PIECE_BYTES = 192 * 1024;

/** Archives of different pieces, `bytesMin` together. */
export function realArchives(bytesMin: number): RealFile[] {
  const large = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, size: statSync(path).size }))
    .filter(({ size }) => size >= LARGE_BYTES)
    .sort((a, b) => b.size - a.size);
  const archives: RealFile[] = [];
  let bytes = 0;
  for (const { path, size } of large) {
    const file = openSync(path, 'r');
    for (let at = 0; at + PIECE_BYTES <= size && bytes < bytesMin; at += PIECE_BYTES) {
      const piece = Buffer.alloc(PIECE_BYTES);
      readSync(file, piece, 0, PIECE_BYTES, at);
      const archive = gzipSync(piece, { level: 1 });
      archives.push({ key: `archive/${String(archives.length).padStart(5, '0')}.gz`, bytes: archive });
      bytes += archive.byteLength;
    }
    closeSync(file);
  }
  if (bytes < bytesMin) throw new Error(`the packages have only ${bytes} bytes of archives`);
  return archives;
}
