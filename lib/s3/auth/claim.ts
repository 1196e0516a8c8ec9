// What a request claims of its sender: the Authorization header or a presigned query of signature version 4, parsed and
// bounded, nothing of it believed yet.
import { CLOCK_SKEW_S3_MS, PRESIGNED_SECONDS_MAX, SIGNED_HEADERS_MAX } from '../../limits/gateway.ts';
import { S3Fault } from '../fault.ts';
import { queryPairs, type RawRequest } from './canonical.ts';
import type { Scope } from './signature.ts';

export interface Claim {
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** YYYYMMDDTHHMMSSZ. */
  readonly timestamp: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly payloadHash: string;
  readonly isPresigned: boolean;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SIGNATURE = /^[0-9a-f]{64}$/;
const CREDENTIAL = /^([A-Za-z0-9._-]{1,128})\/(\d{8})\/([A-Za-z0-9-]{1,64})\/([a-z0-9-]{1,32})\/aws4_request$/;
const TIMESTAMP = /^\d{8}T\d{6}Z$/;
/** Headers that SDKs add after signing. */
const ADDED_LATER = ['x-amz-user-agent'];

/** Undefined: nobody is claimed. Throws S3Fault for what is malformed, too old or too early. */
export function claimOf(request: RawRequest, nowMs: number): Claim | undefined {
  const authorization = request.headers.get('authorization');
  const query = new Map(queryPairs(request.query));
  const isPresigned = query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm');
  if (authorization !== undefined && isPresigned)
    throw new S3Fault('InvalidArgument', 'only one way to authenticate is allowed');
  if (query.has('Signature') && query.has('AWSAccessKeyId')) throw oldSignature();
  if (authorization === undefined && !isPresigned) return undefined;
  const claim =
    authorization === undefined ? presignedClaim(request, query, nowMs) : headerClaim(request, authorization, nowMs);
  checkSigned(request, claim);
  return claim;
}

const oldSignature = (): S3Fault =>
  new S3Fault('InvalidRequest', 'signature version 2 is not supported: please use AWS4-HMAC-SHA256');

const malformed = (why: string): S3Fault => new S3Fault('AuthorizationHeaderMalformed', why);

function headerClaim(request: RawRequest, authorization: string, nowMs: number): Claim {
  if (authorization.startsWith('AWS ')) throw oldSignature();
  const at = authorization.indexOf(' ');
  if (authorization.slice(0, at) !== ALGORITHM)
    throw new S3Fault('InvalidArgument', `the authorization header must begin with ${ALGORITHM} and a space`);
  const fields = new Map<string, string>();
  for (const part of authorization.slice(at + 1).split(',')) {
    const equals = part.indexOf('=');
    if (equals < 0) throw malformed('a field of the authorization header has no value');
    fields.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const timestamp = timestampOf(request);
  const payloadHash = request.headers.get('x-amz-content-sha256');
  if (payloadHash === undefined)
    throw new S3Fault('InvalidRequest', 'missing required header for this request: x-amz-content-sha256');
  const claim = {
    ...credentialOf(fields.get('Credential'), malformed),
    timestamp,
    signedHeaders: headerList(fields.get('SignedHeaders'), malformed),
    signature: signatureIn(fields.get('Signature'), malformed),
    payloadHash,
    isPresigned: false,
  };
  if (!timestamp.startsWith(claim.scope.date)) throw malformed('the credential is of another day than the request');
  if (Math.abs(timeOf(timestamp) - nowMs) > CLOCK_SKEW_S3_MS) throw tooSkewed(timestamp, nowMs);
  return claim;
}

function presignedClaim(request: RawRequest, query: ReadonlyMap<string, string>, nowMs: number): Claim {
  const wrong = (why: string): S3Fault => new S3Fault('AuthorizationQueryParametersError', why);
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) throw wrong(`X-Amz-Algorithm must be ${ALGORITHM}`);
  const timestamp = query.get('X-Amz-Date') ?? '';
  const expires = query.get('X-Amz-Expires') ?? '';
  if (!TIMESTAMP.test(timestamp)) throw wrong('X-Amz-Date must be in the format YYYYMMDDTHHMMSSZ');
  if (!/^\d{1,7}$/.test(expires)) throw wrong('X-Amz-Expires must be a number of seconds');
  if (Number(expires) > PRESIGNED_SECONDS_MAX)
    throw wrong(`X-Amz-Expires must be less than a week: ${PRESIGNED_SECONDS_MAX} seconds`);
  const claim = {
    ...credentialOf(query.get('X-Amz-Credential'), wrong),
    timestamp,
    signedHeaders: headerList(query.get('X-Amz-SignedHeaders'), wrong),
    signature: signatureIn(query.get('X-Amz-Signature'), wrong),
    payloadHash: query.get('X-Amz-Content-Sha256') ?? request.headers.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
    isPresigned: true,
  };
  if (!timestamp.startsWith(claim.scope.date)) throw wrong('X-Amz-Credential is of another day than X-Amz-Date');
  const signedMs = timeOf(timestamp);
  if (signedMs - nowMs > CLOCK_SKEW_S3_MS) throw new S3Fault('AccessDenied', 'the request is not yet valid');
  if (nowMs > signedMs + Number(expires) * 1000) throw new S3Fault('AccessDenied', 'the request has expired');
  return claim;
}

type Refuse = (why: string) => S3Fault;

function credentialOf(text: string | undefined, refuse: Refuse): Pick<Claim, 'accessKeyId' | 'scope'> {
  const found = CREDENTIAL.exec(text ?? '');
  if (found === null) throw refuse('the credential must be KEY/YYYYMMDD/REGION/s3/aws4_request');
  const [, accessKeyId = '', date = '', region = '', service = ''] = found;
  if (service !== 's3') throw refuse(`the credential is for the service ${service}, not s3`);
  return { accessKeyId, scope: { date, region, service } };
}

function headerList(text: string | undefined, refuse: Refuse): string[] {
  const names = (text ?? '').split(';');
  if (names.length > SIGNED_HEADERS_MAX) throw refuse('too many signed headers');
  if (!names.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))) throw refuse('SignedHeaders is malformed');
  return names;
}

