// Names of the objects in a zone generation: `s-t` for the chunk of sequence s written under token t, `dirs` for the
// directory pack, `dir-b` for the directory of bucket b where there was no pack yet. Every number has one spelling, so
// a name and its meaning are one to one.
import { assertCount } from '../foundation/assert.ts';
import { type BucketId, bucketId } from '../foundation/ids.ts';
import { assertWithin, U32_MAX } from './wire.ts';

const CHUNK_NAME = /^(0|[1-9][0-9]{0,9})-(0|[1-9][0-9]{0,15})$/;
const BUCKET_DIRECTORY_NAME = /^dir-([0-9a-f]{16})$/;

export function chunkName(sequence: number, token: number): string {
  assertWithin(sequence, U32_MAX, 'sequence');
  assertCount(token, 'token');
  return `${sequence}-${token}`;
}

export function parseChunkName(name: string): { sequence: number; token: number } | undefined {
  const match = CHUNK_NAME.exec(name);
  if (match === null) return undefined;
  const sequence = Number(match[1]);
  const token = Number(match[2]);
  return sequence <= U32_MAX && Number.isSafeInteger(token) ? { sequence, token } : undefined;
}

export const DIRECTORY_PACK_NAME = 'dirs';

/** Of volumes sealed before there were packs: nobody writes it any more. */
export const bucketDirectoryName = (bucket: BucketId): string => `dir-${bucket}`;

export function parseBucketDirectoryName(name: string): BucketId | undefined {
  const match = BUCKET_DIRECTORY_NAME.exec(name);
  return match === null ? undefined : bucketId(match[1] as string);
}
