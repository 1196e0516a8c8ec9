// How long a request to AWS may take. Without these the SDK waits for ever: a black hole held a function until its time
// was over. Each is far above what a request takes that is answered at all, and so short that what tries again still
// has time to.
import { SECOND_MS } from '../foundation/durations.ts';

const AWS_CONNECT_MS = 3 * SECOND_MS;

/** As the SDK's request handlers take it; its default only warns when the time is over. */
const within = (requestTimeout: number) =>
  Object.freeze({ connectionTimeout: AWS_CONNECT_MS, requestTimeout, throwOnRequestTimeout: true });

/** Rows: a transaction is answered within a tenth of a second, and sent again with its token if it is not. */
export const DYNAMO_WITHIN = within(5 * SECOND_MS);
/** Objects of up to some tens of MiB: the time until the answer begins, the body of a put included. */
export const S3_WITHIN = within(60 * SECOND_MS);
/** An event that is queued, not worked off. */
export const LAMBDA_EVENT_WITHIN = within(5 * SECOND_MS);
export const KMS_WITHIN = within(5 * SECOND_MS);
/** Longer than a receive may wait for messages. */
export const SQS_WITHIN = within(30 * SECOND_MS);
