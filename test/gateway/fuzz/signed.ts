// Requests as clients sign them, to be spoiled afterwards: in headers, in the address, and bodies in signed chunks.
import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { AccessKey } from '../../../lib/access/access-keys.ts';
import { canonicalRequests, sha256Hex } from '../../../lib/s3/auth/canonical.ts';
import { type Scope, scopeText, signatureOf, signingKey } from '../../../lib/s3/auth/signature.ts';

export const HOST = '127.0.0.1:9000';

export interface Plain {
  readonly method: string;
  /** Encoded. */
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadHash: string;
}

export interface Signed extends Plain {
  readonly signature: string;
  readonly timestamp: string;
  readonly scope: Scope;
}

export type Key = Pick<AccessKey, 'id' | 'secret'>;

let known: { readonly secret: string; readonly date: string; readonly signing: KeyObject } | undefined;

/** That of the day, once for all of its requests. */
function keyOf({ secret }: Key, scope: Scope): KeyObject {
  if (known?.secret !== secret || known.date !== scope.date)
    known = { secret, date: scope.date, signing: signingKey(secret, scope) };
  return known.signing;
}

const timestampOf = (nowMs: number): string => `${new Date(nowMs).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;

export function signed(plain: Plain, key: Key, nowMs: number): Signed {
  const timestamp = timestampOf(nowMs);
  const scope = { date: timestamp.slice(0, 8), region: 'us-east-1', service: 's3' };
  const headers: Record<string, string> = {
    host: HOST,
    'x-amz-date': timestamp,
    'x-amz-content-sha256': plain.payloadHash,
    ...plain.headers,
  };
  const signedHeaders = Object.keys(headers).sort();
  const raw = { method: plain.method, path: plain.path, query: plain.query, headers: new Map(Object.entries(headers)) };
  const choice = { signedHeaders, payloadHash: plain.payloadHash, withoutQuery: 'X-Amz-Signature' };
  const signature = signatureOf(keyOf(key, scope), timestamp, scope, canonicalOf(raw, choice));
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${key.id}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return { ...plain, headers, signature, timestamp, scope };
}

/** Of what cannot be decoded there is no canonical form, and no signature that is right. */
function canonicalOf(...args: Parameters<typeof canonicalRequests>): string {
  try {
    return canonicalRequests(...args)[0] ?? '';
  } catch {
    return '';
  }
}

export const MODES = [
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
] as const;
export type Mode = (typeof MODES)[number];

export const crc32Of = (content: Uint8Array): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(content));
  return bytes.toString('base64');
};

/** `content` in aws-chunked, cut at these lengths. */
export function chunked(content: Uint8Array, cuts: readonly number[], mode: Mode, from: Signed, key: Key): Buffer {
  const signing = keyOf(key, from.scope);
  let previous = from.signature;
  const next = (algorithm: string, hashes: readonly string[]): string => {
    const lines = [algorithm, from.timestamp, scopeText(from.scope), previous, ...hashes];
    previous = createHmac('sha256', signing).update(lines.join('\n')).digest('hex');
    return previous;
  };
  const isSigned = mode !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of [...cuts, ...(content.length > 0 ? [content.length] : []), 0]) {
    const chunk = length === 0 ? new Uint8Array(0) : content.subarray(at, Math.min(content.length, at + length));
    if (chunk.length === 0 && length !== 0) continue;
    at += chunk.length;
    const hash = createHash('sha256').update(chunk).digest('hex');
    const signature = isSigned ? `;chunk-signature=${next('AWS4-HMAC-SHA256-PAYLOAD', [sha256Hex(''), hash])}` : '';
    pieces.push(Buffer.from(`${chunk.length.toString(16)}${signature}\r\n`), chunk);
    if (length !== 0) pieces.push(Buffer.from('\r\n'));
  }
  if (mode !== 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD') {
    const value = crc32Of(content);
    pieces.push(Buffer.from(`x-amz-checksum-crc32:${value}\r\n`));
    if (isSigned) {
      const signature = next('AWS4-HMAC-SHA256-TRAILER', [sha256Hex(`x-amz-checksum-crc32:${value}\n`)]);
      pieces.push(Buffer.from(`x-amz-trailer-signature:${signature}\r\n`));
    }
  }
  pieces.push(Buffer.from('\r\n'));
  return Buffer.concat(pieces);
}
