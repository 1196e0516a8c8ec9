// Operations on S3 buckets themselves, and on what a bucket without anything special answers.
import { isGranted, knowsBucket } from '../../access/policy.ts';
import { XML_BYTES_MAX } from '../../limits/gateway.ts';
import { S3Fault } from '../../s3/fault.ts';
import { fromToken, limitOf, tokenOf } from '../../s3/request/listing.ts';
import { expectRoot, readXml, textOf } from '../../s3/xml/read.ts';
import { xmlDocument } from '../../s3/xml/write.ts';
import { openBody } from '../body.ts';
import { type Call, type GatewayAnswer, isoDate, XML_TYPE } from '../exchange.ts';
import { accessDenied } from '../faults.ts';
import type { Handler } from '../parts.ts';

export const ownerOf = ({ sender }: Call) => ({ ID: sender.key.id, DisplayName: sender.key.name });

export const xmlAnswer = (name: string, node: Parameters<typeof xmlDocument>[1]): GatewayAnswer => ({
  status: 200,
  headers: XML_TYPE,
  body: xmlDocument(name, node),
});

/** A body that is XML, verified as every body is. */
export async function xmlBody(call: Call, root: string): Promise<ReturnType<typeof readXml>> {
  const body = await openBody(call);
  if (body.sizeBytes > XML_BYTES_MAX) throw new S3Fault('MalformedXML', 'the XML you provided is too long');
  const bytes = await body.whole();
  body.finish();
  return expectRoot(readXml(bytes), root);
}

export const listBuckets: Handler = async ({ buckets }, call) => {
  const { rules } = call.sender.key;
  const token = call.query.get('continuation-token');
  const from = token ? fromToken(token) : undefined;
  const prefix = call.query.get('prefix') ?? '';
  // Without a limit all of them are told, as they were before there was one.
  const limit = call.query.has('max-buckets') ? limitOf(call.query, 'max-buckets') : Number.POSITIVE_INFINITY;
  const found: { Name: string; CreationDate: string }[] = [];
  let next: string | undefined;
  for await (const { name, createdAtMs } of buckets.list(prefix)) {
    if ((from !== undefined && name < from) || !knowsBucket(rules, name)) continue;
    if (found.length >= limit) {
      next = name;
      break;
    }
    found.push({ Name: name, CreationDate: isoDate(createdAtMs) });
  }
  return xmlAnswer('ListAllMyBucketsResult', {
    Owner: ownerOf(call),
    Buckets: { Bucket: found },
    Prefix: prefix === '' ? undefined : prefix,
    ContinuationToken: next === undefined ? undefined : tokenOf(next),
  });
};

/** One that is there already is the sender's, as all are: so it was answered of old, and is. */
export const createBucket: Handler = async ({ buckets }, call) => {
  const { sizeBytes } = await openBody(call);
  if (sizeBytes > 0) textOf(await xmlBody(call, 'CreateBucketConfiguration'), 'LocationConstraint');
  await buckets.create(call.bucket, call.sender.key.id);
  return { status: 200, headers: { location: `/${call.bucket}` } };
};

export const headBucket: Handler = async ({ region }) => ({
  status: 200,
  headers: { 'x-amz-bucket-region': region, 'content-type': 'application/xml' },
});

/** One of the same name that is made later is not public. */
export const deleteBucket: Handler = async ({ buckets, uploads, anybody }, call) => {
  await buckets.remove(call.bucket, () => anybody.close(call.bucket));
  // Uploads of a bucket that is gone can never be completed.
  for (const upload of await uploads.list(call.bucket, '')) await uploads.end(upload);
  return { status: 204, headers: {} };
};

/** The first region of all has no name here. */
export const getBucketLocation: Handler = async ({ region }) =>
  xmlAnswer('LocationConstraint', region === 'us-east-1' ? '' : region);

export const getBucketVersioning: Handler = async () => xmlAnswer('VersioningConfiguration', {});

/** Private, and its owner's: there are no others. */
export const getAcl: Handler = async ({ objects }, call) => {
  if (call.key !== '') await objects.head(call.bucket, call.key);
  const { ID, DisplayName } = ownerOf(call);
  const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"';
  const document = xmlDocument('AccessControlPolicy', {
    Owner: { ID, DisplayName },
    AccessControlList: { Grant: { Grantee: { ID, DisplayName }, Permission: 'FULL_CONTROL' } },
  });
  return { status: 200, headers: XML_TYPE, body: document.replace('<Grantee>', `<Grantee ${xsi}>`) };
};

/** Throws AccessDenied. */
export function checkGranted(
  call: Call,
  right: Parameters<typeof isGranted>[1],
  on: Parameters<typeof isGranted>[2],
): void {
  if (!isGranted(call.sender.key.rules, right, on)) throw accessDenied();
}
