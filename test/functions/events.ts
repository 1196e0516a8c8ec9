// Events and contexts as Lambda makes them, and a frontend handler on a store with memory bodies.
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { newHandler } from '../../functions/frontend/handler.ts';
import { FrontendService } from '../../lib/service/service.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { MemoryShelf } from '../journal/memory-shelf.ts';
import { World } from '../store/harness.ts';

// As on a stage without `functionMetrics`: counted, not printed.
Object.assign(process.env, { POWERTOOLS_METRICS_DISABLED: 'true' });

type LambdaContext = Parameters<ReturnType<typeof newHandler>>[1];

export const context = (remainingMs = 30_000): LambdaContext => ({
  callbackWaitsForEmptyEventLoop: true,
  functionName: 'frontend',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:frontend',
  memoryLimitInMB: '1024',
  awsRequestId: '5f0c1a52-3b0b-4a53-9b1a-0d3c9c2f6f11',
  logGroupName: 'frontend',
  logStreamName: 'stream',
  getRemainingTimeInMillis: () => remainingMs,
  done: () => {},
  fail: () => {},
  succeed: () => {},
});

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
  /** The ARN of who signed it. */
  readonly caller?: string;
}

/** A Function URL's event, payload format 2.0. */
export const httpEvent = ({ method, path, query = '', headers = {}, body, caller }: HttpRequest): unknown => ({
  version: '2.0',
  routeKey: '$default',
  rawPath: path,
  rawQueryString: query,
  headers,
  requestContext: {
    accountId: '000000000000',
    authorizer:
      caller === undefined ? null : { iam: { userArn: caller, accountId: '111122223333', principalOrgId: null } },
    domainName: 'id.lambda-url.us-east-1.on.aws',
    http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
    requestId: 'r',
    timeEpoch: 0,
  },
  ...(body === undefined ? {} : { body: Buffer.from(body).toString('base64') }),
  isBase64Encoded: body !== undefined,
});

export interface Deployed {
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly world: World;
  /** Where parts of bulk puts wait. */
  readonly staging: MemoryShelf;
}

/** Log lines go to nobody. */
export function deploy(seed: number, open?: () => Promise<FrontendService>, settings?: Settings): Deployed {
  const world = new World(seed, settings);
  const staging = new MemoryShelf('staging');
  const service = new FrontendService(world.start().volumes, undefined, staging);
  const handler = newHandler({
    open: open ?? (async () => service),
    logger: new Logger({ logLevel: 'SILENT' }),
    metrics: new Metrics({ namespace: 'Test', serviceName: 'frontend' }),
  });
  // Through JSON both ways, as Lambda does it.
  const invoke = async (event: unknown): Promise<unknown> =>
    JSON.parse(JSON.stringify(await handler(JSON.parse(JSON.stringify(event)), context())));
  return { invoke, world, staging };
}
