// A shelf in an S3 bucket: keys are `prefix` + `journal/EPOCH/NAME`, or in another folder. A put that meets its own
// object, as its first answer was lost, has done what it should: names have a random part, so nobody else writes them.
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { assert } from '../foundation/assert.ts';
import { given } from '../foundation/given.ts';
import { S3_DELETE_KEYS_MAX } from '../limits/bytes.ts';
import type { ByteRange } from './drive.ts';
import { assertRange, isChunkName, numberOf } from './drive-keys.ts';
import { chunkExists, chunkMissing } from './errors.ts';
import { s3Error, statusOf } from './s3-errors.ts';
import { rangeHeader, rangeOf } from './s3-ranges.ts';
import type { Shelf, ShelfEntry } from './shelf.ts';

/** Beside a drive's zones. */
const JOURNAL_FOLDER = 'journal';

export interface S3ShelfOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** That the bucket must belong to. */
  readonly account?: string | undefined;
  /** As of the drive. */
  readonly prefix?: string;
  readonly folder?: string;
}

export class S3Shelf implements Shelf {
  readonly label: string;
  readonly #client: S3Client;
  /** Of every request. */
  readonly #place: { readonly Bucket: string; readonly ExpectedBucketOwner?: string };
  readonly #folder: string;

  constructor({ client, bucket, account, prefix = '', folder = JOURNAL_FOLDER }: S3ShelfOptions) {
    this.#client = client;
    this.#place = { Bucket: bucket, ...given({ ExpectedBucketOwner: account }) };
    this.#folder = `${prefix}${folder}/`;
    this.label = prefix === '' ? bucket : `${bucket}/${prefix.slice(0, -1)}`;
  }

  async put(epoch: number, name: string, parts: readonly Uint8Array[]): Promise<void> {
    const Key = this.#keyOf(epoch, name);
    const body = Buffer.concat(parts);
    const command = new PutObjectCommand({
      ...{ ...this.#place, Key, Body: body, ContentLength: body.byteLength },
      ...{ ContentType: 'application/octet-stream', IfNoneMatch: '*' },
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      if (statusOf(error) === 412) throw chunkExists(this.label, Key, error);
      throw s3Error(this.label, error, undefined);
    }
  }

  async read(epoch: number, name: string, range?: ByteRange): Promise<Uint8Array> {
    const Key = this.#keyOf(epoch, name);
    assertRange(range);
    const Range = range === undefined ? undefined : rangeHeader(range);
    try {
      return await rangeOf(await this.#client.send(new GetObjectCommand({ ...this.#place, Key, Range })), range);
    } catch (error) {
      const kind = error instanceof Error ? error.name : '';
      if (statusOf(error) === 416 || kind === 'InvalidRange') return new Uint8Array(0);
      if (kind === 'NoSuchKey' || kind === 'NotFound') throw chunkMissing(this.label, Key, error);
      throw s3Error(this.label, error, undefined);
    }
  }

  async list(): Promise<ShelfEntry[]> {
    const found: ShelfEntry[] = [];
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        ...{ ...this.#place, Prefix: this.#folder, ContinuationToken: token },
      });
      const page = await this.#client.send(command).catch((error: unknown) => {
        throw s3Error(this.label, error, undefined);
      });
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const [folder = '', name = '', ...rest] = Key.slice(this.#folder.length).split('/');
        const epoch = numberOf(folder);
        if (epoch !== undefined && rest.length === 0 && isChunkName(name)) found.push({ epoch, name, bytes: Size });
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  async remove(epoch: number, names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += S3_DELETE_KEYS_MAX) {
      const some = names.slice(at, at + S3_DELETE_KEYS_MAX);
      const Objects = some.map((name) => ({ Key: this.#keyOf(epoch, name) }));
      try {
        const command = new DeleteObjectsCommand({ ...this.#place, Delete: { Quiet: true, Objects } });
        const { Errors: [first] = [] } = await this.#client.send(command);
        if (first === undefined) continue;
        throw Object.assign(new Error(`${first.Key} is not deleted: ${first.Message}`), { name: first.Code ?? '' });
      } catch (error) {
        throw s3Error(this.label, error, undefined);
      }
    }
  }

  #keyOf(epoch: number, name: string): string {
    assert(isChunkName(name), 'a name of the journal');
    return `${this.#folder}${epoch}/${name}`;
  }
}
