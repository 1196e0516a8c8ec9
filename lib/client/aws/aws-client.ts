// The client of a deployed stage: every call is one lambda:Invoke of the frontend function, so IAM decides who may.
// Region, credentials, profile and AWS_ENDPOINT_URL come from the SDK's default chain. Reads of large objects are
// ranges pinned to one version.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { present } from '../../foundation/assert.ts';
import type { Clock } from '../../foundation/clock.ts';
import { invalid, unknownOutcome } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { checkNamespace, checkPathKey } from '../../frontend/object-keys.ts';
import {
  ANSWER_MS,
  CONNECT_MS,
  OBJECTS_PER_REQUEST_MAX,
  READ_PIECE_BYTES_MAX,
  TASK_ANSWER_MS,
} from '../../limits/stage.ts';
import { bulkFromBytes } from '../../live-coder/bulk-size.ts';
import type { ListPage, ListRequest, ObjectInfo } from '../../service/object-info.ts';
import { fromBase64, fromWire } from '../../service/protocol.ts';
import { parseSettings } from '../../settings/settings.ts';
import { putClass } from '../../volume/write/append.ts';
import type { StoreAdmin } from '../admin.ts';
import type {
  ByteRange,
  DeleteOutcome,
  ObjectEngine,
  OpenBody,
  PocketfulStore,
  PutOutcome,
  PutRequest,
} from '../face.ts';
import { StageAdmin, StageEngine } from './aws-admin.ts';
import { FrontendCaller, isTurnedAway } from './aws-call.ts';
import { Invoker } from './aws-invoke.ts';
import { findStage } from './aws-stage.ts';
import { streamAgeMs } from './aws-stream-age.ts';
import { AwsPuts } from './put/aws-put.ts';
import { JoinedPuts } from './put/aws-put-joined.ts';
import { stageObjects } from './stage-objects.ts';

interface Operator {
  readonly admin: StageAdmin;
  readonly invoker: Invoker;
  readonly engine: StageEngine;
}

export interface AwsClientOptions {
  readonly stage: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** A client whose calls fail when no answer has come in time; the SDK's own default only warns. */
export const lambdaWithin = (requestTimeout: number, config: LambdaClientConfig = {}): LambdaClient =>
  new LambdaClient({
    ...config,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout, throwOnRequestTimeout: true },
  });

export class AwsClient implements PocketfulStore {
  readonly address: string;
  readonly namespace: string;
  readonly places = [];
  readonly #caller: FrontendCaller;
  readonly #puts: (items: AsyncIterable<PutRequest> | Iterable<PutRequest>) => AsyncIterable<PutOutcome>;
  readonly #joined: JoinedPuts;
  readonly #operator: Operator | undefined;

  /** `bulkFromBytes`: from so much on a put goes past the hot tier; missing: never. */
  constructor(stage: string, namespace: string, caller: FrontendCaller, operator?: Operator, bulkFromBytes?: number) {
    this.address = `aws:${stage}`;
    this.namespace = namespace;
    this.#caller = caller;
    this.#puts = (items) => new AwsPuts(caller, namespace, bulkFromBytes).run(items);
    this.#joined = new JoinedPuts(namespace, this.#puts);
    this.#operator = operator;
  }

  /** Throws `missing` STAGE_MISSING if the stage is not deployed here, `denied` AWS_DENIED without credentials. */
  static async open({ stage, namespace, clock, randomness }: AwsClientOptions): Promise<AwsClient> {
    checkNamespace(namespace);
    const cloudFormation = new CloudFormationClient({});
    try {
      const outputs = await findStage(cloudFormation, stage);
      const ports = { clock, randomness };
      const caller = new FrontendCaller({ lambda: lambdaWithin(ANSWER_MS), functionName: outputs.frontend, ...ports });
      const invoker = new Invoker({ lambda: lambdaWithin(TASK_ANSWER_MS), ...ports });
      const engine = new StageEngine(outputs, clock);
      const ageMs = (): Promise<number | null> => streamAgeMs(outputs.journal, clock);
      const admin = new StageAdmin(`aws:${stage}`, namespace, engine.open, invoker, outputs, ageMs);
      const settings = parseSettings(JSON.parse(outputs.settings));
      // Without a hot tier there is none to go past.
      const fromBytes = putClass(settings) === 'hot' ? bulkFromBytes(settings) : undefined;
      return new AwsClient(stage, namespace, caller, { admin, invoker, engine }, fromBytes);
    } finally {
      cloudFormation.destroy();
    }
  }

