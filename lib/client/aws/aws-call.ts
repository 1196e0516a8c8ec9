// One request to the frontend function of a stage, sent again with jitter while the answer is `retry`.
import { InvokeCommand, type InvokeCommandOutput, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Clock } from '../../foundation/clock.ts';
import { invalid, isKind, isPocketfulError, unknownOutcome } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import {
  FRONTEND_ATTEMPTS_MAX,
  FRONTEND_BACK_OFF_MS,
  FRONTEND_BACK_OFF_MS_MAX,
  PAYLOAD_BYTES_MAX,
} from '../../limits/stage.ts';
import { type FrontendOperation, type RequestOf, type ResultOf, resultOf } from '../../service/protocol.ts';
import { awsError } from './aws-errors.ts';

const SHOWN_CHARACTERS = 300;

export interface FrontendCallerParts {
  readonly lambda: LambdaClient;
  readonly functionName: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** What a frontend says that gave up among many writers. */
const CONTENDED: readonly string[] = ['CONTENDED', 'GUARD_FAILED'];

/** An object of a batch that was turned away for the moment: nothing of it is stored, and it may be sent again. */
export const isTurnedAway = (error: Error): boolean =>
  isKind(error, 'retry') || (isPocketfulError(error) && CONTENDED.includes(error.code));

export class FrontendCaller {
  readonly #parts: FrontendCallerParts;

  constructor(parts: FrontendCallerParts) {
    this.#parts = parts;
  }

  /**
   * The result; throws the frontend's own errors, `retry` AWS_BUSY, `denied` AWS_DENIED, `unknown` if no answer came.
   */
  async call<Op extends FrontendOperation>(request: RequestOf<Op> & { readonly op: Op }): Promise<ResultOf<Op>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return resultOf(request.op, await this.#invoke(request));
      } catch (error) {
        if (!isKind(error, 'retry') || attempt === FRONTEND_ATTEMPTS_MAX) throw error;
        await this.#backOff(attempt);
      }
    }
  }

  /** False when it has been tried often enough. */
  async mayRetry(attempt: number): Promise<boolean> {
    if (attempt >= FRONTEND_ATTEMPTS_MAX) return false;
    await this.#backOff(attempt);
    return true;
  }

  #backOff(attempt: number): Promise<void> {
    const { clock, randomness } = this.#parts;
    return clock.sleep(randomness.below(Math.min(FRONTEND_BACK_OFF_MS_MAX, FRONTEND_BACK_OFF_MS * 2 ** attempt)) + 1);
  }

  close(): void {
    this.#parts.lambda.destroy();
  }

  async #invoke(request: { readonly op: FrontendOperation }): Promise<unknown> {
    const { lambda, functionName } = this.#parts;
    const payload = Buffer.from(JSON.stringify(request));
    if (payload.byteLength > PAYLOAD_BYTES_MAX)
      throw invalid('REQUEST_TOO_LARGE', `a request is at most ${PAYLOAD_BYTES_MAX} bytes, not ${payload.byteLength}`);
    try {
      const command = new InvokeCommand({ FunctionName: functionName, Payload: payload });
      return answerOf(await lambda.send(command), request.op);
    } catch (error) {
      throw isPocketfulError(error) ? error : awsError('lambda:Invoke', error);
    }
  }
}

function answerOf({ FunctionError, Payload }: InvokeCommandOutput, op: FrontendOperation): unknown {
  const text = Buffer.from(Payload ?? []).toString('utf8');
  if (FunctionError !== undefined) {
    const shown = text.slice(0, SHOWN_CHARACTERS);
    throw unknownOutcome('FRONTEND_FAILED', `the frontend function failed in ${op}: ${shown}`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unknownOutcome('ANSWER_MALFORMED', `the frontend's answer to ${op} is not JSON`, cause);
  }
}
