// The port for whoever runs the server: whether it lives, whether it can serve, what it counted, and the web view.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Randomness } from '../../foundation/randomness.ts';
import { BODY_IDLE_MS, CONNECTIONS_MAX, HEADERS_BYTES_MAX, HEADERS_WAIT_MS } from '../../limits/gateway.ts';
import type { GatewayAnswer, GatewayRequest } from '../exchange.ts';
import type { WebView } from '../web/web-view.ts';
import type { ServerMetrics } from './metrics.ts';
import { sendBody } from './send-body.ts';
import { listen, type RunningServer, requestOf } from './server.ts';

export interface AdminOptions {
  readonly metrics: ServerMetrics;
  /** Resolves if the store can be read now; rejects with why not. */
  readonly ready: () => Promise<void>;
  readonly web: Pick<WebView, 'answer' | 'mayRead'>;
  readonly randomness: Randomness;
  /** PEM; both or none. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

export async function startAdminServer(
  place: { readonly host: string; readonly port: number },
  options: AdminOptions,
): Promise<RunningServer> {
  const http = { maxHeaderSize: HEADERS_BYTES_MAX, headersTimeout: HEADERS_WAIT_MS };
  const server = options.tls === undefined ? createServer(http) : createTlsServer({ ...http, ...options.tls });
  server.maxConnections = CONNECTIONS_MAX;
  server.setTimeout(BODY_IDLE_MS);
  server.on('request', (message, response) => void answered(message, response, options));
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

async function answered(message: IncomingMessage, response: ServerResponse, options: AdminOptions): Promise<void> {
  let answer: GatewayAnswer;
  try {
    answer = await answerOf(requestOf(message, response, false, options.randomness), options);
  } catch {
    answer = plain(503, 'not ready\n');
  }
  await sendBody(message, response, answer);
}

async function answerOf(request: GatewayRequest, { metrics, ready, web }: AdminOptions): Promise<GatewayAnswer> {
  const { method, path } = request;
  if (path === '/ui' || path.startsWith('/ui/')) return web.answer(request);
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET\n');
  if (path === '/') return { status: 302, headers: { location: '/ui' } };
  if (path === '/healthz') return plain(200, 'ok\n');
  if (path === '/readyz') {
    await ready();
    return plain(200, 'ready\n');
  }
  if (path !== '/metrics') return plain(404, 'there are /ui, /healthz, /readyz and /metrics\n');
  if (!web.mayRead(request.headers)) return plain(401, 'authorization: Bearer TOKEN is wanted\n');
  const { type, body } = await metrics.text();
  return plain(200, body, type);
}

const plain = (status: number, body: string, type = 'text/plain; charset=utf-8'): GatewayAnswer => ({
  status,
  headers: { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  body,
});
