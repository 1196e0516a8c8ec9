// Uploads in parts: a note of each under its S3 bucket, and its parts as objects of their own, so that they outlive
// this process, and a part that is sent again takes the place of the one before.
import { isPocketfulError } from '../foundation/errors.ts';
import { hexOf } from '../foundation/ids.ts';
import { UPLOAD_AGE_MS, UPLOADS_LISTED_MAX } from '../limits/gateway.ts';
import type { ObjectRow } from '../panda/rows/object-row.ts';
import { compareUtf8 } from '../panda/sort-order.ts';
import type { Algorithm, ChecksumType } from '../s3/body/checksum.ts';
import { S3Fault } from '../s3/fault.ts';
import { type Attributes, attributesFrom } from '../s3/request/attributes.ts';
import { etagOf, type GatewayObjects, PARTS, UPLOADS } from './objects.ts';

export interface UploadNote {
  readonly bucket: string;
  readonly id: string;
  readonly key: string;
  /** Of the object that is to come. */
  readonly attributes: Attributes;
  readonly algorithm?: Algorithm;
  readonly type?: ChecksumType;
  readonly createdAtMs: number;
  /** Of the note. */
  readonly version: string;
}

export interface PartNote {
  readonly number: number;
  /** Of the object that holds it. */
  readonly key: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly createdAtMs: number;
  readonly attributes: Attributes;
}

type StoredNote = Pick<UploadNote, 'key' | 'attributes' | 'algorithm' | 'type'>;

const ID_BYTES = 16;
const ID = /^[0-9a-f]{32}$/;
const NUMBER_DIGITS = 5;

const noteKey = (bucket: string, id: string): string => `${bucket}/${id}`;
export const partKey = (id: string, number: number): string => `${id}/${String(number).padStart(NUMBER_DIGITS, '0')}`;

export const noSuchUpload = (): S3Fault =>
  new S3Fault('NoSuchUpload', 'the specified multipart upload does not exist: it may have been aborted or completed');

export class Uploads {
  readonly #objects: GatewayObjects;

  constructor(objects: GatewayObjects) {
    this.#objects = objects;
  }

  async begin(bucket: string, note: StoredNote): Promise<string> {
    const id = hexOf(this.#objects.engine.randomness.bytes(ID_BYTES));
    await this.#objects.putNote({ namespace: UPLOADS, key: noteKey(bucket, id), ifVersion: 'absent' }, note);
    return id;
  }

  async find(bucket: string, key: string, id: string): Promise<UploadNote | undefined> {
    if (!ID.test(id)) return undefined;
    const row = await this.#objects.find(UPLOADS, noteKey(bucket, id));
    const note = row === undefined ? undefined : noteOf(row);
    return note?.key === key ? note : undefined;
  }

  /** Throws NoSuchUpload. */
  async get(bucket: string, key: string, id: string): Promise<UploadNote> {
    const note = await this.find(bucket, key, id);
    if (note === undefined) throw noSuchUpload();
    return note;
  }

  /** By key, and of a key by id. */
  async list(bucket: string, prefix: string): Promise<UploadNote[]> {
    const notes: UploadNote[] = [];
    for await (const row of this.#objects.listAll(UPLOADS, `${bucket}/`)) {
      const note = noteOf(row);
      if (note.key.startsWith(prefix)) notes.push(note);
      if (notes.length >= UPLOADS_LISTED_MAX) break;
    }
    return notes.sort((a, b) => compareUtf8(a.key, b.key) || (a.id < b.id ? -1 : 1));
  }

  async *parts(id: string): AsyncGenerator<PartNote> {
    for await (const row of this.#objects.listAll(PARTS, `${id}/`)) yield partOf(row);
  }

  /** Its note, and every part of it. */
  async end({ bucket, id }: Pick<UploadNote, 'bucket' | 'id'>): Promise<void> {
    await this.#objects.delete(UPLOADS, noteKey(bucket, id));
    await this.dropParts(id);
  }

  async dropParts(id: string): Promise<void> {
    const keys: string[] = [];
    for await (const { key } of this.parts(id)) keys.push(key);
    if (keys.length > 0) await this.#objects.deleteMany(PARTS, keys);
  }

  /**
   * Ends uploads that are a week old, and drops parts whose upload is gone: a process that died between the two left
   * them. How many of both.
   */
  async sweep(): Promise<{ readonly uploads: number; readonly parts: number }> {
    const alive = new Set<string>();
    const nowMs = this.#objects.nowMs;
    // Parts first: what is put meanwhile belongs to an upload that is listed after it.
    const parts: { key: string; id: string }[] = [];
    for await (const { key } of this.#objects.listAll(PARTS)) parts.push({ key, id: key.split('/')[0] ?? '' });
    let uploads = 0;
    for await (const row of this.#objects.listAll(UPLOADS)) {
      const note = noteOf(row);
      if (nowMs - note.createdAtMs <= UPLOAD_AGE_MS) alive.add(note.id);
      else {
        await this.end(note);
        uploads += 1;
      }
    }
    const orphans = parts.filter(({ id }) => !alive.has(id)).map(({ key }) => key);
    if (orphans.length > 0) await this.#objects.deleteMany(PARTS, orphans);
    return { uploads, parts: orphans.length };
  }
}

function noteOf({ key: name, version, createdAtMs, system }: ObjectRow): UploadNote {
  const slash = name.indexOf('/');
  const stored = JSON.parse(system ?? '{}') as StoredNote;
  return { ...stored, bucket: name.slice(0, slash), id: name.slice(slash + 1), version, createdAtMs };
}

function partOf(row: ObjectRow): PartNote {
  const { key, version, sizeBytes, createdAtMs, system } = row;
  const number = Number(key.split('/')[1]);
  return { number, key, version, sizeBytes, etag: etagOf(row), createdAtMs, attributes: attributesFrom(system) };
}

/** The note of an upload, as a source that goes with it. */
export const noteSource = ({ bucket, id, version }: UploadNote) => ({
  namespace: UPLOADS,
  key: noteKey(bucket, id),
  version,
});

export const isGone = (error: unknown): boolean =>
  isPocketfulError(error) && (error.code === 'OBJECT_CHANGED' || error.code === 'OBJECT_MISSING');
