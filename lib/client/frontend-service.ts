// What the frontend function serves, whichever way it is asked: the use-cases of one store as the two wire formats need
// them. Everything here is small enough for one answer; larger objects go in parts.
import type { PocketfulError } from '../foundation/errors.ts';

export interface ObjectInfo {
  readonly key: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly createdAtMs: number;
  readonly metadata?: string | undefined;
}

export interface NewObject {
  readonly key: string;
  readonly body: Uint8Array;
  readonly metadata?: string | undefined;
}

export interface ReadRequest {
  readonly key: string;
  readonly range?: { readonly offset: number; readonly length: number } | undefined;
  /** Throws `conflict` OBJECT_CHANGED if the object has another version by now. */
  readonly version?: string | undefined;
}

export interface ListRequest {
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  readonly from?: string | undefined;
  readonly limit?: number | undefined;
}

export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  readonly commonPrefixes: readonly string[];
  readonly next?: string | undefined;
}

export interface ReadResult {
  readonly object: ObjectInfo;
  readonly offset: number;
  readonly body: Uint8Array;
}

export interface FrontendService {
  put(namespace: string, object: NewObject): Promise<ObjectInfo>;
  /** One result per object, in order: a batch is not atomic. */
  putMany(namespace: string, objects: readonly NewObject[]): Promise<(ObjectInfo | PocketfulError)[]>;
  /** Throws `invalid` RANGE_REQUIRED rather than answer with more than `bytesMax`. */
  read(namespace: string, request: ReadRequest, bytesMax: number): Promise<ReadResult>;
  head(namespace: string, key: string): Promise<ObjectInfo>;
  /** False if there was no such object. */
  delete(namespace: string, key: string): Promise<boolean>;
  list(namespace: string, request: ListRequest): Promise<ListPage>;
  uploadBegin(namespace: string, object: Omit<NewObject, 'body'>): Promise<{ upload: string; partBytesMax: number }>;
  /** A part that was stored before is skipped: `nextOffset` is where the upload stands. */
  uploadPart(upload: string, offset: number, body: Uint8Array): Promise<{ nextOffset: number }>;
  uploadFinish(upload: string, sizeBytes: number): Promise<ObjectInfo>;
  uploadAbort(upload: string): Promise<void>;
}
