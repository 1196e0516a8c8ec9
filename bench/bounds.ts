// What a put and an encode cannot be faster than: the same bytes through the same primitives, in the same blocks and
// groups, as many at once, and nothing else: no index, no names, no directories, no proof that a name is new. Nothing
// of it could be read back.
import { createCipheriv, createSecretKey } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { codecOf } from '../lib/codec/codecs.ts';
import { allocateColumns } from '../lib/codec/group-memory.ts';
import { readFileRange, writeDurably } from '../lib/drive/files.ts';
import { layOut } from '../lib/format/placement.ts';
import { mapLimit } from '../lib/foundation/concurrency.ts';
import { systemRandomness } from '../lib/foundation/randomness.ts';
import { compressedInPool } from '../lib/keys/compression.ts';
import { blockIdInPool } from '../lib/keys/envelope.ts';
import { groupTargetBytes } from '../lib/live-coder/choose-group.ts';
import type { Settings } from '../lib/settings/settings.ts';
import { appendBytesMax } from '../lib/volume/write/append.ts';

const NONCE = Buffer.alloc(12);
const SEALS_AT_ONCE = 4;
const READS_AT_ONCE = 8;

export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
}

/** A hot chunk of the put bound, and the lengths of its records. */
interface HotChunk {
  readonly path: string;
  readonly recordBytes: readonly number[];
}

interface Piece {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

let chunks = 0;

/**
 * Files cut into blocks, blocks into appends as large as the store's, `groupsAtOnce` of them at once. Answers the
 * chunks.
 */
export async function putBound(
  folder: string,
  settings: Settings,
  files: readonly SourceFile[],
  groupsAtOnce: number,
): Promise<HotChunk[]> {
  const codec = codecOf(settings.hotCodec);
  return mapLimit(appends(files, settings), groupsAtOnce, async (pieces) => {
    const plains = await mapLimit(pieces, READS_AT_ONCE, ({ path, offset, bytes }) =>
      readFileRange(path, offset, bytes),
    );
    const records = await mapLimit(plains, SEALS_AT_ONCE, seal);
    const column = Buffer.concat(records);
    const number = chunks++;
    const columns = [column, ...codec.encode([column])];
    await Promise.all(
      columns.map((bytes, i) =>
        writeDurably(join(folder, String(i), `hot-${number}`), [bytes.subarray(0, column.length)]),
      ),
    );
    return { path: join(folder, '0', `hot-${number}`), recordBytes: records.map(({ length }) => length) };
  });
}

async function seal(plain: Uint8Array): Promise<Uint8Array> {
  await blockIdInPool(plain);
  const content = (await compressedInPool(plain)) ?? plain;
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(systemRandomness.bytes(32)), NONCE);
  return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

function appends(files: readonly SourceFile[], settings: Settings): Piece[][] {
  const bytesMax = appendBytesMax(settings);
  const groups: Piece[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const { path, bytes: fileBytes } of files) {
    for (let offset = 0; offset < fileBytes; offset += settings.blockBytesMax) {
      const bytes = Math.min(settings.blockBytesMax, fileBytes - offset);
      if (held + bytes > bytesMax) {
        groups.push([]);
        held = 0;
      }
      groups.at(-1)?.push({ path, offset, bytes });
      held += bytes;
    }
  }
  return groups;
}

/**
 * Hot chunks read, their records checked and laid into groups as large as the Live Coder's, coded and written. The
 * bytes encoded.
 */
export async function encodeBound(folder: string, settings: Settings, hot: readonly HotChunk[]): Promise<number> {
  const codec = codecOf(settings.warmCodec);
  const target = groupTargetBytes(settings);
  let encodedBytes = 0;
  let records: Uint8Array[] = [];
  let held = 0;
  const write = async (): Promise<void> => {
    const level = new Array<number>(codec.dataColumns).fill(0);
    const layout = layOut(records, codec.dataColumns, level);
    using group = allocateColumns(codec, Math.max(...layout.columnBytes));
    for (const [i, record] of records.entries())
      group.data[layout.column[i] as number]?.set(record, layout.offset[i] as number);
    const parity = group.encode(layout.columnBytes);
    const data = group.data.map((column, i) => column.subarray(0, layout.columnBytes[i]));
    const number = chunks++;
    await Promise.all(
      [...data, ...parity].map((column, i) => writeDurably(join(folder, String(i), `warm-${number}`), [column])),
    );
    records = [];
    held = 0;
  };
  const nearest = (bytes: number): boolean => Math.abs(held + bytes - target) >= Math.abs(held - target);
  for (const { path, recordBytes } of hot) {
    const chunk = await readFileRange(path);
    if (held > 0 && nearest(chunk.length)) await write();
    let at = 0;
    for (const bytes of recordBytes) {
      const record = chunk.subarray(at, at + bytes);
      crc32(record);
      records.push(record);
      at += bytes;
    }
    held += chunk.length;
    encodedBytes += chunk.length;
  }
  if (held > 0) await write();
  return encodedBytes;
}

/** A folder for each column. */
export function makeBoundFolders(folder: string, columns: number): void {
  for (let i = 0; i < columns; i++) fs.mkdirSync(join(folder, String(i)), { recursive: true });
}

/** Removes what the bound wrote, outside of any measure. */
export function clearBoundFolders(folder: string): void {
  for (const column of fs.readdirSync(folder)) {
    fs.rmSync(join(folder, column), { recursive: true });
    fs.mkdirSync(join(folder, column));
  }
}
