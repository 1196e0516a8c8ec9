// Which S3 bucket and key a request is about: in its path, or the bucket in its host's name.
import { OBJECT_KEY_BYTES_MAX } from '../../limits/frontend.ts';
import { decoded } from '../auth/canonical.ts';
import { S3Fault } from '../fault.ts';

export interface Target {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
}

const BUCKET = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/;

/** Throws InvalidBucketName. 3-63 characters, as on S3. */
export function checkedBucket(name: string): string {
  const isAddress = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name);
  if (!BUCKET.test(name) || name.includes('..') || name.includes('.-') || name.includes('-.') || isAddress)
    throw new S3Fault('InvalidBucketName', 'the specified bucket is not valid', { BucketName: name.slice(0, 80) });
  return name;
}

/** Throws KeyTooLongError or InvalidURI. */
export function checkedKey(key: string): string {
  if (Buffer.byteLength(key) > OBJECT_KEY_BYTES_MAX)
    throw new S3Fault('KeyTooLongError', 'your key is too long', { MaxSizeAllowed: String(OBJECT_KEY_BYTES_MAX) });
  if (key.includes('\0') || !key.isWellFormed()) throw new S3Fault('InvalidURI', 'a key must be Unicode without NUL');
  return key;
}

/** `domains`: names of this server below which buckets have names of their own. */
export function targetOf(path: string, host: string, domains: readonly string[] = []): Target {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const domain = domains.find((one) => name.endsWith(`.${one}`));
  const rest = path.startsWith('/') ? path.slice(1) : path;
  if (domain !== undefined) return { bucket: checkedBucket(name.slice(0, -domain.length - 1)), key: keyIn(rest) };
  if (rest === '') return { bucket: undefined, key: undefined };
  const at = rest.indexOf('/');
  const bucket = checkedBucket(decoded(at < 0 ? rest : rest.slice(0, at)));
  return { bucket, key: at < 0 ? undefined : keyIn(rest.slice(at + 1)) };
}

/** `/bucket/` is the bucket, as `/bucket` is. */
const keyIn = (raw: string): string | undefined => (raw === '' ? undefined : checkedKey(decoded(raw)));

/** There is one version of each object, the current one: `null`, as in a bucket without versioning. */
export const isOtherVersion = (version: string | undefined): boolean =>
  version !== undefined && version !== '' && version !== 'null';

export const noSuchVersion = (): S3Fault => new S3Fault('NoSuchVersion', 'the specified version does not exist');

/** x-amz-copy-source: `bucket/key`, maybe with a slash before it, percent-encoded, maybe with a version. */
export function copySourceOf(header: string): { readonly bucket: string; readonly key: string } {
  const at = header.indexOf('?');
  const version = at < 0 ? undefined : /^\?versionId=(.*)$/.exec(header.slice(at))?.[1];
  if (at >= 0 && version !== 'null') throw noSuchVersion();
  const path = decoded(at < 0 ? header : header.slice(0, at)).replace(/^\//, '');
  const slash = path.indexOf('/');
  const key = slash < 0 ? '' : path.slice(slash + 1);
  if (key === '') throw new S3Fault('InvalidArgument', 'the copy source must be BUCKET/KEY');
  return { bucket: checkedBucket(path.slice(0, slash)), key: checkedKey(key) };
}
