// Does a file hold what an object holds? By the object's ETag where that can be reckoned from the file, which needs
// nothing of the store; else by reading the object beside it, which ends where they differ. A namespace with blocks of
// its own has ETags of its own, so another ETag alone says nothing.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { OpenBody } from '../face.ts';

const PIECE_BYTES = 1024 * 1024;

/** For a file of the object's size. */
export async function isSameContent(path: string, opened: OpenBody): Promise<boolean> {
  const { etag, sizeBytes } = opened.object;
  const [digest, count] = etag.split('-');
  if (count === undefined && (await hashesOf(path, PIECE_BYTES)).whole === digest) return true;
  if (count === undefined) return holds(path, opened.body);
  const blockBytes = powerOfTwoBetween(sizeBytes / Number(count), sizeBytes / (Number(count) - 1));
  if (blockBytes !== undefined && (await hashesOf(path, blockBytes)).ofBlocks === digest) return true;
  return holds(path, opened.body);
}

/** A length of blocks by which so many bytes are so many blocks; the presets have no other than powers of two. */
function powerOfTwoBetween(min: number, max: number): number | undefined {
  const bytes = 2 ** Math.ceil(Math.log2(min));
  return Number.isSafeInteger(bytes) && bytes >= 1024 && bytes < max ? bytes : undefined;
}

async function hashesOf(path: string, blockBytes: number): Promise<{ whole: string; ofBlocks: string }> {
  const whole = createHash('sha256');
  const ofBlocks = createHash('sha256');
  let block: Hash | undefined;
  let room = 0;
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>) {
    whole.update(piece);
    for (let at = 0; at < piece.length; ) {
      if (room === 0) {
        if (block !== undefined) ofBlocks.update(block.digest());
        block = createHash('sha256');
        room = blockBytes;
      }
      const part = piece.subarray(at, at + room);
      block?.update(part);
      at += part.length;
      room -= part.length;
    }
  }
  if (block !== undefined) ofBlocks.update(block.digest());
  return { whole: whole.digest('hex'), ofBlocks: ofBlocks.digest('hex') };
}

async function holds(path: string, body: AsyncIterable<Uint8Array>): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    let at = 0;
    for await (const part of body) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(part.byteLength), 0, part.byteLength, at);
      if (bytesRead !== part.byteLength || !buffer.equals(part)) return false;
      at += bytesRead;
    }
    return true;
  } finally {
    await file.close();
  }
}
