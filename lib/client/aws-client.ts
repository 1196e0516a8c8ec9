// The client of a deployed stage: every call is one lambda:Invoke of the frontend function, so IAM decides who may. Region,
// credentials, profile and AWS_ENDPOINT_URL come from the SDK's default chain. Objects that fit go in one request, small ones
// many to a request, large ones in parts; reads of large objects are ranges pinned to one version.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, type InvokeCommandOutput, LambdaClient } from '@aws-sdk/client-lambda';
import type { Clock } from '../foundation/clock.ts';
import { invalid, isKind, isPocketfulError, type PocketfulError, unknownOutcome } from '../foundation/errors.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { awsError } from './aws-errors.ts';
import {
  BODY_BYTES_MAX,
  type FrontendOperation,
  type FrontendRequest,
  type FrontendResult,
  fromBase64,
  fromWire,
  OBJECTS_PER_BATCH_MAX,
  PAYLOAD_BYTES_MAX,
  resultOf,
  toBase64,
  type WireHead,
} from './aws-protocol.ts';
import { findStage } from './aws-stage.ts';
import type { ListPage, ListRequest, NewObject } from './frontend-service.ts';
import { cutAt } from './parts.ts';

const CONNECT_MS = 5_000;
/** A little over the function's own time-out, so that its answer comes first. */
const ANSWER_MS = 90_000;
const ATTEMPTS_MAX = 6;
const BACKOFF_MS = 100;
/** Bytes asked for at a time: the longest body the frontend answers with. */
const READ_BYTES = 4 * 1024 * 1024;

