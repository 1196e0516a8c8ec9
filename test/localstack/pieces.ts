// Enough real bytes to fill volumes: the large files among the project's packages as compressed archives, split into volumes of one size as
// split(1) does. What is compressed already needs the fewest records for its bytes, and the emulator's time goes by records and requests.
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { RealFile } from './real-files.ts';

const FOLDER = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const LARGE_BYTES = 2 * 1024 * 1024;
const READ_BYTES = 192 * 1024;

/** Pieces of archives, `pieceBytes` each, `bytesMin` together. */
export function realPieces(bytesMin: number, pieceBytes: number): RealFile[] {
  const pieces: RealFile[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for (const archive of archives()) {
    rest = Buffer.concat([rest, archive]);
    for (; rest.byteLength >= pieceBytes; rest = rest.subarray(pieceBytes)) {
      if (pieces.length * pieceBytes >= bytesMin) return pieces;
      pieces.push({ key: `archive/${String(pieces.length).padStart(5, '0')}`, bytes: rest.subarray(0, pieceBytes) });
    }
  }
  throw new Error(`the packages have only ${pieces.length * pieceBytes} bytes of archives`);
}

function* archives(): Generator<Buffer> {
  const large = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, size: statSync(path).size }))
    .filter(({ size }) => size >= LARGE_BYTES)
    .sort((a, b) => b.size - a.size);
  for (const { path, size } of large) {
    const file = openSync(path, 'r');
    for (let at = 0; at + READ_BYTES <= size; at += READ_BYTES) {
      const part = Buffer.alloc(READ_BYTES);
      readSync(file, part, 0, READ_BYTES, at);
      yield gzipSync(part, { level: 1 });
    }
    closeSync(file);
  }
}
