// Which operation a request asks for: by its method, by what it is about, and by the parameter that names a
// subresource.
import { S3Fault } from '../fault.ts';
import { isOtherVersion, noSuchVersion, type Target } from './target.ts';

/** What a key may do: an access policy grants it by bucket and prefix. */
export type Right = 'read' | 'write' | 'delete' | 'list' | 'manage';

export type Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CopyObject'
  | 'CreateBucket'
  | 'CreateMultipartUpload'
  | 'DeleteBucket'
  | 'DeleteObject'
  | 'DeleteObjectTagging'
  | 'DeleteObjects'
  | 'GetBucketAcl'
  | 'GetBucketLocation'
  | 'GetBucketVersioning'
  | 'GetObject'
  | 'GetObjectAcl'
  | 'GetObjectAttributes'
  | 'GetObjectTagging'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListBuckets'
  | 'ListMultipartUploads'
  | 'ListObjectVersions'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'ListParts'
  | 'PutObject'
  | 'PutObjectTagging'
  | 'UploadPart'
  | 'UploadPartCopy';

export const RIGHT_OF: Readonly<Record<Operation, Right>> = {
  AbortMultipartUpload: 'write',
  CompleteMultipartUpload: 'write',
  CopyObject: 'write',
  CreateBucket: 'manage',
  CreateMultipartUpload: 'write',
  DeleteBucket: 'manage',
  DeleteObject: 'delete',
  DeleteObjectTagging: 'write',
  DeleteObjects: 'delete',
  GetBucketAcl: 'list',
  GetBucketLocation: 'list',
  GetBucketVersioning: 'list',
  GetObject: 'read',
  GetObjectAcl: 'read',
  GetObjectAttributes: 'read',
  GetObjectTagging: 'read',
  HeadBucket: 'list',
  HeadObject: 'read',
  ListBuckets: 'list',
  ListMultipartUploads: 'list',
  ListObjectVersions: 'list',
  ListObjects: 'list',
  ListObjectsV2: 'list',
  ListParts: 'list',
  PutObject: 'write',
  PutObjectTagging: 'write',
  UploadPart: 'write',
  UploadPartCopy: 'write',
};

/** Subresources of a bucket that it never has here: what a GET is told, as S3 tells of a bucket without one. */
const ABSENT_OF_BUCKET = {
  policy: 'NoSuchBucketPolicy',
  cors: 'NoSuchCORSConfiguration',
  lifecycle: 'NoSuchLifecycleConfiguration',
  website: 'NoSuchWebsiteConfiguration',
  tagging: 'NoSuchTagSet',
  replication: 'ReplicationConfigurationNotFoundError',
  encryption: 'ServerSideEncryptionConfigurationNotFoundError',
  'object-lock': 'ObjectLockConfigurationNotFoundError',
  ownershipControls: 'OwnershipControlsNotFoundError',
  publicAccessBlock: 'NoSuchPublicAccessBlockConfiguration',
} as const;

/** Subresources that nothing here knows. */
const UNKNOWN = [
  'accelerate',
  'analytics',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'logging',
  'metadataConfiguration',
  'metadataTable',
  'metrics',
  'notification',
  'policyStatus',
  'renameObject',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'torrent',
];

const WRITES = ['PUT', 'POST', 'DELETE'];

type Query = ReadonlyMap<string, string>;
type Headers = ReadonlyMap<string, string>;
type Table = readonly (readonly [method: string, parameter: string | undefined, operation: Operation])[];

const BUCKET: Table = [
  ['GET', 'location', 'GetBucketLocation'],
  ['GET', 'versioning', 'GetBucketVersioning'],
  ['GET', 'acl', 'GetBucketAcl'],
  ['GET', 'versions', 'ListObjectVersions'],
  ['GET', 'uploads', 'ListMultipartUploads'],
  ['POST', 'delete', 'DeleteObjects'],
  ['GET', undefined, 'ListObjects'],
  ['HEAD', undefined, 'HeadBucket'],
  ['PUT', undefined, 'CreateBucket'],
  ['DELETE', undefined, 'DeleteBucket'],
];

