// The content encoding aws-chunked: chunks with their length before them, signed or not, and trailers behind the last
// one. Pieces come as the network cuts them, and are handed on as they come; what is signed is verified at the end of
// each chunk, so nothing of the body may be believed before `end`.
import { createHash, type Hash } from 'node:crypto';
import { CHUNK_BYTES_MAX, CHUNK_LINE_BYTES_MAX } from '../../limits/gateway.ts';
import type { ChunkSigner } from '../auth/signature.ts';
import { S3Fault } from '../fault.ts';

export interface ChunkedBody {
  /** Chunks are signed by it; undefined: they are not signed. */
  readonly signer: ChunkSigner | undefined;
  /** Names of the trailers that were announced, in lower case. */
  readonly trailers: readonly string[];
}

const CR = 13;
const LF = 10;
const LINE = /^([0-9a-fA-F]{1,16})((?:;[^\r\n]*)?)$/;
const CHUNK_SIGNATURE = /^;chunk-signature=([0-9a-f]{64})$/;
const TRAILER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';

type State = 'length' | 'data' | 'data-end' | 'trailers' | 'end';

export class ChunkDecoder {
  readonly #body: ChunkedBody;
  #state: State = 'length';
  #line = Buffer.alloc(0);
  #lineBytes = 0;
  #left = 0;
  #signature = '';
  #hash: Hash | undefined;
  #trailersBytes = 0;
  readonly #trailers = new Map<string, string>();

  constructor(body: ChunkedBody) {
    this.#body = body;
  }

  /** The pieces of content in a piece of the body: parts of it, not copies. */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    while (at < piece.length) {
      if (this.#state === 'data') {
        const data = piece.subarray(at, at + this.#left);
        at += data.length;
        this.#left -= data.length;
        this.#hash?.update(data);
        if (this.#left === 0) this.#endData();
        yield data;
        continue;
      }
      if (this.#state === 'end') throw malformed('there are bytes behind the last chunk');
      const end = piece.indexOf(LF, at);
      const to = end < 0 ? piece.length : end + 1;
      this.#keep(piece.subarray(at, to));
      at = to;
      if (end >= 0) this.#takeLine();
    }
  }

  /** The trailers, by lower-case name. Throws IncompleteBody before the end of the last chunk. */
  end(): ReadonlyMap<string, string> {
    if (this.#state !== 'end') throw new S3Fault('IncompleteBody', 'the body ends within its chunks');
    return this.#trailers;
  }

  #keep(bytes: Uint8Array): void {
    if (this.#lineBytes + bytes.length > CHUNK_LINE_BYTES_MAX)
      throw this.#state === 'trailers'
        ? malformedTrailer('the trailers are too long')
        : malformed('a line between chunks is too long');
    if (this.#line.length < this.#lineBytes + bytes.length) {
      const larger = Buffer.alloc(Math.max(128, 2 * (this.#lineBytes + bytes.length)));
      this.#line.copy(larger, 0, 0, this.#lineBytes);
      this.#line = larger;
    }
    this.#line.set(bytes, this.#lineBytes);
    this.#lineBytes += bytes.length;
  }

  #takeLine(): void {
    if (this.#lineBytes < 2 || this.#line[this.#lineBytes - 2] !== CR) throw malformed('a line does not end in CRLF');
    const line = this.#line.toString('latin1', 0, this.#lineBytes - 2);
    this.#lineBytes = 0;
    if (this.#state === 'length') this.#beginChunk(line);
    else if (this.#state === 'trailers') this.#takeTrailer(line);
    else if (line === '') this.#state = 'length';
    else throw malformed('a chunk is longer than it says');
  }

  #beginChunk(line: string): void {
    const [, digits, extension = ''] = LINE.exec(line) ?? [];
    if (digits === undefined) throw malformed('a chunk does not begin with its length');
    const bytes = Number.parseInt(digits, 16);
    if (bytes > CHUNK_BYTES_MAX) throw malformed(`a chunk of more than ${CHUNK_BYTES_MAX} bytes`);
    if (this.#body.signer !== undefined) {
      const signature = CHUNK_SIGNATURE.exec(extension)?.[1];
      if (signature === undefined) throw new S3Fault('AccessDenied', 'a chunk is not signed');
      this.#signature = signature;
      this.#hash = createHash('sha256');
    }
    this.#left = bytes;
    if (bytes > 0) {
      this.#state = 'data';
      return;
    }
    this.#checkChunk();
    this.#state = 'trailers';
  }

  #endData(): void {
    this.#checkChunk();
    this.#state = 'data-end';
  }

  #checkChunk(): void {
    const { signer } = this.#body;
    if (signer === undefined) return;
    const sha256 = this.#hash?.digest('hex') ?? '';
    this.#hash = undefined;
    if (!signer.isChunk(sha256, this.#signature)) throw wrongSignature('a chunk');
  }

  #takeTrailer(line: string): void {
    if (line === '') {
      this.#endTrailers();
      return;
    }
    this.#trailersBytes += line.length;
    if (this.#trailersBytes > CHUNK_LINE_BYTES_MAX) throw malformedTrailer('the trailers are too long');
    const [, name = '', value = ''] = TRAILER.exec(line) ?? [];
    const lower = name.toLowerCase();
    const isKnown = lower === TRAILER_SIGNATURE || this.#body.trailers.includes(lower);
    if (!isKnown || this.#trailers.has(lower)) throw malformedTrailer('a trailer was not announced, or comes twice');
    this.#trailers.set(lower, value.trim());
  }

  #endTrailers(): void {
    const signature = this.#trailers.get(TRAILER_SIGNATURE);
    this.#trailers.delete(TRAILER_SIGNATURE);
    if (this.#body.trailers.some((name) => !this.#trailers.has(name)))
      throw malformedTrailer('a trailer that was announced did not come');
    const { signer } = this.#body;
    if (signer !== undefined && this.#trailers.size > 0) {
      const signed = [...this.#trailers].map(([name, value]) => `${name}:${value}\n`).join('');
      if (signature === undefined || !signer.areTrailers(signed, signature)) throw wrongSignature('the trailers');
    }
    this.#state = 'end';
  }
}

/** As AWS has it: what is no chunk is none of the body's, which then is too short. */
const malformed = (why: string): S3Fault => new S3Fault('IncompleteBody', `the chunked body is malformed: ${why}`);
const malformedTrailer = (why: string): S3Fault =>
  new S3Fault('MalformedTrailerError', `the chunked body is malformed: ${why}`);
const wrongSignature = (what: string): S3Fault =>
  new S3Fault('SignatureDoesNotMatch', `the signature of ${what} does not match`);
