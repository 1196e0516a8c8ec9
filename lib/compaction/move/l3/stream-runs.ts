// L3 as a stream: the drainer sends a message for every bucket of its sources, workers feed the Live Coder. The queue
// is not the truth: duplicates, reordering and loss are harmless, as a message whose bucket has moved is acknowledged
// and what Panda says is still draining is sent again.
import * as z from 'zod';
import { isKind, isPocketfulError } from '../../../foundation/errors.ts';
import { type BucketId, bucketId, type RunId, type VolumeId, volumeId } from '../../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../../foundation/reason.ts';
import { DRAIN_SENDS_AT_ONCE, DRAIN_VISIBILITY_MS, LETTERS_MAX } from '../../../limits/compaction.ts';
import type { VolumeRow } from '../../../panda/rows/volume-row.ts';
import type { DeadLetter, Delivery, Stream, StreamFigures } from '../../../stream/stream.ts';
import type { BucketContent } from '../../../volume/read/collect-bucket.ts';
import { readBucket, readVolume } from '../../../volume/rows/read-rows.ts';
import { collectOrDrop } from '../../../volume/runs/collect-or-drop.ts';
import type { VolumeStore } from '../../../volume/volume-store.ts';
import type { MoveResult } from '../../../volume/write/move.ts';
import type { DrainTarget, MakeTarget } from '../../run/actors.ts';

const HEX16 = /^[0-9a-f]{16}$/;

const messageSchema = z.strictObject({
  v: z.literal(1),
  run: z.string().min(1),
  bucket: z.string().regex(HEX16),
  source: z.string().regex(HEX16),
  move: z.int().nonnegative(),
});

export interface DrainMessage {
  readonly run: RunId;
  readonly bucket: BucketId;
  readonly source: VolumeId;
  readonly move: number;
}

export const drainMessage = (message: DrainMessage): string => JSON.stringify({ v: 1, ...message });

/** Undefined for what is no message of ours: it is left to become a dead letter. */
export function parseDrainMessage(body: string): DrainMessage | undefined {
  try {
    const { run, bucket, source, move } = messageSchema.parse(JSON.parse(body));
    return { run: run as RunId, bucket: bucketId(bucket), source: volumeId(source), move };
  } catch {
    return undefined;
  }
}

/** Buckets whose messages are dead letters, as they lie: sent again they would only be more of these. */
export type DeadBuckets = ReadonlySet<string>;

const NONE_DEAD: DeadBuckets = new Set();
const placeOf = (bucket: BucketId, move: number): string => `${bucket}/${move}`;

/** Looked up only if there are any. */
export async function deadBuckets(stream: Stream, { dead }: Pick<StreamFigures, 'dead'>): Promise<DeadBuckets> {
  if (dead === 0) return NONE_DEAD;
  const messages = (await stream.dead(LETTERS_MAX)).map(({ body }) => parseDrainMessage(body));
  return new Set(messages.flatMap((message) => (message === undefined ? [] : [placeOf(message.bucket, message.move)])));
}

/**
 * Sends a message for every bucket Panda says is still in this draining source and none of `dead`, at most `max`. How
 * many.
 */
export async function sendDraining(
  store: VolumeStore,
  stream: Stream,
  source: VolumeRow,
  max: number,
  dead: DeadBuckets = NONE_DEAD,
): Promise<number> {
  const { panda, settings } = store.components;
  const now = await readVolume(panda, settings.cell, source.id);
  if (now?.state !== 'draining' || now.run === undefined || now.run !== source.run) return 0;
  let bodies: string[] = [];
  let sent = 0;
  for (const id of now.buckets) {
    if (sent + bodies.length >= max) break;
    const bucket = await readBucket(panda, settings.cell, id);
    if (bucket === undefined || bucket.volume !== source.id || dead.has(placeOf(bucket.id, bucket.move))) continue;
    bodies.push(drainMessage({ run: now.run, bucket: id, source: source.id, move: bucket.move }));
    if (bodies.length < DRAIN_SENDS_AT_ONCE) continue;
    await stream.send(bodies);
    sent += bodies.length;
    bodies = [];
  }
  if (bodies.length > 0) await stream.send(bodies);
  return sent + bodies.length;
}

/** A bucket of a message, and whose it is. */
interface Read {
  readonly run: RunId;
  readonly content: BucketContent;
}

export interface WorkerOptions {
  readonly visibilityMs?: number;
  readonly onMoved?: (run: RunId, result: MoveResult) => void;
}

/**
 * Takes messages and feeds the Live Coder; a message is acknowledged once its bucket has moved, or has nothing left to
 * move.
 */
export class DrainWorker {
  readonly #store: VolumeStore;
  readonly #stream: Stream;
  readonly #makeTarget: MakeTarget;
  readonly #options: WorkerOptions;
  readonly #targets = new Map<RunId, DrainTarget>();
  /** Receipts of buckets that wait in the Live Coder. */
  readonly #waiting = new Map<BucketId, string[]>();
  #acks: string[] = [];
  #waitingBytes = 0;
  #stalled: Reason | undefined;

