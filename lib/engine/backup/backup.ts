// A backup: every row of a store's Panda, as of one moment, in one text file. A header line, a line per row (partition,
// sort key, attributes; tabs between), and a last line with the number of rows and the SHA-256 of all before it. It
// holds names, block hashes and wrapped keys, but no key-encryption key: keys.json is to be kept elsewhere.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import * as z from 'zod';
import { writeOutput } from '../../drive/file-output.ts';
import { corrupt, invalid, missing } from '../../foundation/errors.ts';
import { BACKUP_LINE_BYTES_MAX } from '../../limits/engine.ts';
import type { Row } from '../../panda/panda.ts';
import { decodeAttributes, encodeAttributes } from '../../panda/row-encoding.ts';
import { soundRow } from '../../panda/rows/row-reader.ts';
import type { BackupSource } from '../rebuild/backup-source.ts';
import type { EmbeddedStore } from '../wire/embedded/embedded-store.ts';
import { pandaPath } from '../wire/store-layout.ts';
import { withSnapshot } from './panda-snapshot.ts';

export const BACKUP_FORMAT = 1;
const WRITE_BYTES = 1024 * 1024;
const READ_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

const headerSchema = z.object({
  pocketful: z.literal('backup'),
  format: z.int(),
  storeId: z.string(),
  createdAtMs: z.int().nonnegative(),
});
const trailerSchema = z.strictObject({ rows: z.int().nonnegative(), sha256: z.string() });

export type BackupHeader = z.infer<typeof headerSchema>;

export interface BackupOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((rows: number) => void) | undefined;
  /** Replaces a file that is there. */
  readonly overwrite?: boolean | undefined;
}

/** Writes the file whole or not at all, readable by its owner only. Throws `conflict` FILE_EXISTS. */
export async function backupTo(
  store: EmbeddedStore,
  file: string,
  options: BackupOptions = {},
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const { clock, storeId } = store.components;
  const header: BackupHeader = {
    pocketful: 'backup',
    format: BACKUP_FORMAT,
    storeId,
    createdAtMs: Math.max(0, clock.nowMs()),
  };
  return writeOutput(file, { overwrite: options.overwrite, mode: 0o600 }, (handle) =>
    withSnapshot(pandaPath(store.path), async (panda) => {
      const out = new LineWriter(handle);
      await out.line(JSON.stringify(header));
      let rows = 0;
      for await (const page of panda.scan()) {
        options.signal?.throwIfAborted();
        for (const row of page) await out.line(lineOf(row));
        rows += page.length;
        options.onProgress?.(rows);
      }
      await out.end(rows);
      return { rows, bytes: out.bytes };
    }),
  );
}

/** Throws `corrupt` ROW_DAMAGED: a backup that leaves a row out is none. */
const lineOf = (row: Row): string => {
  const { partition, sort, attributes } = soundRow(row);
  return `${JSON.stringify(partition)}\t${JSON.stringify(sort)}\t${encodeAttributes(attributes)}`;
};

