// A put of much at once to a stage: the bodies of many objects are staged as parts of one stream of bytes, and every so
// many of them are gathered by one call, which codes them in large groups. While one gathering is under way the next is
// staged. What was turned away is gathered again: its bytes are still there.
import { invalid, isKind } from '../../../foundation/errors.ts';
import type { Outbox } from '../../../foundation/outbox.ts';
import { isItemError } from '../../../frontend/put-item.ts';
import {
  GATHER_NAMES_BYTES_MAX,
  GATHER_OBJECTS_MAX,
  GATHER_OUTCOME_BYTES,
  GATHER_PARTS_MAX,
} from '../../../limits/stage.ts';
import { fromWire, type RequestOf, type ResultOf } from '../../../service/protocol.ts';
import type { PutOutcome, PutReport, PutRequest } from '../../face.ts';
import { type FrontendCaller, isTurnedAway } from '../aws-call.ts';
import { putLongBulk } from './aws-bulk-long.ts';
import { type StagedPart, Staging } from './aws-staging.ts';

type GatheredObject = RequestOf<'bulkGather'>['objects'][number];

/** What one call is going to gather. */
class Gathering {
  readonly parts: Promise<StagedPart>[] = [];
  readonly objects: GatheredObject[] = [];
  readonly keys = new Set<string>();
  bytes = 0;
  namesBytes = 0;

  add(object: GatheredObject): void {
    this.objects.push(object);
    this.keys.add(object.key);
    this.namesBytes += namesBytesOf(object);
  }
}

const namesBytesOf = (object: GatheredObject): number =>
  Buffer.byteLength(JSON.stringify(object)) + GATHER_OUTCOME_BYTES;

export class AwsBulkPut {
  readonly #caller: FrontendCaller;
  readonly #namespace: string;
  readonly #out: Outbox<PutOutcome>;
  readonly #sizes: ResultOf<'bulkBegin'>;
  readonly #staging: Staging;
  #filling = new Gathering();
  /** Of the part that is being filled. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #underWay: Promise<void> = Promise.resolve();
  #keysUnderWay: ReadonlySet<string> = new Set();

  private constructor(
    caller: FrontendCaller,
    namespace: string,
    out: Outbox<PutOutcome>,
    sizes: ResultOf<'bulkBegin'>,
  ) {
    this.#caller = caller;
    this.#namespace = namespace;
    this.#out = out;
    this.#sizes = sizes;
    this.#staging = new Staging(caller, namespace);
  }

  /** Undefined: the stage has no bulk puts, or is of an earlier release. */
  static async begin(
    caller: FrontendCaller,
    namespace: string,
    out: Outbox<PutOutcome>,
  ): Promise<AwsBulkPut | undefined> {
    try {
      return new AwsBulkPut(caller, namespace, out, await caller.call({ op: 'bulkBegin', namespace }));
    } catch (error) {
      if (isKind(error, 'invalid')) return undefined;
      throw error;
    }
  }

  /** Whether a body of about so many bytes fits one gathering. */
  takes(sizeBytes: number): boolean {
    return sizeBytes <= this.#sizes.gatherBytesMax;
  }

  /** Whether it takes long objects, and conditions: a stage of an earlier release does not. */
  get takesMore(): boolean {
    return this.#sizes.takesMore ?? false;
  }

  /** An object on its own, of any length. */
  putLong(item: PutRequest, body: AsyncIterable<Uint8Array>): Promise<PutReport> {
    const parts = { caller: this.#caller, namespace: this.#namespace, staging: this.#staging, sizes: this.#sizes };
    return putLongBulk(parts, item, body);
  }

  /** Throws what its body or its verification threw; its outcome comes by the outbox. */
  async add(item: PutRequest, body: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<void> {
    const { key, metadata, ifVersion, verify } = item;
    const names = namesBytesOf({ key, offset: this.#filling.bytes, sizeBytes, metadata, ifVersion });
    const isFull =
      this.#filling.bytes + sizeBytes > this.#sizes.gatherBytesMax ||
      this.#filling.objects.length === GATHER_OBJECTS_MAX ||
      this.#filling.namesBytes + names > GATHER_NAMES_BYTES_MAX;
    if (this.#filling.keys.has(key)) await this.settle();
    else if (isFull) await this.#gather();
    const offset = this.#filling.bytes;
    for await (const piece of body) await this.#take(key, piece);
    await verify?.();
    this.#filling.add({ key, offset, sizeBytes: this.#filling.bytes - offset, metadata, ifVersion });
  }

  /** All that was added has its outcome. */
  async settle(): Promise<void> {
    await this.#gather();
    await this.#underWay;
  }

  /** The same for one key: another way of putting it must not come first. */
  async settleKey(key: string): Promise<void> {
    if (this.#filling.keys.has(key) || this.#keysUnderWay.has(key)) await this.settle();
  }

  async #take(key: string, piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.byteLength; ) {
      const some = piece.subarray(at, at + this.#sizes.partBytesMax - this.#pieceBytes);
      this.#pieces.push(some);
      this.#pieceBytes += some.byteLength;
      this.#filling.bytes += some.byteLength;
      at += some.byteLength;
      if (this.#pieceBytes === this.#sizes.partBytesMax) await this.#stage();
      if (this.#filling.parts.length === GATHER_PARTS_MAX)
        throw invalid('REQUEST_TOO_LARGE', `${key} is far longer than it was said to be`);
    }
  }

  /** Starts sending the part; waits only while too many are under way. */
  async #stage(): Promise<void> {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    if (bytes.byteLength > 0) await this.#staging.stage(bytes, this.#filling.parts);
  }

  /** Starts gathering what is staged, after what is under way. */
  async #gather(): Promise<void> {
    await this.#stage();
    const gathering = this.#filling;
    this.#filling = new Gathering();
    if (gathering.objects.length === 0) return;
    await this.#underWay;
    this.#keysUnderWay = gathering.keys;
    this.#underWay = this.#send(gathering).catch((error: unknown) => {
      // Who is not let in need not try the rest.
      if (!isItemError(error) || isKind(error, 'denied')) return this.#out.fail(error);
      for (const { key } of gathering.objects) this.#out.push({ key, ok: false, error });
    });
  }

  async #send(gathering: Gathering): Promise<void> {
    const parts = await Promise.all(gathering.parts);
    const done = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      const left = gathering.objects.filter(({ key }) => !done.has(key));
      const { results } = await this.#caller.call({
        op: 'bulkGather',
        namespace: this.#namespace,
        parts,
        objects: left,
      });
      const turnedAway = new Map<string, Error>();
      for (const [i, { key }] of left.entries()) {
        const result = results[i] as (typeof results)[number];
        const error = 'error' in result ? fromWire(result.error) : undefined;
        if (error !== undefined && isTurnedAway(error)) {
          turnedAway.set(key, error);
          continue;
        }
        done.add(key);
        this.#out.push('error' in result ? { key, ok: false, error: error as Error } : { ...result, ok: true });
      }
      if (turnedAway.size === 0) return;
      // A call that got on with some of them may be asked at once.
      if (turnedAway.size < left.length) attempt = 0;
      else if (!(await this.#caller.mayRetry(attempt))) {
        for (const [key, error] of turnedAway) this.#out.push({ key, ok: false, error });
        return;
      }
    }
  }
}