  constructor(store: VolumeStore, stream: Stream, makeTarget: MakeTarget, options: WorkerOptions = {}) {
    this.#store = store;
    this.#stream = stream;
    this.#makeTarget = makeTarget;
    this.#options = options;
  }

  get stalled(): Reason | undefined {
    return this.#stalled;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** There is reason to believe that the Live Coder can write again. */
  resume(): void {
    this.#stalled = undefined;
  }

  /**
   * One batch. How many messages there were; 0 with `stalled` set when the Live Coder cannot write, and they are
   * visible again.
   */
  async step(max: number): Promise<number> {
    const messages = await this.#stream.receive(max, this.#options.visibilityMs ?? DRAIN_VISIBILITY_MS);
    for (const [at, message] of messages.entries()) {
      let isRead = false;
      try {
        const read = await this.#read(message);
        isRead = true;
        if (read !== undefined) await this.#push(message, read);
      } catch (error) {
        if (!isPocketfulError(error)) throw error;
        await this.#stream.release([message.receipt]);
        // A record that cannot be had: the message is tried again, and in the end it is a dead letter. What was read
        // and cannot be written is no fault of this bucket, and waits in the Live Coder with others: as where a flush
        // fails.
        if (!isRead && !isKind(error, 'retry')) continue;
        await this.#stream.release(messages.slice(at + 1).map(({ receipt }) => receipt));
        return this.#stall(reasonOf(error));
      }
    }
    await this.#ack();
    return messages.length;
  }

  /** No more to come: writes what waits; a run's last group may be small. */
  async flush(): Promise<void> {
    try {
      for (const target of this.#targets.values()) await target.flush();
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      await this.#stall(reasonOf(error));
    }
    await this.#ack();
  }

  /** Gives up what waits: those messages become visible again. */
  async discard(): Promise<void> {
    for (const target of this.#targets.values()) target.discard();
    this.#targets.clear();
    await this.#ack();
    await this.#stream.release([...this.#waiting.values()].flat());
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  async #stall(reason: Reason): Promise<number> {
    this.#stalled = reason;
    await this.discard();
    return 0;
  }

  /** What is to be moved for a message; undefined: nothing, or it is on its way. */
  async #read({ body, receipt }: Delivery): Promise<Read | undefined> {
    const message = parseDrainMessage(body);
    if (message === undefined) {
      await this.#stream.release([receipt]); // a dead letter in the end
      return undefined;
    }
    const { panda, settings } = this.#store.components;
    const again = this.#waiting.get(message.bucket);
    if (again !== undefined) {
      again.push(receipt); // a duplicate of what is on its way
      return undefined;
    }
    const source = await readVolume(panda, settings.cell, message.source);
    const bucket = await readBucket(panda, settings.cell, message.bucket);
    const isCurrent =
      source?.state === 'draining' &&
      source.run === message.run &&
      bucket?.volume === message.source &&
      bucket.move === message.move;
    if (!isCurrent) {
      this.#acks.push(receipt);
      return undefined;
    }
    const content = await collectOrDrop(this.#store, source, message.run, bucket);
    if (content === undefined) {
      this.#acks.push(receipt);
      return undefined;
    }
    return { run: message.run, content };
  }

  async #push({ receipt }: Delivery, { run, content }: Read): Promise<void> {
    this.#waiting.set(content.bucket.id, [receipt]);
    this.#waitingBytes += content.records.reduce((sum, { record }) => sum + record.length, 0);
    await this.#targetOf(run).push(content);
    this.#stalled = undefined;
  }

  #targetOf(run: RunId): DrainTarget {
    const known = this.#targets.get(run);
    if (known !== undefined) return known;
    const target = this.#makeTarget(run, (result) => {
      for (const id of [...result.moved, ...result.skipped]) {
        this.#acks.push(...(this.#waiting.get(id) ?? []));
        this.#waiting.delete(id);
      }
      this.#waitingBytes = Math.max(0, this.#waitingBytes - result.recordBytes);
      this.#options.onMoved?.(run, result);
    });
    this.#targets.set(run, target);
    return target;
  }

  async #ack(): Promise<void> {
    const receipts = this.#acks;
    this.#acks = [];
    if (receipts.length > 0) await this.#stream.ack(receipts);
  }
}

export interface DeadDrain extends DeadLetter {
  /** Undefined for a body that is none of ours. */
  readonly message: DrainMessage | undefined;
  /** Whether its bucket is still where it was to be drained from. */
  readonly isCurrent: boolean;
}

/** `dlq list`: the dead letters, and whether they still matter. */
export async function listDead(store: VolumeStore, stream: Stream, max = LETTERS_MAX): Promise<DeadDrain[]> {
  const { panda, settings } = store.components;
  const out: DeadDrain[] = [];
  for (const letter of await stream.dead(max)) {
    const message = parseDrainMessage(letter.body);
    const bucket = message && (await readBucket(panda, settings.cell, message.bucket));
    const isCurrent = bucket !== undefined && bucket.volume === message?.source && bucket.move === message.move;
    out.push({ ...letter, message, isCurrent });
  }
  return out;
}

/** `dlq redrive`: puts dead letters back into the queue, all or these. How many. */
export const redriveDead = (stream: Stream, ids?: readonly string[]): Promise<number> => stream.redrive(ids);
