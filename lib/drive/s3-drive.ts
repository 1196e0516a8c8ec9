// A drive in an S3 bucket: keys are `prefix` + `zone/generation/name`, and `If-None-Match: *` makes a put conditional.
// The SDK sends a put again when its answer was lost, and can then meet 412 on the object it wrote itself: `append`
// says CHUNK_EXISTS then too, as this body cannot tell. The caller reads the header and compares the append id.
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  type StorageClass as S3StorageClass,
} from '@aws-sdk/client-s3';
import { PRICE_BOOK, type StorageClass } from '../cost/price-book.ts';
import { assert } from '../foundation/assert.ts';
import { given } from '../foundation/given.ts';
import { S3_WITHIN } from '../limits/aws.ts';
import { LISTINGS_AT_ONCE, S3_DELETE_KEYS_MAX } from '../limits/bytes.ts';
import type { ByteRange, ChunkListing, Drive, ZoneRef } from './drive.ts';
import { assertRange, byName, byZone, chunkKey, isChunkName, numberOf, zoneKey } from './drive-keys.ts';
import { chunkExists, chunkMissing } from './errors.ts';
import { s3Error, statusOf } from './s3-errors.ts';
import { rangeHeader, rangeOf } from './s3-ranges.ts';

export interface S3DriveOptions {
  /** Brings region, credentials, endpoint, path style, time-outs and retries. It is the caller's to destroy. */
  readonly client: S3Client;
  readonly bucket: string;
  /** The account that the bucket must belong to: one that was deleted and taken by somebody else gets nothing. */
  readonly account?: string | undefined;
  /** Empty, or ending in `/`: lets several drives or other data share a bucket. */
  readonly prefix?: string;
}

/** A client for drives; a chunk is written once whatever is sent twice, so the SDK may send again. */
export const newS3Client = (config: S3ClientConfig = {}): S3Client =>
  new S3Client({ requestHandler: S3_WITHIN, ...config });

/** Not a number, so it is never taken for a zone. */
const PROBE_KEY = 'probe';

export class S3Drive implements Drive {
  readonly label: string;
  readonly #client: S3Client;
  /** Of every request. */
  readonly #place: { readonly Bucket: string; readonly ExpectedBucketOwner?: string };
  readonly #prefix: string;

  constructor({ client, bucket, account, prefix = '' }: S3DriveOptions) {
    assert(prefix === '' || prefix.endsWith('/'), `a prefix ends in '/', not ${JSON.stringify(prefix)}`);
    this.#client = client;
    this.#place = { Bucket: bucket, ...given({ ExpectedBucketOwner: account }) };
    this.#prefix = prefix;
    this.label = prefix === '' ? bucket : `${bucket}/${prefix.slice(0, -1)}`;
  }

  async append(
    at: ZoneRef,
    name: string,
    parts: readonly Uint8Array[],
    signal?: AbortSignal,
    storageClass?: StorageClass,
  ): Promise<void> {
    const key = chunkKey(at, name);
    signal?.throwIfAborted();
    // One buffer, not a stream: only then can the SDK send it again.
    const body = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    const command = new PutObjectCommand({
      ...this.#place,
      Key: this.#prefix + key,
      Body: body,
      ContentLength: body.byteLength,
      ContentType: 'application/octet-stream',
      IfNoneMatch: '*',
      ...given({ StorageClass: classFor(storageClass, body.byteLength) }),
    });
    try {
      await this.#client.send(command, sendOptions(signal));
    } catch (error) {
      if (statusOf(error) === 412) throw chunkExists(this.label, key, error);
      throw s3Error(this.label, error, signal);
    }
  }

  async read(at: ZoneRef, name: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const key = chunkKey(at, name);
    assertRange(range);
    signal?.throwIfAborted();
    const command = new GetObjectCommand({
      ...this.#place,
      Key: this.#prefix + key,
      Range: range === undefined ? undefined : rangeHeader(range),
    });
    try {
      const answer = await this.#client.send(command, sendOptions(signal));
      return await rangeOf(answer, range);
    } catch (error) {
      const kind = error instanceof Error ? error.name : '';
      if (statusOf(error) === 416 || kind === 'InvalidRange') return new Uint8Array(0);
      if (kind === 'NoSuchKey' || kind === 'NotFound') throw chunkMissing(this.label, key, error);
      throw s3Error(this.label, error, signal);
    }
  }

