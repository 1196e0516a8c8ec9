// What the threads that write a tree are told, and answer.
import type { SealedRecord } from '../../../frontend/frontend.ts';

/** A file whose only block is among the bytes of the order. */
export interface SealedFile extends SealedRecord {
  readonly folder: string;
  /** Where it is written, in that folder; it gets its name later. */
  readonly temporary: string;
  readonly mode: number;
  /** The mode has bits that a new file does not get by itself. */
  readonly isMasked: boolean;
}

export interface NewName {
  readonly folder: string;
  readonly temporary: string;
  readonly path: string;
}

/** A file that is there, and what it should hold: so many bytes of this SHA-256. */
export interface ComparedFile {
  readonly folder: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export type Order =
  | { readonly what: 'compare'; readonly files: readonly ComparedFile[] }
  | { readonly what: 'write'; readonly bytes: Uint8Array; readonly files: readonly SealedFile[] }
  | { readonly what: 'name'; readonly overwrite: boolean; readonly names: readonly NewName[] };

/**
 * Which of its files are done, or as they should be. Of one that is not done nothing is left; whoever ordered it tries
 * it another way.
 */
export type Done = readonly boolean[];
