// The drive port: one S3 bucket, one directory or one Map playing an SMR disk. A drive holds append-only zones. An
// object in a zone generation is written once, whole, and never changed; a zone generation is erased as a whole and
// never object by object, so no caller can delete a single chunk by mistake.

import type { StorageClass } from '../cost/price-book.ts';

/** An SMR zone of a drive in one of its generations. Keys on the medium are `zone/generation/name`. */
export interface ZoneRef {
  readonly zone: number;
  readonly generation: number;
}

/** Names an object of a zone generation: lower-case letters, digits and `-`, 1..64 characters. */
export type ChunkName = string;

export interface ByteRange {
  readonly offset: number;
  /** More than the object holds from `offset` is an answer shorter than asked, never an error. */
  readonly length: number;
}

export interface ChunkListing {
  readonly name: ChunkName;
  readonly bytes: number;
}

/**
 * Errors of every body (PocketfulError):
 * - `conflict` CHUNK_EXISTS  the name is taken: `append` wrote nothing (the caller reads it to see whose it is)
 * - `missing`  CHUNK_MISSING no such object
 * - `retry`    DRIVE_BUSY    throttled, timed out, 409, 5xx: `append` may or may not have written
 * - `retry`    DRIVE_FULL    no space: nothing was written under the name
 * - `retry`    DRIVE_READ_ONLY  cannot be written
 * - `retry`    DRIVE_UNAVAILABLE  the whole drive cannot be reached (missing directory or bucket)
 * - `denied`   DRIVE_DENIED  no permission
 */
export interface Drive {
  /** For people: a path or a bucket name. No credentials in it. */
  readonly label: string;

  /**
   * Stores an object atomically and durably, or throws; never overwrites. `parts` are written one after the other, so
   * that a header and a payload need not be copied together. When it resolves, the bytes survive a power cut.
   * `storageClass`: in which it is to be kept, where the medium has several.
   */
  append(
    at: ZoneRef,
    name: ChunkName,
    parts: readonly Uint8Array[],
    signal?: AbortSignal,
    storageClass?: StorageClass,
  ): Promise<void>;

  /** The object, or the part of it in `range`. The answer is the caller's to keep. */
  read(at: ZoneRef, name: ChunkName, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array>;

  /** All objects of a zone generation, by name; empty if there is none. */
  list(at: ZoneRef, signal?: AbortSignal): Promise<ChunkListing[]>;

  /**
   * Every zone generation that holds at least one object, by zone and generation: for rebuilding and for sweeping
   * strays.
   */
  zones(signal?: AbortSignal): Promise<ZoneRef[]>;

  /**
   * Deletes all objects of a zone generation. Idempotent; after it resolves, `list` is empty unless somebody appends
   * again.
   */
  erase(at: ZoneRef, signal?: AbortSignal): Promise<void>;

  /** Resolves if the drive can be read and written now; throws as above otherwise. Leaves nothing behind. */
  probe(signal?: AbortSignal): Promise<void>;
}
