// The port for whoever runs the server: whether it lives, whether it can serve, and what it counted. Read only.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HEADERS_BYTES_MAX, HEADERS_WAIT_MS } from '../../limits/gateway.ts';
import type { ServerMetrics } from './metrics.ts';
import { listen, type RunningServer } from './server.ts';

export interface AdminOptions {
  readonly metrics: ServerMetrics;
  /** Resolves if the store can be read now; rejects with why not. */
  readonly ready: () => Promise<void>;
}

export async function startAdminServer(
  place: { readonly host: string; readonly port: number },
  options: AdminOptions,
): Promise<RunningServer> {
  const server = createServer(
    { maxHeaderSize: HEADERS_BYTES_MAX, headersTimeout: HEADERS_WAIT_MS },
    (request, response) => {
      void answered(request.method ?? '', (request.url ?? '').split('?')[0] ?? '', response, options);
    },
  );
  await listen(server, place);
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answered(
  method: string,
  path: string,
  response: ServerResponse,
  { metrics, ready }: AdminOptions,
): Promise<void> {
  const say = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, {
      'content-type': type,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(method === 'HEAD' ? undefined : body);
  };
  try {
    if (method !== 'GET' && method !== 'HEAD') say(405, 'only GET\n');
    else if (path === '/healthz') say(200, 'ok\n');
    else if (path === '/readyz') {
      await ready();
      say(200, 'ready\n');
    } else if (path === '/metrics') {
      const { type, body } = await metrics.text();
      say(200, body, type);
    } else say(404, 'there are /healthz, /readyz and /metrics\n');
  } catch {
    say(503, 'not ready\n');
  }
}
