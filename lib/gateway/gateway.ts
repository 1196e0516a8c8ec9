// What a request goes through: who sent it, what it asks for, whether its sender may, and then the operation. What goes
// wrong anywhere becomes an answer here, and nothing else does.
import type { AccessKey } from '../access/access-keys.ts';
import { isGranted, knowsBucket } from '../access/policy.ts';
import { queryPairs } from '../s3/auth/canonical.ts';
import { type Sender, senderOf } from '../s3/auth/verify.ts';
import { S3Fault } from '../s3/fault.ts';
import { type Operation, operationOf, RIGHT_OF } from '../s3/request/operation.ts';
import { type Target, targetOf } from '../s3/request/target.ts';
import { xmlDocument } from '../s3/xml/write.ts';
import { anybodyWith, isAnybody, publicOperation, toldTo } from './anybody.ts';
import { type Call, type GatewayAnswer, type GatewayRequest, quoted } from './exchange.ts';
import { accessDenied, faultOf } from './faults.ts';
import { HANDLERS } from './handlers.ts';
import type { GatewayParts } from './parts.ts';

export interface GatewayOptions extends GatewayParts {
  /** Undefined: there is no such key. */
  readonly findKey: (accessKeyId: string) => Promise<AccessKey | undefined>;
  /** Below which S3 buckets have host names of their own. */
  readonly domains?: readonly string[];
  /** What clients call this server, where a proxy changes it. */
  readonly hosts?: readonly string[];
  /** Faults that nobody expected: told with the request's id. */
  readonly onInternal?: (error: unknown, requestId: string) => void;
}

/** Operations that need no S3 bucket to be there, or see to it themselves. */
const WITHOUT_BUCKET: readonly Operation[] = ['ListBuckets', 'CreateBucket', 'DeleteBucket'];

export class Gateway {
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  async answer(request: GatewayRequest): Promise<GatewayAnswer> {
    let operation: Operation | undefined;
    try {
      const query = new Map(queryPairs(request.query));
      const host = request.headers.get('host') ?? '';
      const target = targetOf(request.path, host, this.#options.domains);
      const sender = (await this.#sender(request)) ?? (await this.#anybody(target));
      const operate = isAnybody(sender) ? publicOperation : operationOf;
      operation = operate(request.method, target, query, request.headers);
      const call = { request, headers: request.headers, query, operation, sender, ...named(target) };
      checkRight(call, target);
      checkOwner(call);
      if (!WITHOUT_BUCKET.includes(operation)) await this.#options.buckets.check(call.bucket);
      const answer = await HANDLERS[operation](this.#options, call).catch((error: unknown) => {
        throw toldTo(call, error);
      });
      return { ...answer, headers: { ...answer.headers, 'x-amz-request-id': request.id }, operation };
    } catch (error) {
      const fault = faultOf(error);
      if (fault.code === 'InternalError') this.#options.onInternal?.(error, request.id);
      return this.#failure(request, fault, operation);
    }
  }

  /** Undefined: it claims nobody. */
  #sender(request: GatewayRequest): Promise<Sender<AccessKey> | undefined> {
    const { hosts = [], findKey, objects } = this.#options;
    return senderOf(request, findKey, { nowMs: objects.engine.clock.nowMs(), hosts });
  }

  /** Without a key nothing may be done but in an S3 bucket that was made public. */
  async #anybody({ bucket }: Target): Promise<Sender<AccessKey>> {
    const rule = bucket === undefined ? undefined : await this.#options.anybody.rule(bucket);
    if (rule === undefined) throw new S3Fault('AccessDenied', 'access denied: requests must be signed');
    return anybodyWith(rule);
  }

  #failure(request: GatewayRequest, fault: S3Fault, operation: Operation | undefined): GatewayAnswer {
    const { code, message, status, details } = fault;
    const headers: Record<string, string> = {
      'x-amz-request-id': request.id,
      'x-amz-bucket-region': this.#options.region,
    };
    if (code === 'NotModified') {
      const { ETag } = details;
      return { status, headers: { ...headers, ...(ETag && { etag: quoted(ETag) }) }, operation, code };
    }
    if (code === 'SlowDown') headers['retry-after'] = '1';
    headers['content-type'] = 'application/xml';
    const body = xmlDocument(
      'Error',
      {
        Code: code,
        Message: message,
        ...details,
        Resource: details['Resource'] ?? request.path,
        RequestId: request.id,
      },
      false,
    );
    return { status, headers, body, operation, code };
  }
}

const named = ({ bucket = '', key = '' }: Target) => ({ bucket, key });

/** Every bucket is its sender's: whoever expects another owner means another store. */
function checkOwner({ headers, sender }: Call): void {
  for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
    const expected = headers.get(name);
    if (expected !== undefined && expected !== sender.key.id) throw accessDenied();
  }
}

/** The key is decoded by now: what is granted below a prefix is what lies there. */
function checkRight({ operation, query, sender }: Call, { bucket, key }: Target): void {
  const { rules } = sender.key;
  if (bucket === undefined || operation === 'DeleteObjects') {
    // Names of buckets are told as far as rules speak of them, and what is deleted is held against them one by one.
    if (rules.length > 0) return;
  } else if (operation === 'HeadBucket' || operation === 'GetBucketLocation') {
    if (knowsBucket(rules, bucket)) return;
  } else if (isGranted(rules, RIGHT_OF[operation], { bucket, key, prefix: query.get('prefix') })) return;
  throw accessDenied();
}