function signatureIn(text: string | undefined, refuse: Refuse): string {
  if (text === undefined || !SIGNATURE.test(text)) throw refuse('the signature must be 64 hexadecimal digits');
  return text;
}

function timestampOf({ headers }: RawRequest): string {
  const own = headers.get('x-amz-date');
  if (own !== undefined && TIMESTAMP.test(own)) return own;
  const ms = Date.parse(own ?? headers.get('date') ?? '');
  if (Number.isNaN(ms))
    throw new S3Fault('AccessDenied', 'a valid Date or x-amz-date header is required to authenticate');
  return `${new Date(ms).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
}

function timeOf(timestamp: string): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp) ?? [];
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
}

const tooSkewed = (timestamp: string, nowMs: number): S3Fault =>
  new S3Fault('RequestTimeTooSkewed', 'the difference between the request time and the current time is too large', {
    RequestTime: timestamp,
    ServerTime: new Date(nowMs).toISOString(),
    MaxAllowedSkewMilliseconds: String(CLOCK_SKEW_S3_MS),
  });

/** What a signature does not cover, anybody on the way could have added. */
function checkSigned({ headers }: RawRequest, { signedHeaders }: Claim): void {
  const signed = new Set(signedHeaders);
  const left = [...headers.keys()].filter((name) => name.startsWith('x-amz-') && !signed.has(name));
  const unsigned = left.filter((name) => !ADDED_LATER.includes(name) && name !== 'x-amz-content-sha256');
  if (!signed.has('host')) throw new S3Fault('AccessDenied', 'the host header must be signed');
  if (unsigned.length > 0)
    throw new S3Fault('AccessDenied', 'there were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    });
}
