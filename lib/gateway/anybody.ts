// Who sends a request without a key: nobody that is known. Such a request may read and list what was made public, and
// is told of nothing else whether it is there.
import type { AccessKey } from '../access/access-keys.ts';
import { isGranted, type Rule } from '../access/policy.ts';
import type { Sender } from '../s3/auth/verify.ts';
import { isS3Fault, S3Fault } from '../s3/fault.ts';
import { type Operation, operationOf } from '../s3/request/operation.ts';
import type { Call } from './exchange.ts';
import { accessDenied, faultOf } from './faults.ts';

/** Not the id of any key. */
const ANYBODY = 'anybody';
const PUBLIC_OPERATIONS: readonly Operation[] = ['GetObject', 'HeadObject', 'ListObjects', 'ListObjectsV2'];

const unclaimed: Sender<AccessKey>['claim'] = {
  accessKeyId: ANYBODY,
  scope: { date: '', region: '', service: 's3' },
  timestamp: '',
  signedHeaders: [],
  signature: '',
  payloadHash: 'UNSIGNED-PAYLOAD',
  isPresigned: false,
};

export const anybodyWith = (rule: Rule): Sender<AccessKey> => ({
  key: { id: ANYBODY, secret: '', name: ANYBODY, createdAtMs: 0, rules: [rule] },
  claim: unclaimed,
  chunks: undefined,
});

export const isAnybody = ({ key }: Sender<AccessKey>): boolean => key.id === ANYBODY;

/** Throws AccessDenied for all but reading and listing, InvalidRequest (as S3) for headers that are asked for. */
export function publicOperation(...args: Parameters<typeof operationOf>): Operation {
  let operation: Operation | undefined;
  try {
    operation = operationOf(...args);
  } catch (error) {
    if (!isS3Fault(error)) throw error;
  }
  if (operation === undefined || !PUBLIC_OPERATIONS.includes(operation)) throw accessDenied();
  const [, , query] = args;
  if ([...query.keys()].some((name) => name.startsWith('response-')))
    throw new S3Fault('InvalidRequest', 'response headers cannot be asked for by requests without a key');
  return operation;
}

/** What went wrong, for who may know: what is missing is only told to those who may list. */
export function toldTo({ sender, bucket, key }: Call, error: unknown): unknown {
  const isHidden = isAnybody(sender) && !isGranted(sender.key.rules, 'list', { bucket, key });
  return isHidden && faultOf(error).code === 'NoSuchKey' ? accessDenied() : error;
}
