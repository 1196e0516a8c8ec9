// One object of a put: what is given, and what became of it.
import { isPocketfulError } from '../foundation/errors.ts';
import type { ObjectVersion } from '../foundation/ids.ts';
import type { ObjectRow } from '../panda/rows/object-row.ts';
import type { ByteSource } from './cut-blocks.ts';
import { checkSystem } from './object-keys.ts';

export interface PutItem {
  readonly namespace: string;
  readonly key: string;
  readonly body: ByteSource;
  /** Asked before `body` is: all of it if it has at most so many bytes, and somebody has read and hashed it. */
  readonly whole?: ((bytesMax: number) => Promise<WholeBody | undefined>) | undefined;
  readonly metadata?: string | undefined;
  /** Only if the object is at this version now; 'absent': only if there is none. */
  readonly ifVersion?: ObjectVersion | 'absent' | undefined;
  /** Called when the body has been read, before anything is published: rejects if it is not what it was. */
  readonly verify?: (() => Promise<void>) | undefined;
  /** What is kept of it besides; asked for when the body has been read and verified. */
  readonly facts?: (() => ObjectFacts) | undefined;
  /** About how long it is, if known. */
  readonly sizeBytes?: number | undefined;
  /** Its blocks are shared with no other namespace. */
  readonly ownBlocks?: boolean | undefined;
  /** Its key need not be a path. */
  readonly isAnyKey?: true | undefined;
}

/** What is known of it once its body is read: all else was for reading that. */
export type PutName = Pick<PutItem, 'namespace' | 'key' | 'ifVersion'>;

export interface WholeBody {
  /** The store's to keep. */
  readonly bytes: Uint8Array;
  /** Hex. */
  readonly sha256: string;
  /** Called when nobody looks at the bytes any more. */
  readonly free?: (() => void) | undefined;
}

/** What S3 keeps of an object apart from its content: part of its row. */
export type ObjectFacts = Pick<ObjectRow, 'md5' | 'system'>;

export interface PutResult {
  readonly key: string;
  readonly ok: true;
  readonly version: ObjectVersion;
  readonly etag: string;
  readonly sizeBytes: number;
  /** Record bytes stored for it; 0 when all its blocks were known. */
  readonly newBytes: number;
  readonly dedupedBlocks: number;
}
export type PutOutcome = PutResult | { readonly key: string; readonly ok: false; readonly error: Error };

export function factsOf(item: PutItem): ObjectFacts {
  const facts = item.facts?.() ?? {};
  checkSystem(facts.system);
  return facts;
}

/** Two items of one name are done in the order they came. */
export const nameOf = (item: Pick<PutItem, 'namespace' | 'key'>): string => `${item.namespace}/${item.key}`;

export function resultOf(
  item: Pick<PutItem, 'key'>,
  row: ObjectRow,
  newBytes: number,
  dedupedBlocks: number,
): PutResult {
  return {
    key: item.key,
    ok: true,
    version: row.version,
    etag: row.etag,
    sizeBytes: row.sizeBytes,
    newBytes,
    dedupedBlocks,
  };
}

/** What one item can be blamed for: our typed errors, and what its body threw (a file that vanished, say). */
export function isItemError(error: unknown): error is Error {
  if (isPocketfulError(error)) return true;
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}
