// The bytes of a body into a file, without the zeros: where a page, or what a part has of one, is nothing else, nothing
// is written. A file system that knows holes keeps them so, and the others fill in zeros by themselves.
import type { FileHandle } from 'node:fs/promises';
import { WRITE_BYTES_MAX } from '../../limits/bytes.ts';

/** The page of nearly every file system: a smaller hole would take the same room. */
const PAGE_BYTES = 4096;
const ZEROS = Buffer.alloc(PAGE_BYTES);

interface Run {
  readonly start: number;
  readonly end: number;
}

/** Into a new, empty file. The number of bytes. */
export async function writeSparsely(file: FileHandle, body: AsyncIterable<Uint8Array>): Promise<number> {
  let at = 0;
  let writtenTo = 0;
  for await (const part of body) {
    for (const { start, end } of runsOfData(part, at)) {
      await writeAll(file, part.subarray(start, end), at + start);
      writtenTo = at + end;
    }
    at += part.byteLength;
  }
  if (writtenTo < at) await file.truncate(at);
  return at;
}

/** What is to be written of a part that begins at `offset` of the file: all but pages of zeros, a write each. */
export function runsOfData(part: Uint8Array, offset: number): readonly Run[] {
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  const runs: Run[] = [];
  let start: number | undefined;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + PAGE_BYTES - ((offset + at) % PAGE_BYTES));
    const isHole = bytes[at] === 0 && bytes.compare(ZEROS, 0, end - at, at, end) === 0;
    if (isHole && start !== undefined) {
      runs.push({ start, end: at });
      start = undefined;
    } else if (!isHole) start ??= at;
    at = end;
    if (start !== undefined && end - start >= WRITE_BYTES_MAX) {
      runs.push({ start, end });
      start = undefined;
    }
  }
  if (start !== undefined) runs.push({ start, end: bytes.length });
  return runs;
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, position + at);
    at += bytesWritten;
  }
}
