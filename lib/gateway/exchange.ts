// A request and its answer as the operations see them: no sockets, so that they are tried without any.
import type { AccessKey } from '../access/access-keys.ts';
import type { RawRequest } from '../s3/auth/canonical.ts';
import type { Sender } from '../s3/auth/verify.ts';
import type { Operation } from '../s3/request/operation.ts';

export interface GatewayRequest extends RawRequest {
  /** Names this request in the answer and in logs. */
  readonly id: string;
  /** Its bytes as they come; asking for the first of them lets the client send them. */
  body(): AsyncIterable<Uint8Array>;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** None to a HEAD. */
  readonly body?: string | AsyncIterable<Uint8Array> | undefined;
  /** What it did, for metrics; unknown where it was refused before that was known. */
  readonly operation?: Operation | undefined;
  /** Of a failure. */
  readonly code?: string | undefined;
}

/** A request whose sender is known and may do what it asks for. */
export interface Call {
  readonly request: GatewayRequest;
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  readonly operation: Operation;
  readonly sender: Sender<AccessKey>;
  /** Empty only where an operation is about neither. */
  readonly bucket: string;
  readonly key: string;
}

export const XML_TYPE = { 'content-type': 'application/xml' };
export const quoted = (etag: string): string => `"${etag}"`;
export const httpDate = (ms: number): string => new Date(ms).toUTCString();
export const isoDate = (ms: number): string => new Date(ms).toISOString();
