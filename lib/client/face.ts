// The one face of a store, whichever engine is behind its address: `file:DIR` (the embedded engine) or `aws:STAGE`. The
// CLI, the demonstration and programs that import Pocketful use only this.

import type { Unshipped } from '../engine/ship/store-journal.ts';
import type { Clock } from '../foundation/clock.ts';
import { invalid } from '../foundation/errors.ts';
import type { Randomness } from '../foundation/randomness.ts';
import type { Frontend, SealedRecord } from '../frontend/frontend.ts';
import type { DamagedName } from '../frontend/list-objects.ts';
import type { WholeBody } from '../frontend/put-item.ts';
import type { BadRow } from '../panda/rows/row-reader.ts';
import type { ListPage, ListRequest, ObjectInfo } from '../service/object-info.ts';
import type { EncodePass, EncodeProgress, StoreAdmin, Watch } from './admin.ts';
import { homePath } from './home-path.ts';

export type { DamagedName, ListPage, ListRequest, ObjectInfo };

export const DEFAULT_ADDRESS = 'file:.pocketful';
export const DEFAULT_NAMESPACE = 'default';

export type { WholeBody };

export interface PutRequest {
  readonly key: string;
  /** Called once. */
  readonly body: () => AsyncIterable<Uint8Array>;
  /** Asked before `body`, which is then not called: all of it and its SHA-256, if it has at most so many bytes. */
  readonly whole?: ((bytesMax: number) => Promise<WholeBody | undefined>) | undefined;
  /** About how long it is, if known: small bodies are gathered. */
  readonly sizeBytes?: number | undefined;
  readonly metadata?: string | undefined;
  /** Only if the object is at this version now; 'absent': only if there is none. */
  readonly ifVersion?: string | undefined;
  /** Called when the body has been read, before it is published: rejects if it is not what it was. */
  readonly verify?: (() => Promise<void>) | undefined;
}

/** What a store that is on this machine does for puts that need not read files again. */
export interface Remembering {
  /** A directory of its own, where what trees of files were may be kept. */
  readonly directory: string;
  /** What is known of each where it is still of that version and can be read now; undefined: it is to be put. */
  confirm(
    remembered: readonly { readonly key: string; readonly version: string }[],
  ): Promise<(ObjectInfo | undefined)[]>;
}

export interface PutReport {
  readonly key: string;
  readonly ok: true;
  readonly version: string;
  readonly etag: string;
  readonly sizeBytes: number;
  /** Record bytes it added to the store, 0 if all of it was known; undefined where the engine does not say. */
  readonly newBytes: number | undefined;
}
export interface ItemFailure {
  readonly key: string;
  readonly ok: false;
  readonly error: Error;
}
export type PutOutcome = PutReport | ItemFailure;
export type DeleteOutcome = { readonly key: string; readonly ok: true } | ItemFailure;

export interface ByteRange {
  readonly offset: number;
  /** To the end if not given. */
  readonly length?: number | undefined;
}

