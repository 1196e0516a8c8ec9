// What the thread pool of Node does for large blocks: the one place where a block waits for something that is no port.
// Small blocks never come here, so that a simulation on small blocks waits for nothing but its scheduler.
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

export const compressInPool = promisify(zstdCompress);
export const decompressInPool = promisify(zstdDecompress);

export const sha256InPool = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
