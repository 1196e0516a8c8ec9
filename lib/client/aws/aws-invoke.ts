// Calls of a stage's maintenance functions: JSON out, JSON in, errors by their kind. The client plays what schedules
// and the state machine do otherwise, and both may run at once.
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { Clock } from '../../foundation/clock.ts';
import { codeFrom } from '../../foundation/error-codes.ts';
import { type ErrorKind, isKind, isPocketfulError, PocketfulError, unknownOutcome } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { TASK_ATTEMPTS_MAX, TASK_BACK_OFF_MS } from '../../limits/stage.ts';
import { awsError } from './aws-errors.ts';

const SHOWN_CHARACTERS = 300;
const KINDS: readonly ErrorKind[] = ['invalid', 'missing', 'conflict', 'retry', 'unknown', 'corrupt', 'denied'];
const CODE = / \(([A-Z_0-9]+)\)$/;

const failureSchema = z.object({ errorType: z.string().default(''), errorMessage: z.string().default('') });

export interface InvokerParts {
  readonly lambda: LambdaClient;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export class Invoker {
  readonly #parts: InvokerParts;

  constructor(parts: InvokerParts) {
    this.#parts = parts;
  }

  /**
   * The answer of a function that may be called again at any time: busy and lost answers are tried again, with jitter.
   */
  async call<T>(functionName: string, event: object, schema: z.ZodType<T>): Promise<T> {
    const { clock, randomness } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        return parsed(functionName, await this.#invoke(functionName, event), schema);
      } catch (error) {
        if (!isKind(error, 'retry', 'unknown') || error.code === 'ANSWER_MALFORMED' || attempt === TASK_ATTEMPTS_MAX)
          throw error;
        await clock.sleep(randomness.below(TASK_BACK_OFF_MS * 2 ** attempt) + 1);
      }
    }
  }

  close(): void {
    this.#parts.lambda.destroy();
  }

  async #invoke(functionName: string, event: object): Promise<unknown> {
    try {
      const command = new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(event)) });
      const { FunctionError: failed, Payload: payload = [] } = await this.#parts.lambda.send(command);
      const answer: unknown = JSON.parse(Buffer.from(payload).toString('utf8') || 'null');
      if (failed !== undefined) throw failureOf(functionName, answer);
      return answer;
    } catch (error) {
      throw isPocketfulError(error) ? error : awsError('lambda:Invoke', error);
    }
  }
}

/** A function that died or ran out of time is `unknown`: what it did is done, and the next call goes on. */
function failureOf(functionName: string, answer: unknown): PocketfulError {
  const { errorType, errorMessage } = failureSchema.parse(answer ?? {});
  const kind = KINDS.find((one) => errorType.toLowerCase() === `pocketful${one}`);
  const code = CODE.exec(errorMessage)?.[1];
  if (kind !== undefined && code !== undefined)
    return new PocketfulError(kind, codeFrom(code), errorMessage.replace(CODE, ''));
  const said = `${errorType}: ${errorMessage}`.slice(0, SHOWN_CHARACTERS);
  return unknownOutcome('FUNCTION_FAILED', `the function ${functionName} failed: ${said}`);
}

function parsed<T>(functionName: string, answer: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const message = `the answer of ${functionName} is not one this client knows: is the stage another version?`;
  throw unknownOutcome('ANSWER_MALFORMED', message, result.error);
}