const OBJECT: Table = [
  ['GET', 'uploadId', 'ListParts'],
  ['PUT', 'uploadId', 'UploadPart'],
  ['POST', 'uploadId', 'CompleteMultipartUpload'],
  ['DELETE', 'uploadId', 'AbortMultipartUpload'],
  ['POST', 'uploads', 'CreateMultipartUpload'],
  ['GET', 'tagging', 'GetObjectTagging'],
  ['PUT', 'tagging', 'PutObjectTagging'],
  ['DELETE', 'tagging', 'DeleteObjectTagging'],
  ['GET', 'acl', 'GetObjectAcl'],
  ['GET', 'attributes', 'GetObjectAttributes'],
  ['GET', undefined, 'GetObject'],
  ['HEAD', undefined, 'HeadObject'],
  ['PUT', undefined, 'PutObject'],
  ['DELETE', undefined, 'DeleteObject'],
];

const notImplemented = (what: string): S3Fault =>
  new S3Fault('NotImplemented', 'a header or query you provided implies functionality that is not implemented', {
    Resource: what,
  });

/** Throws NotImplemented, MethodNotAllowed, or the code of what a bucket does not have. */
export function operationOf(method: string, { bucket, key }: Target, query: Query, headers: Headers): Operation {
  checkVersion(query);
  checkFeatures(headers);
  if (bucket === undefined) {
    if (method === 'GET') return 'ListBuckets';
    throw notAllowed();
  }
  const table = key === undefined ? BUCKET : OBJECT;
  const named = [...query.keys()].find((name) => table.some(([, parameter]) => parameter === name));
  if (named === undefined) refuseSubresource(method, key, query);
  const found = table.find(([of, parameter]) => of === method && parameter === named);
  if (found === undefined) throw named === undefined ? notAllowed() : notImplemented(named);
  return refined(found[2], query, headers);
}

const notAllowed = (): S3Fault =>
  new S3Fault('MethodNotAllowed', 'the specified method is not allowed against this resource');

function refined(operation: Operation, query: Query, headers: Headers): Operation {
  const isCopy = headers.has('x-amz-copy-source');
  if (operation === 'ListObjects' && query.get('list-type') === '2') return 'ListObjectsV2';
  if (operation === 'PutObject' && isCopy) return 'CopyObject';
  if (operation === 'UploadPart' && isCopy) return 'UploadPartCopy';
  return operation;
}

function refuseSubresource(method: string, key: string | undefined, query: Query): void {
  for (const name of query.keys()) {
    if (UNKNOWN.includes(name)) throw notImplemented(name);
    if (!Object.hasOwn(ABSENT_OF_BUCKET, name)) continue;
    if (key !== undefined || WRITES.includes(method)) throw notImplemented(name);
    throw new S3Fault(
      ABSENT_OF_BUCKET[name as keyof typeof ABSENT_OF_BUCKET],
      `the bucket has no ${name} configuration`,
    );
  }
}

function checkVersion(query: Query): void {
  if (isOtherVersion(query.get('versionId'))) throw noSuchVersion();
}

/** What a client relies on when it asks for it is never passed over. */
function checkFeatures(headers: Headers): void {
  for (const name of headers.keys()) {
    if (name.includes('server-side-encryption-customer-')) throw notImplemented(name);
    if (name.startsWith('x-amz-object-lock-')) throw notImplemented(name);
    if (name.startsWith('x-amz-grant-')) throw notImplemented(name);
  }
  if (headers.get('x-amz-server-side-encryption') === 'aws:kms') throw notImplemented('x-amz-server-side-encryption');
  const acl = headers.get('x-amz-acl');
  if (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control') throw notImplemented('x-amz-acl');
}
