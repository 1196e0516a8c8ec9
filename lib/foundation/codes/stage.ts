// Codes of a stage: deploying it, calling its functions, and what its server refuses.
import type { CodeTable } from './code-table.ts';

/** Deployment. */
export const STAGE_CODES = {
  STAGE_MISSING: ['missing', 'there is no such stage in this account and region'],
  STAGE_INVALID: ['invalid', 'what the stage is asked to be makes no sense'],
  LOAD_INVALID: ['invalid', 'what `deploy --load` is asked to price makes no sense'],
  STAGE_CONTRADICTS: ['invalid', 'the stage was deployed with other settings or drives than its store has'],
  STAGE_INCOMPLETE: ['invalid', 'a stack of the stage is in a state that has to be mended first'],
  BOOTSTRAP_MISSING: ['missing', 'CDK is not set up in this account and region'],
  HANDLER_MISSING: ['missing', 'a function has no code to deploy'],
  CDK_MISSING: ['missing', 'aws-cdk is not installed here'],
  CDK_FAILED: ['unknown', 'cdk ended with an error: see what it printed'],
  METRICS_BUSY: ['retry', 'CloudWatch takes no metrics now'],
  METRICS_DENIED: ['denied', 'no permission to send metrics'],
} as const satisfies CodeTable;

/** Calls. */
export const CALL_CODES = {
  AWS_BUSY: ['retry', 'AWS throttled the call, or is not available'],
  AWS_DENIED: ['denied', 'no permission for the call, or no region or credentials'],
  AWS_UNKNOWN: ['unknown', 'no answer came: it may have happened'],
  ANSWER_MALFORMED: ['unknown', 'an answer is not what it must be: the releases differ'],
  FRONTEND_FAILED: ['unknown', 'the frontend function ended with an error of its own'],
  FUNCTION_FAILED: ['unknown', 'a function ended with an error of its own'],
  TIME_UP: ['unknown', 'the time of the invocation is used up'],
  EVENT_INVALID: ['invalid', 'the event of a function is not what it must be'],
  REQUEST_INVALID: ['invalid', 'a request is not what it must be'],
  REQUEST_TOO_LARGE: ['invalid', 'a request has more bytes than a function takes'],
  METHOD_NOT_ALLOWED: ['invalid', 'the method does not go with the path'],
  PATH_UNKNOWN: ['invalid', 'there is no such path'],
  KEY_INVALID: ['invalid', 'the key in the path is not percent-encoded UTF-8'],
  NAMESPACE_DENIED: ['denied', 'the namespace does not name the caller for this'],
  BULK_LATER: ['retry', 'a bulk put had no time for it yet: ask for it again'],
  KEY_TWICE: ['invalid', 'a key is there twice in one request'],
} as const satisfies CodeTable;
