// The KEK port: numbered versions of the key-encryption key. A KEK wraps the BEK of every block; it never leaves the
// process and never reaches a drive, a row or a log. Rotation adds a version and re-wraps rows; destroying a version
// makes all that it alone wrapped unreadable for good.
import { isPocketfulError } from '../foundation/errors.ts';

export interface KekVersion {
  /** 1, 2, 3 …, never used again. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly state: 'current' | 'previous' | 'destroyed';
}

/**
 * Errors of every body (PocketfulError): `denied` KEK_MISSING (no key file, no such version), KEK_WRONG (it is the key
 * of another store, or damaged), KEK_DESTROYED, KEK_DENIED (KMS refused); `retry` KEK_BUSY.
 */
export interface KekStore {
  /** Ascending by version; exactly one is `current`. */
  versions(): Promise<readonly KekVersion[]>;
  /** 32 bytes of a version that is not destroyed; bodies cache it for the life of the process. */
  kek(version: number): Promise<Uint8Array>;
  /** Makes a new version and makes it current. Durable when it resolves. */
  rotate(): Promise<KekVersion>;
  /**
   * Destroys a version that is not current: durable, and its bytes are overwritten where the medium allows. Idempotent.
   */
  destroy(version: number): Promise<void>;
}

/**
 * The version was destroyed. Whoever goes by rows or a list of versions of before reads them again: a key is destroyed
 * only once nothing is wrapped by it any more.
 */
export const isKeyDestroyed = (error: unknown): boolean => isPocketfulError(error) && error.code === 'KEK_DESTROYED';