  async list(at: ZoneRef, signal?: AbortSignal): Promise<ChunkListing[]> {
    const folder = `${this.#prefix}${zoneKey(at)}/`;
    signal?.throwIfAborted();
    const found: ChunkListing[] = [];
    for await (const page of this.#pages(folder, undefined, signal)) {
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const name = Key.slice(folder.length);
        if (isChunkName(name)) found.push({ name, bytes: Size });
      }
    }
    return found.sort(byName);
  }

  async zones(signal?: AbortSignal): Promise<ZoneRef[]> {
    signal?.throwIfAborted();
    const found: ZoneRef[] = [];
    const zones = await this.#numbersUnder(this.#prefix, signal);
    for (let i = 0; i < zones.length; i += LISTINGS_AT_ONCE) {
      const generationsOf = async (zone: number): Promise<void> => {
        for (const generation of await this.#numbersUnder(`${this.#prefix}${zone}/`, signal))
          found.push({ zone, generation });
      };
      await Promise.all(zones.slice(i, i + LISTINGS_AT_ONCE).map(generationsOf));
    }
    return found.sort(byZone);
  }

  async erase(at: ZoneRef, signal?: AbortSignal): Promise<void> {
    const folder = `${this.#prefix}${zoneKey(at)}/`;
    signal?.throwIfAborted();
    // Repeated until the list is empty: a straggler may append, and a batch may be deleted in part.
    for (;;) {
      const { Contents: objects = [] } = await this.#page(folder, undefined, undefined, signal);
      if (objects.length === 0) return;
      await this.#deleteBatch(objects.map(({ Key = '' }) => Key).slice(0, S3_DELETE_KEYS_MAX), signal);
    }
  }

  async probe(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const object = { ...this.#place, Key: `${this.#prefix}${PROBE_KEY}` };
    try {
      await this.#client.send(new PutObjectCommand({ ...object, Body: '', ContentLength: 0 }), sendOptions(signal));
      await this.#page(this.#prefix, undefined, undefined, signal, 1);
      await this.#client.send(new DeleteObjectCommand(object), sendOptions(signal));
    } catch (error) {
      throw s3Error(this.label, error, signal);
    }
  }

  /** Throws unless every key is deleted: S3 reports failures key by key inside a successful answer. */
  async #deleteBatch(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const command = new DeleteObjectsCommand({
      ...this.#place,
      Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) },
    });
    try {
      const { Errors: failures = [] } = await this.#client.send(command, sendOptions(signal));
      const [first] = failures;
      if (first === undefined) return;
      const failure = new Error(
        `${failures.length} of ${keys.length} keys not deleted: ${first.Key}: ${first.Message}`,
      );
      failure.name = first.Code ?? 'InternalError';
      throw failure;
    } catch (error) {
      throw s3Error(this.label, error, signal);
    }
  }

  async #numbersUnder(folder: string, signal: AbortSignal | undefined): Promise<number[]> {
    const numbers: number[] = [];
    for await (const page of this.#pages(folder, '/', signal)) {
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
        const number = numberOf(Prefix.slice(folder.length, -1));
        if (number !== undefined) numbers.push(number);
      }
    }
    return numbers;
  }

  async *#pages(
    folder: string,
    delimiter: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncIterable<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const page = await this.#page(folder, delimiter, token, signal);
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async #page(
    folder: string,
    delimiter: string | undefined,
    token: string | undefined,
    signal: AbortSignal | undefined,
    keysMax?: number,
  ): Promise<ListObjectsV2CommandOutput> {
    const command = new ListObjectsV2Command({
      ...this.#place,
      Prefix: folder,
      Delimiter: delimiter,
      ContinuationToken: token,
      MaxKeys: keysMax,
    });
    try {
      return await this.#client.send(command, sendOptions(signal));
    } catch (error) {
      throw s3Error(this.label, error, signal);
    }
  }
}

const NAMES: Readonly<Partial<Record<StorageClass, S3StorageClass>>> = {
  'standard-ia': 'STANDARD_IA',
  'one-zone-ia': 'ONEZONE_IA',
  'glacier-ir': 'GLACIER_IR',
};

/** What is shorter than a class bills at the least is cheaper where there is no such thing. */
function classFor(storageClass: StorageClass | undefined, bytes: number): S3StorageClass | undefined {
  if (storageClass === undefined || bytes < PRICE_BOOK.storage[storageClass].objectBytesMin) return undefined;
  return NAMES[storageClass];
}

const sendOptions = (signal: AbortSignal | undefined): { abortSignal?: AbortSignal } =>
  signal === undefined ? {} : { abortSignal: signal };
