// Ranges of S3 objects: as headers, and as what came back for them.
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { ByteRange } from './drive.ts';

/** A range of no length still has to find out whether the object is there: it asks for one byte. */
export function rangeHeader({ offset, length }: ByteRange): string {
  const last = Math.min(offset + Math.max(1, length) - 1, Number.MAX_SAFE_INTEGER);
  return `bytes=${offset}-${last}`;
}

/** What was asked for: a server may ignore Range and send everything. */
export async function rangeOf(answer: GetObjectCommandOutput, range: ByteRange | undefined): Promise<Uint8Array> {
  const bytes = await bytesOf(answer);
  if (range === undefined) return bytes;
  if (range.length === 0) return new Uint8Array(0);
  return answer.ContentRange === undefined ? bytes.slice(range.offset, range.offset + range.length) : bytes;
}

/** A body that ends before its Content-Length is an error of the HTTP layer, never a short answer. */
async function bytesOf(answer: GetObjectCommandOutput): Promise<Uint8Array> {
  return (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
}
