// The body of a request: out of its chunks, counted, hashed, and held against everything its sender said of it. What
// the content is used for is published only after `finish`.
import { createHash, type Hash, hash } from 'node:crypto';
import { PUT_BYTES_MAX } from '../limits/gateway.ts';
import { ChunkDecoder } from '../s3/body/aws-chunked.ts';
import {
  ALGORITHMS,
  type Algorithm,
  algorithmOf,
  algorithmOfHeader,
  checkedValue,
  type Hasher,
  hasherOf,
  headerOf,
} from '../s3/body/checksum.ts';
import { S3Fault } from '../s3/fault.ts';
import type { Call } from './exchange.ts';

export interface BodySums {
  /** Hex. */
  readonly md5: string;
  /** Hex; undefined: its sender did not say one. */
  readonly sha256: string | undefined;
  /** Base64. */
  readonly checksums: Readonly<Partial<Record<Algorithm, string>>>;
  readonly sizeBytes: number;
}

const SHA256 = /^[0-9a-f]{64}$/;
const STREAMING: Readonly<Record<string, { readonly isSigned: boolean; readonly hasTrailer: boolean }>> = {
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { isSigned: false, hasTrailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { isSigned: true, hasTrailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { isSigned: true, hasTrailer: true },
};

/** `also`: a checksum that is wanted though the sender gives none. */
export async function openBody(call: Call, also?: Algorithm): Promise<VerifiedBody> {
  const { headers, sender } = call;
  const { payloadHash } = sender.claim;
  const streaming = STREAMING[payloadHash];
  if (streaming === undefined && payloadHash !== 'UNSIGNED-PAYLOAD' && !SHA256.test(payloadHash))
    throw payloadHash.startsWith('STREAMING-')
      ? new S3Fault('NotImplemented', 'this way to sign a payload is not implemented', {
          Header: 'x-amz-content-sha256',
        })
      : new S3Fault(
          'InvalidArgument',
          'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-…, or a valid sha256 value',
        );
  const trailers = streaming?.hasTrailer ? trailersOf(headers) : new Map<string, Algorithm>();
  // A Complete says the checksum of the object that it completes, not of the list of parts that it sends.
  const expected = call.operation === 'CompleteMultipartUpload' ? new Map<Algorithm, string>() : expectedSums(headers);
  const algorithms = new Set<Algorithm>([...expected.keys(), ...trailers.values()]);
  if (expected.size + trailers.size > 1) throw severalSums();
  const asked = headers.get('x-amz-sdk-checksum-algorithm');
  if (asked !== undefined) askFor(algorithmOf(asked), algorithms);
  if (also !== undefined) algorithms.add(also);
  const hashers = new Map<Algorithm, Hasher>();
  for (const algorithm of algorithms) hashers.set(algorithm, await hasherOf(algorithm));
  return new VerifiedBody(() => call.request.body(), {
    ...lengthOf(headers, streaming !== undefined),
    decoder:
      streaming &&
      new ChunkDecoder({ signer: streaming.isSigned ? sender.chunks : undefined, trailers: [...trailers.keys()] }),
    hashers,
    expected,
    md5: contentMd5(headers),
    sha256: SHA256.test(payloadHash) ? payloadHash : undefined,
  });
}

/** Bytes that come from the store itself, in place of a request's. */
export async function copiedBody(
  bytes: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  algorithm?: Algorithm,
): Promise<VerifiedBody> {
  const hashers = new Map(algorithm === undefined ? [] : [[algorithm, await hasherOf(algorithm)]]);
  const nothing = { decoder: undefined, expected: new Map(), md5: undefined, sha256: undefined };
  return new VerifiedBody(() => bytes, { sizeBytes, hasLength: true, hashers, ...nothing });
}

interface Expected {
  readonly sizeBytes: number;
  /** It was said, and is to be just that; else it is the most that may come. */
  readonly hasLength: boolean;
  readonly decoder: ChunkDecoder | undefined;
  readonly hashers: ReadonlyMap<Algorithm, Hasher>;
  readonly expected: ReadonlyMap<Algorithm, string>;
  readonly md5: string | undefined;
  readonly sha256: string | undefined;
}

/** Hex, once it has been read. */
interface Sums {
  md5(): string;
  sha256(): string | undefined;
}

class StreamedSums implements Sums {
  readonly #md5 = createHash('md5');
  readonly #sha256: Hash | undefined;

  constructor(hasSha256: boolean) {
    this.#sha256 = hasSha256 ? createHash('sha256') : undefined;
  }

  update(piece: Uint8Array): void {
    this.#md5.update(piece);
    this.#sha256?.update(piece);
  }

  md5(): string {
    return this.#md5.digest('hex');
  }

  sha256(): string | undefined {
    return this.#sha256?.digest('hex');
  }
}

export class VerifiedBody {
  /** At the most. */
  readonly sizeBytes: number;
  readonly #source: () => AsyncIterable<Uint8Array>;
  readonly #expected: Expected;
  #sums: Sums | undefined;
  #bytes = 0;
  #isWhole = false;

  constructor(source: () => AsyncIterable<Uint8Array>, expected: Expected) {
    this.#source = source;
    this.#expected = expected;
    this.sizeBytes = expected.sizeBytes;
  }

  /** Undefined: its sender did not say. */
  get saidBytes(): number | undefined {
    return this.#expected.hasLength ? this.sizeBytes : undefined;
  }

  /** Once. */
  async *content(): AsyncGenerator<Uint8Array> {
    const sums = new StreamedSums(this.#expected.sha256 !== undefined);
    this.#sums = sums;
    for await (const piece of this.#source()) {
      for (const part of this.#partsOf(piece)) {
        sums.update(part);
        yield part;
      }
    }
    this.#isWhole = true;
  }

  /** The whole of it, which is small, in memory of its own. Hashed at once: that takes half as long as in pieces. */
  async whole(): Promise<Uint8Array<ArrayBuffer>> {
    const out = Buffer.allocUnsafeSlow(this.sizeBytes);
    let at = 0;
    const { decoder } = this.#expected;
    for await (const piece of this.#source()) {
      for (const part of decoder === undefined ? [piece] : decoder.push(piece)) {
        out.set(this.#take(part), at);
        at += part.length;
      }
    }
    this.#isWhole = true;
    const bytes = out.subarray(0, at);
    this.#sums = {
      md5: () => hash('md5', bytes, 'hex'),
      sha256: () => (this.#expected.sha256 === undefined ? undefined : hash('sha256', bytes, 'hex')),
    };
    return bytes;
  }

  *#partsOf(piece: Uint8Array): Generator<Uint8Array> {
    const { decoder } = this.#expected;
    if (decoder === undefined) yield this.#take(piece);
    else for (const part of decoder.push(piece)) yield this.#take(part);
  }

  #take(piece: Uint8Array): Uint8Array {
    this.#bytes += piece.length;
    if (this.#bytes > this.sizeBytes)
      throw this.#expected.hasLength
        ? new S3Fault('IncompleteBody', 'the body is longer than it was said to be')
        : new S3Fault('EntityTooLarge', 'your proposed upload exceeds the maximum allowed object size');
    for (const hasher of this.#expected.hashers.values()) hasher.update(piece);
    return piece;
  }

  /** Throws what does not match. To be called when the content has been read. */
  finish(): BodySums {
    const read = this.#sums;
    if (read === undefined || !this.#isWhole || (this.#expected.hasLength && this.#bytes < this.sizeBytes))
      throw new S3Fault(
        'IncompleteBody',
        'you did not provide the number of bytes specified by the Content-Length header',
      );
    const trailers = this.#expected.decoder?.end() ?? new Map<string, string>();
    if (read.sha256() !== this.#expected.sha256)
      throw new S3Fault(
        'XAmzContentSHA256Mismatch',
        "the provided 'x-amz-content-sha256' header does not match what was computed",
      );
    const md5 = read.md5();
    if (this.#expected.md5 !== undefined && md5 !== this.#expected.md5)
      throw new S3Fault('BadDigest', 'the Content-MD5 you specified did not match what we received');
    const checksums: Partial<Record<Algorithm, string>> = {};
    for (const [algorithm, hasher] of this.#expected.hashers) {
      const value = Buffer.from(hasher.digest()).toString('base64');
      const trailer = trailers.get(headerOf(algorithm));
      const said = this.#expected.expected.get(algorithm) ?? (trailer && checkedValue(algorithm, trailer));
      if (said !== undefined && said !== value)
        throw new S3Fault('BadDigest', `the ${algorithm} you specified did not match the calculated checksum`);
      checksums[algorithm] = value;
    }
    return { md5, sha256: this.#expected.sha256, checksums, sizeBytes: this.#bytes };
  }
}

type Headers = ReadonlyMap<string, string>;

function lengthOf(headers: Headers, isStreaming: boolean): Pick<Expected, 'sizeBytes' | 'hasLength'> {
  const name = isStreaming ? 'x-amz-decoded-content-length' : 'content-length';
  if (isStreaming && !headers.has(name))
    throw new S3Fault('MissingContentLength', `you must provide the ${name} HTTP header`);
  // A body in chunks of HTTP itself ends where it ends.
  if (!headers.has(name) && headers.has('transfer-encoding')) return { sizeBytes: PUT_BYTES_MAX, hasLength: false };
  const text = headers.get(name) ?? '0';
  if (!/^\d{1,16}$/.test(text)) throw new S3Fault('InvalidArgument', `${name} is no length`);
  if (Number(text) > PUT_BYTES_MAX)
    throw new S3Fault('EntityTooLarge', 'your proposed upload exceeds the maximum allowed object size', {
      ProposedSize: text,
      MaxSizeAllowed: String(PUT_BYTES_MAX),
    });
  return { sizeBytes: Number(text), hasLength: true };
}

/** Names of trailers, which are checksums all, and of which each is. */
function trailersOf(headers: Headers): Map<string, Algorithm> {
  const names = (headers.get('x-amz-trailer') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  return new Map(
    names.map((name): [string, Algorithm] => {
      const algorithm = algorithmOfHeader(name);
      if (algorithm !== undefined) return [name, algorithm];
      throw new S3Fault('InvalidRequest', `the value specified in the x-amz-trailer header is not supported`);
    }),
  );
}

/** Throws InvalidRequest for more than one, or one that is malformed. */
export function expectedSums(headers: Headers): Map<Algorithm, string> {
  const sums = new Map<Algorithm, string>();
  for (const algorithm of ALGORITHMS) {
    const value = headers.get(headerOf(algorithm));
    if (value !== undefined) sums.set(algorithm, checkedValue(algorithm, value));
  }
  if (sums.size > 1) throw severalSums();
  return sums;
}

const severalSums = (): S3Fault =>
  new S3Fault('InvalidRequest', 'expecting a single x-amz-checksum- header: multiple checksum types are not allowed');

/** The one that an SDK says it sends has to be the one that it sends, if it does. */
function askFor(asked: Algorithm, algorithms: Set<Algorithm>): void {
  if (algorithms.size > 0 && !algorithms.has(asked))
    throw new S3Fault('InvalidRequest', 'value for x-amz-sdk-checksum-algorithm header is invalid');
  algorithms.add(asked);
}

function contentMd5(headers: Headers): string | undefined {
  const value = headers.get('content-md5');
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== value)
    throw new S3Fault('InvalidDigest', 'the Content-MD5 you specified is not valid');
  return bytes.toString('hex');
}