  get admin(): StoreAdmin {
    return present(this.#operator, 'a client that was opened has its operator').admin;
  }

  async objects(): Promise<ObjectEngine> {
    return stageObjects(await present(this.#operator, 'a client that was opened has its operator').engine.open());
  }

  async close(): Promise<void> {
    this.#caller.close();
    this.#operator?.invoker.close();
    await this.#operator?.engine.close();
  }

  /** One outcome for each item, as they become durable. Calls with one item that come at once are joined. */
  putAll(items: AsyncIterable<PutRequest> | Iterable<PutRequest>): AsyncIterable<PutOutcome> {
    if (Array.isArray(items) && items.length === 1) return this.#joined.run(items[0]);
    return this.#puts(items);
  }

  /** The encoder's schedule does it. */
  async afterPut(): Promise<undefined> {}

  async sync(): Promise<void> {
    throw invalid(
      'NOT_FOR_STAGE',
      `${this.address}: a stage ships its metadata to its drives by itself, within half a minute`,
    );
  }

  async get(key: string, range: ByteRange = { offset: 0 }): Promise<OpenBody> {
    const { offset, length = Number.MAX_SAFE_INTEGER } = range;
    const first = await this.#piece(key, offset, Math.min(length, READ_PIECE_BYTES_MAX));
    const wanted = Math.min(length, first.object.sizeBytes - offset);
    return { object: first.object, body: this.#body(first, offset, wanted) };
  }

  async *#body(first: Piece, offset: number, length: number): AsyncGenerator<Uint8Array> {
    const { key, version } = first.object;
    if (first.bytes.byteLength > 0) yield first.bytes;
    let at = offset + first.bytes.byteLength;
    while (at < offset + length) {
      const { bytes } = await this.#piece(key, at, Math.min(offset + length - at, READ_PIECE_BYTES_MAX), version);
      if (bytes.byteLength === 0) throw unknownOutcome('ANSWER_MALFORMED', `the frontend sent no bytes at ${at}`);
      yield bytes;
      at += bytes.byteLength;
    }
  }

  async #piece(key: string, offset: number, length: number, version?: string): Promise<Piece> {
    const { namespace } = this;
    const range = { offset, length };
    const answer = await this.#caller.call({ op: 'get', namespace, key: checkPathKey(key), range, version });
    return { object: answer.object, bytes: fromBase64(answer.body) };
  }

  async head(key: string): Promise<ObjectInfo> {
    return (await this.#caller.call({ op: 'head', namespace: this.namespace, key: checkPathKey(key) })).object;
  }

  async list(request: ListRequest): Promise<ListPage> {
    const page = await this.#caller.call({ op: 'list', namespace: this.namespace, ...request });
    const { damaged, ...rest } = page;
    if (damaged === undefined) return rest;
    return { ...rest, damaged: damaged.map(({ key, error }) => ({ key, error: fromWire(error) })) };
  }

  /** Deletes in batches, in the order given; one outcome each. */
  async *deleteAll(keys: AsyncIterable<string> | Iterable<string>): AsyncGenerator<DeleteOutcome> {
    let batch: string[] = [];
    for await (const key of keys) {
      batch.push(key);
      if (batch.length < OBJECTS_PER_REQUEST_MAX) continue;
      yield* await this.#deleteBatch(batch);
      batch = [];
    }
    if (batch.length > 0) yield* await this.#deleteBatch(batch);
  }

  /** What the frontend had to turn away for the moment is asked for again. */
  async #deleteBatch(batch: readonly string[]): Promise<DeleteOutcome[]> {
    const outcomes = await this.#deleteOnce(batch);
    for (let attempt = 1; ; attempt++) {
      const left = outcomes.flatMap((outcome, i) => (!outcome.ok && isTurnedAway(outcome.error) ? [i] : []));
      if (left.length === 0 || !(await this.#caller.mayRetry(attempt))) return outcomes;
      const again = await this.#deleteOnce(left.map((i) => batch[i] as string));
      for (const [at, i] of left.entries()) outcomes[i] = again[at] as DeleteOutcome;
    }
  }

  async #deleteOnce(batch: readonly string[]): Promise<DeleteOutcome[]> {
    const objects = batch.map((key) => ({ key }));
    const { results } = await this.#caller.call({ op: 'delete', namespace: this.namespace, objects });
    return batch.map((key, i) => {
      const result = results[i];
      if (result !== undefined && !('error' in result)) return { key, ok: true };
      const unanswered = unknownOutcome('ANSWER_MALFORMED', 'the frontend did not say whether it deleted this');
      return { key, ok: false, error: result === undefined ? unanswered : fromWire(result.error) };
    });
  }
}

interface Piece {
  readonly object: ObjectInfo;
  readonly bytes: Uint8Array;
}
