// zstd for one block: compressing where it looks worth it, and decompressing within hard bounds. Below POOL_BYTES_MIN
// the calling thread does it, as handing a small block to the thread pool costs several times what compressing it does.
import { constants, type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { COMPRESSED_SHARE_MAX, WINDOW_LOG_MAX } from '../limits/bytes.ts';
import { looksCompressible } from './compressibility.ts';
import { compressInPool, decompressInPool } from './thread-pool.ts';

const KIB = 1024;
/**
 * From here on the thread pool is as fast as the calling thread, and leaves the event loop free (measured on two
 * cores).
 */
export const POOL_BYTES_MIN = 256 * KIB;

/** The compressed block, or undefined where it stays as it is. */
export function compressed(block: Uint8Array): Uint8Array | undefined {
  if (!looksCompressible(block)) return undefined;
  return kept(zstdCompressSync(block, compressOptions(block.byteLength)), block);
}

/** The same, off the calling thread for large blocks. */
export async function compressedInPool(block: Uint8Array): Promise<Uint8Array | undefined> {
  if (block.byteLength < POOL_BYTES_MIN) return compressed(block);
  if (!looksCompressible(block)) return undefined;
  return kept(await compressInPool(block, compressOptions(block.byteLength)), block);
}

/** Throws (any error) unless `body` is a sound frame; never returns or allocates more than `plaintextBytes`. */
export const decompressed = (body: Uint8Array, plaintextBytes: number): Uint8Array =>
  zstdDecompressSync(body, decompressOptions(plaintextBytes));

export const decompressedInPool = async (body: Uint8Array, plaintextBytes: number): Promise<Uint8Array> =>
  plaintextBytes < POOL_BYTES_MIN
    ? decompressed(body, plaintextBytes)
    : decompressInPool(body, decompressOptions(plaintextBytes));

const kept = (result: Uint8Array, block: Uint8Array): Uint8Array | undefined =>
  result.byteLength <= block.byteLength * COMPRESSED_SHARE_MAX ? result : undefined;

/**
 * One output chunk for the whole answer, so that it is not gathered from pieces. The pledged size goes into the frame,
 * which the thread pool would else begin without knowing it. (Pool or not, the same content may be framed differently.)
 */
const compressOptions = (bytes: number): ZstdOptions => ({
  chunkSize: Math.max(bytes, KIB),
  pledgedSrcSize: bytes,
  params: { [constants.ZSTD_c_compressionLevel]: 1 },
});

const decompressOptions = (plaintextBytes: number): ZstdOptions => ({
  chunkSize: Math.max(plaintextBytes, KIB),
  maxOutputLength: Math.max(plaintextBytes, 1),
  params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
});
