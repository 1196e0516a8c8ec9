// S3 buckets: namespaces with a note of who made them and when.
import { LruCache } from '../foundation/lru.ts';
import { BUCKET_LOOK_EVERY_MS, BUCKETS_KEPT } from '../limits/gateway.ts';
import { S3Fault } from '../s3/fault.ts';
import { BUCKETS, type GatewayObjects, isVersionMismatch } from './objects.ts';

export interface BucketNote {
  readonly name: string;
  readonly createdAtMs: number;
}

export class Buckets {
  readonly #objects: GatewayObjects;
  /** Until when it is taken to be there. */
  readonly #seen = new LruCache<string, number>(BUCKETS_KEPT);

  constructor(objects: GatewayObjects) {
    this.#objects = objects;
  }

  /** False if it was there. */
  async create(name: string, ownerId: string): Promise<boolean> {
    try {
      await this.#objects.putNote({ namespace: BUCKETS, key: name, ifVersion: 'absent' }, { owner: ownerId });
      return true;
    } catch (error) {
      if (isVersionMismatch(error)) return false;
      throw error;
    }
  }

  /** Throws NoSuchBucket. */
  async check(name: string): Promise<void> {
    const nowMs = this.#objects.engine.clock.monotonicMs();
    const until = this.#seen.get(name);
    if (until !== undefined && nowMs < until) return;
    this.#seen.delete(name);
    if ((await this.#objects.find(BUCKETS, name)) === undefined) throw noSuchBucket(name);
    this.#seen.set(name, nowMs + BUCKET_LOOK_EVERY_MS);
  }

  /** `before`: what has to be gone before it is. Throws NoSuchBucket or BucketNotEmpty. */
  async remove(name: string, before: () => Promise<unknown>): Promise<void> {
    if ((await this.#objects.find(BUCKETS, name)) === undefined) throw noSuchBucket(name);
    const { objects, damaged } = await this.#objects.list({ namespace: name, limit: 1 });
    if (objects.length + damaged.length > 0)
      throw new S3Fault('BucketNotEmpty', 'the bucket you tried to delete is not empty', { BucketName: name });
    await before();
    this.#seen.delete(name);
    await this.#objects.delete(BUCKETS, name);
  }

  async *list(prefix = ''): AsyncGenerator<BucketNote> {
    for await (const { key, createdAtMs } of this.#objects.listAll(BUCKETS, prefix)) yield { name: key, createdAtMs };
  }
}

const noSuchBucket = (name: string): S3Fault =>
  new S3Fault('NoSuchBucket', 'the specified bucket does not exist', { BucketName: name });
