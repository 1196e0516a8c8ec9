// The frontend function: lambda:Invoke requests and HTTP requests of its URL, answered out of one store. One log line a
// request, without names or contents.

import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import { answerInvoke } from '../../lib/service/answer.ts';
import { answerHttp, type HttpAnswer, isHttpEvent } from '../../lib/service/http.ts';
import type { FrontendAnswer } from '../../lib/service/protocol.ts';
import type { OpenService } from '../../lib/service/service.ts';
import { openFrontend } from './open-frontend.ts';

export interface HandlerParts {
  /** The store, for a request that has so much time. */
  readonly open: (remainingMs: number) => ReturnType<OpenService>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

type Answer = FrontendAnswer | HttpAnswer;

export const newHandler = ({ open, logger, metrics }: HandlerParts) =>
  middy<unknown, Answer>()
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(logMetrics(metrics, { throwOnEmptyMetrics: false }))
    .handler(async (event, context): Promise<Answer> => {
      const service: OpenService = () => open(context.getRemainingTimeInMillis());
      const startMs = performance.now();
      const isHttp = isHttpEvent(event);
      let outcome = 'failed';
      try {
        const answer = isHttp ? await answerHttp(service, event) : await answerInvoke(service, event);
        outcome = outcomeOf(answer);
        return answer;
      } catch (error) {
        logger.error('a fault of ours', error as Error);
        throw error;
      } finally {
        metrics.addMetric(METRIC_OF[outcome] ?? 'RequestsRefused', MetricUnit.Count, 1);
        const ms = Math.round(performance.now() - startMs);
        logger.info('request', { via: isHttp ? 'http' : 'invoke', outcome, ms });
      }
    });

const METRIC_OF: Readonly<Record<string, string>> = { ok: 'RequestsAnswered', failed: 'RequestsFailed' };

/** `ok`, an error's code, or an HTTP status. */
function outcomeOf(answer: Answer): string {
  if ('error' in answer) return answer.error.code;
  if ('statusCode' in answer && answer.statusCode >= 400) return String(answer.statusCode);
  return 'ok';
}

export const handler = newHandler({ open: openFrontend, logger: new Logger(), metrics: new Metrics() });