class LineWriter {
  readonly #file: FileHandle;
  readonly #hash: Hash = createHash('sha256');
  #held: string[] = [];
  #heldBytes = 0;
  bytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async line(text: string): Promise<void> {
    this.#held.push(text);
    this.#heldBytes += text.length;
    if (this.#heldBytes >= WRITE_BYTES) await this.#write();
  }

  async end(rows: number): Promise<void> {
    await this.#write();
    const trailer = Buffer.from(`${JSON.stringify({ rows, sha256: this.#hash.digest('hex') })}\n`);
    await this.#file.writeFile(trailer);
    this.bytes += trailer.byteLength;
  }

  async #write(): Promise<void> {
    if (this.#held.length === 0) return;
    const bytes = Buffer.from(`${this.#held.join('\n')}\n`);
    this.#held = [];
    this.#heldBytes = 0;
    this.#hash.update(bytes);
    this.bytes += bytes.byteLength;
    await this.#file.writeFile(bytes);
  }
}

/**
 * Reads the whole file once, so that nothing is done with a damaged one. Throws `corrupt` BACKUP_CORRUPT, `invalid`
 * BACKUP_VERSION.
 */
export async function checkBackup(file: string): Promise<BackupHeader> {
  let header: BackupHeader | undefined;
  let last: string | undefined;
  let lines = 0;
  const hash = createHash('sha256');
  for await (const line of linesOf(file)) {
    if (last !== undefined) hash.update(`${last}\n`);
    last = line;
    lines += 1;
    header ??= headerOf(file, line);
  }
  if (header === undefined || last === undefined) throw corrupt('BACKUP_CORRUPT', `${file} is empty`);
  const trailer = trailerSchema.safeParse(parsed(last));
  if (!trailer.success) throw corrupt('BACKUP_CORRUPT', `${file} is cut off: its last line is not that of a backup`);
  const { rows, sha256 } = trailer.data;
  if (rows !== lines - 2) throw corrupt('BACKUP_CORRUPT', `${file} has ${lines - 2} rows, ${rows} were written`);
  if (hash.digest('hex') !== sha256) throw corrupt('BACKUP_CORRUPT', `${file} is damaged: its SHA-256 does not match`);
  return header;
}

/** The rows of a backup that was checked, one by one; of `tables` only, which partitions begin with. */
export async function* rowsOfBackup(file: string, tables: readonly string[] = ['']): AsyncGenerator<Row> {
  const starts = tables.map((table) => `"${table}`);
  let held: string | undefined;
  let isFirst = true;
  for await (const line of linesOf(file)) {
    if (isFirst) isFirst = false;
    else {
      if (held !== undefined && starts.some((start) => held?.startsWith(start))) yield rowOf(file, held);
      held = line; // the last one is the trailer
    }
  }
}

/** To be read several times, table by table. */
export const backupFile = (file: string): BackupSource => ({ rows: (tables) => rowsOfBackup(file, tables) });

function rowOf(file: string, line: string): Row {
  const [partition, sort, ...rest] = line.split('\t');
  const key = [parsed(partition ?? ''), parsed(sort ?? '')];
  if (typeof key[0] !== 'string' || typeof key[1] !== 'string')
    throw corrupt('BACKUP_CORRUPT', `${file} holds a line that is no row`);
  return { partition: key[0], sort: key[1], attributes: decodeAttributes(rest.join('\t')) };
}

function headerOf(file: string, line: string): BackupHeader {
  const header = headerSchema.safeParse(parsed(line));
  if (!header.success) throw invalid('BACKUP_FOREIGN', `${file} is no backup of a Pocketful store`);
  if (header.data.format !== BACKUP_FORMAT)
    throw invalid(
      'BACKUP_VERSION',
      `${file} has format ${header.data.format}, this program knows format ${BACKUP_FORMAT} only`,
    );
  return header.data;
}

/** Lines end with \n and nothing else: readline would also cut at U+2028, which names may hold. */
async function* linesOf(file: string): AsyncGenerator<string> {
  try {
    let rest: Buffer[] = [];
    for await (const piece of createReadStream(file, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, from)) {
        yield Buffer.concat([...rest, piece.subarray(from, at)]).toString('utf8');
        rest = [];
        from = at + 1;
      }
      if (from < piece.length) rest.push(piece.subarray(from));
      if (rest.length * READ_BYTES > BACKUP_LINE_BYTES_MAX)
        throw corrupt('BACKUP_CORRUPT', `${file} has a line without an end`);
    }
    if (rest.length > 0) yield Buffer.concat(rest).toString('utf8');
  } catch (error) {
    throw readingError(file, error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readingError(file: string, error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException)?.code) {
    case 'ENOENT':
      return missing('FILE_MISSING', `${file}: there is no such file or folder`, error);
    case 'EISDIR':
      return invalid('FILE_IS_FOLDER', `${file} is a directory`, error);
    default:
      return error;
  }
}