export interface OpenBody {
  readonly object: ObjectInfo;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The objects of all namespaces, with what S3 keeps of them: for a server in front of the store, which has one of these
 * for all that is under way.
 */
export interface ObjectEngine
  extends Pick<Frontend, 'putAll' | 'get' | 'read' | 'head' | 'list' | 'deleteAll' | 'compose'> {
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** To be called at the end, and now and then: figures of the day are written. */
  tally?(): Promise<void>;
}

export interface TreeRequest {
  readonly prefix: string;
  /** False: the object is wanted on its own (`get`), whatever it is like. */
  isTogether(object: ObjectInfo): boolean;
  /** Told of names whose row is damaged. */
  damaged(one: DamagedName): void;
}

/** A piece of many objects: records that lie beside each other, still sealed, or objects to be read by `get`. */
export type TreePart =
  | {
      readonly kind: 'sealed';
      readonly bytes: Uint8Array;
      readonly objects: readonly (SealedRecord & { readonly object: ObjectInfo })[];
    }
  | { readonly kind: 'alone'; readonly objects: readonly ObjectInfo[] };

export interface PocketfulStore {
  readonly address: string;
  readonly namespace: string;
  /** Directories of this machine that are parts of the store, which stores none of them; none where it is elsewhere. */
  readonly places: readonly string[];
  /** Missing: the engine has no such thing. */
  readonly remembering?: Remembering | undefined;
  /** One outcome for each, as they become durable; a failing one does not stop the others. */
  putAll(items: AsyncIterable<PutRequest> | Iterable<PutRequest>): AsyncIterable<PutOutcome>;
  /** What puts leave to be done: encodes what has cooled. Undefined where a schedule does that. */
  afterPut(watch?: Watch<EncodeProgress>): Promise<EncodePass | undefined>;
  /**
   * Resolves once the drives have the metadata of all that was acknowledged. Throws `retry` JOURNAL_UNSHIPPED, and
   * `invalid` NOT_FOR_STAGE where there is no journal.
   */
  sync(): Promise<void>;
  /** Throws `missing` OBJECT_MISSING. Errors of the body come while it is read. */
  get(key: string, range?: ByteRange): Promise<OpenBody>;
  /** Every object of a prefix, in the order of where they lie; missing where that is not known. */
  readTree?(request: TreeRequest): AsyncIterable<TreePart>;
  head(key: string): Promise<ObjectInfo>;
  /** One page, in key order. */
  list(request: ListRequest): Promise<ListPage>;
  deleteAll(keys: AsyncIterable<string> | Iterable<string>): AsyncIterable<DeleteOutcome>;
  /** On a stage with the user's own rights on its table, drives and key, not through its function. */
  objects(): Promise<ObjectEngine>;
  /** Rows that could not be read and were passed over so far; undefined where the engine does not say. */
  readonly badRows?: readonly BadRow[];
  /** Changes of the metadata that are on no drive, known once it is closed; undefined: none, or there is no journal. */
  readonly unshipped?: Unshipped | undefined;
  /** Throws `invalid` NOT_FOR_STAGE where the engine has no such commands. */
  readonly admin: StoreAdmin;
  close(): Promise<void>;
}

export type StoreAddress =
  | { readonly engine: 'file'; readonly dir: string }
  | { readonly engine: 'aws'; readonly stage: string };

/** Throws `invalid` ADDRESS_INVALID. */
export function parseAddress(address: string): StoreAddress {
  const [engine, ...rest] = address.split(':');
  const place = rest.join(':');
  if (engine === 'file' && /^~[^/]/.test(place))
    throw invalid(
      'ADDRESS_INVALID',
      `store "${address}": only ~/ is known here: write the directory out, or file:./${place}`,
    );
  if (engine === 'file' && place !== '') return { engine, dir: homePath(place) };
  if (engine === 'aws' && /^[a-z][a-z0-9-]{0,31}$/.test(place)) return { engine, stage: place };
  throw invalid('ADDRESS_INVALID', `store "${address}": an address is file:DIRECTORY or aws:STAGE`);
}

/**
 * Every object below a prefix, page by page. Names whose row is damaged are told to `damaged`; without it the first of
 * them is thrown at the end, so that none is left out silently.
 */
export async function* listAll(
  store: PocketfulStore,
  request: ListRequest = {},
  damaged?: (one: DamagedName) => void,
): AsyncGenerator<ObjectInfo> {
  let first: Error | undefined;
  let from = request.from;
  for (;;) {
    const page = await store.list({ ...request, ...(from === undefined ? {} : { from }) });
    yield* page.objects;
    for (const one of page.damaged ?? []) {
      first ??= one.error;
      damaged?.(one);
    }
    if (page.next === undefined) break;
    from = page.next;
  }
  if (first !== undefined && damaged === undefined) throw first;
}
