// Signatures of version 4: the signing key, and what is signed of a request, of a chunk, and of trailers.
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { sha256Hex } from './canonical.ts';

export interface Scope {
  /** YYYYMMDD. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** A key object first: given bytes, createHmac takes 9 us longer, three times as long as the rest. */
const hmacWith = (key: KeyObject, data: string): Buffer => createHmac('sha256', key).update(data).digest();

const hmac = (key: Uint8Array, data: string): Buffer => hmacWith(createSecretKey(key), data);

export const scopeText = ({ date, region, service }: Scope): string => `${date}/${region}/${service}/aws4_request`;

export function signingKey(secret: string, { date, region, service }: Scope): KeyObject {
  const scoped = hmac(hmac(hmac(Buffer.from(`AWS4${secret}`), date), region), service);
  return createSecretKey(hmac(scoped, 'aws4_request'));
}

export const signatureOf = (key: KeyObject, timestamp: string, scope: Scope, canonicalRequest: string): string =>
  hmacWith(key, ['AWS4-HMAC-SHA256', timestamp, scopeText(scope), sha256Hex(canonicalRequest)].join('\n')).toString(
    'hex',
  );

/** In constant time where both are as long as a signature is. */
export function isSameSignature(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

const EMPTY_SHA256 = sha256Hex('');

/** Signatures of a body that comes in chunks: each is chained to the one before, the first to the request's. */
export class ChunkSigner {
  readonly #key: KeyObject;
  readonly #timestamp: string;
  readonly #scope: Scope;
  #previous: string;

  constructor(key: KeyObject, timestamp: string, scope: Scope, seed: string) {
    this.#key = key;
    this.#timestamp = timestamp;
    this.#scope = scope;
    this.#previous = seed;
  }

  /** False if the chunk is not signed by this. */
  isChunk(chunkSha256: string, signature: string): boolean {
    return this.#isNext('AWS4-HMAC-SHA256-PAYLOAD', [EMPTY_SHA256, chunkSha256], signature);
  }

  /** `trailers`: as signed, `name:value` and a line feed each. */
  areTrailers(trailers: string, signature: string): boolean {
    return this.#isNext('AWS4-HMAC-SHA256-TRAILER', [sha256Hex(trailers)], signature);
  }

  #isNext(algorithm: string, hashes: readonly string[], signature: string): boolean {
    const lines = [algorithm, this.#timestamp, scopeText(this.#scope), this.#previous, ...hashes];
    this.#previous = hmacWith(this.#key, lines.join('\n')).toString('hex');
    return isSameSignature(this.#previous, signature);
  }
}