export interface AwsClientOptions {
  readonly stage: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export class AwsClient {
  readonly stage: string;
  readonly namespace: string;
  readonly #lambda: LambdaClient;
  readonly #functionName: string;
  readonly #clock: Clock;
  readonly #randomness: Randomness;

  private constructor(lambda: LambdaClient, functionName: string, options: AwsClientOptions) {
    this.#lambda = lambda;
    this.#functionName = functionName;
    this.stage = options.stage;
    this.namespace = options.namespace;
    this.#clock = options.clock;
    this.#randomness = options.randomness;
  }

  /** Throws `missing` STAGE_MISSING if the stage is not deployed here. */
  static async open(options: AwsClientOptions): Promise<AwsClient> {
    const cloudFormation = new CloudFormationClient({});
    try {
      const { frontend } = await findStage(cloudFormation, options.stage);
      const requestHandler = { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS };
      return new AwsClient(new LambdaClient({ requestHandler }), frontend, options);
    } finally {
      cloudFormation.destroy();
    }
  }

  close(): void {
    this.#lambda.destroy();
  }

  /** Stores whatever the stream holds under the key, with at most two parts of it in memory. */
  async put(
    key: string,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    metadata?: string,
  ): Promise<WireHead> {
    const { namespace } = this;
    const parts = cutAt(source, READ_BYTES);
    const first = await parts.next();
    const second = first.done ? first : await parts.next();
    if (second.done) {
      const body = toBase64(first.value ?? new Uint8Array(0));
      return (await this.#call({ op: 'put', namespace, key, body, metadata })).object;
    }
    const { upload, partBytesMax } = await this.#call({ op: 'uploadBegin', namespace, key, metadata });
    try {
      const all = chain([first.value ?? new Uint8Array(0), second.value], parts);
      let offset = 0;
      for await (const part of cutAt(all, Math.min(partBytesMax, READ_BYTES)))
        ({ nextOffset: offset } = await this.#call({ op: 'uploadPart', upload, offset, body: toBase64(part) }));
      return (await this.#call({ op: 'uploadFinish', upload, sizeBytes: offset })).object;
    } catch (error) {
      // Best effort: an upload nobody finishes is released by the store.
      await this.#call({ op: 'uploadAbort', upload }).catch(() => undefined);
      throw error;
    }
  }

  /** Small objects, as many to a request as fit; one result each, in order. */
  async putMany(objects: readonly NewObject[]): Promise<(WireHead | PocketfulError)[]> {
    const results: (WireHead | PocketfulError)[] = [];
    for (const batch of batchesOf(objects)) {
      const encoded = batch.map(({ key, body, metadata }) => ({ key, body: toBase64(body), metadata }));
      const answer = await this.#call({ op: 'putMany', namespace: this.namespace, objects: encoded });
      results.push(...answer.results.map((one) => ('error' in one ? fromWire(one.error) : one.object)));
    }
    return results;
  }

  /** The object, or `length` bytes of it from `offset`, piece by piece; all pieces are of the version in `object`. */
  async get(
    key: string,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<{ object: WireHead; body: AsyncIterable<Uint8Array> }> {
    const { offset, length } = range ?? { offset: 0, length: Number.MAX_SAFE_INTEGER };
    const first = await this.#readPiece(key, offset, Math.min(length, READ_BYTES));
    const end = Math.min(offset + length, first.object.sizeBytes);
    return { object: first.object, body: this.#pieces(key, first, offset, end) };
  }

  async *#pieces(key: string, first: Piece, offset: number, end: number): AsyncIterable<Uint8Array> {
    const { version } = first.object;
    if (first.bytes.byteLength > 0) yield first.bytes;
    let at = offset + first.bytes.byteLength;
    while (at < end) {
      const { bytes } = await this.#readPiece(key, at, Math.min(end - at, READ_BYTES), version);
      if (bytes.byteLength === 0)
        throw unknownOutcome('ANSWER_MALFORMED', `${key}: the frontend sent no bytes at ${at}`);
      yield bytes;
      at += bytes.byteLength;
    }
  }

  async #readPiece(key: string, offset: number, length: number, version?: string): Promise<Piece> {
    const { namespace } = this;
    const answer = await this.#call({ op: 'get', namespace, key, range: { offset, length }, version });
    return { object: answer.object, bytes: fromBase64(answer.body) };
  }

  async head(key: string): Promise<WireHead> {
    return (await this.#call({ op: 'head', namespace: this.namespace, key })).object;
  }

  /** False if there was no such object. */
  async delete(key: string): Promise<boolean> {
    return (await this.#call({ op: 'delete', namespace: this.namespace, key })).deleted;
  }

  async list(request: ListRequest = {}): Promise<ListPage> {
    return this.#call({ op: 'list', namespace: this.namespace, ...request });
  }

  /** One request, sent again with jitter while the answer is `retry`. */
  async #call<Op extends FrontendOperation>(
    request: Extract<FrontendRequest, { op: Op }>,
  ): Promise<FrontendResult<Op>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return resultOf(request.op as Op, await this.#invoke(request));
      } catch (error) {
        if (!isKind(error, 'retry') || attempt === ATTEMPTS_MAX) throw error;
        await this.#clock.sleep(this.#randomness.below(BACKOFF_MS * 2 ** attempt) + 1);
      }
    }
  }

  async #invoke(request: FrontendRequest): Promise<unknown> {
    const payload = Buffer.from(JSON.stringify(request));
    if (payload.byteLength > PAYLOAD_BYTES_MAX)
      throw invalid('REQUEST_TOO_LARGE', `a request is at most ${PAYLOAD_BYTES_MAX} bytes, not ${payload.byteLength}`);
    try {
      const command = new InvokeCommand({ FunctionName: this.#functionName, Payload: payload });
      return answerOf(await this.#lambda.send(command), request.op);
    } catch (error) {
      throw isPocketfulError(error) ? error : awsError('lambda:Invoke', error);
    }
  }
}

interface Piece {
  readonly object: WireHead;
  readonly bytes: Uint8Array;
}

function answerOf({ FunctionError, Payload }: InvokeCommandOutput, op: FrontendOperation): unknown {
  const text = Buffer.from(Payload ?? []).toString('utf8');
  if (FunctionError !== undefined)
    throw unknownOutcome('FRONTEND_FAILED', `the frontend function failed in ${op}: ${text.slice(0, 300)}`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unknownOutcome('ANSWER_MALFORMED', `the frontend's answer to ${op} is not JSON`, cause);
  }
}

/** Cuts a list of objects so that each piece fits one request. Throws `invalid` for one that fits none: it must be `put`. */
function* batchesOf(objects: readonly NewObject[]): Iterable<readonly NewObject[]> {
  let batch: NewObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    if (object.body.byteLength > BODY_BYTES_MAX)
      throw invalid('REQUEST_TOO_LARGE', `${object.key}: ${object.body.byteLength} bytes do not fit a request`);
    // Names and metadata may double when they are escaped, and each object has its brackets and field names.
    const size = object.body.byteLength + 2 * (object.key.length + (object.metadata?.length ?? 0)) + 64;
    if (batch.length === OBJECTS_PER_BATCH_MAX || (batch.length > 0 && bytes + size > BODY_BYTES_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(object);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

async function* chain(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* first;
  yield* rest;
}
