// The gateway on a socket: requests of node:http and node:https in, answers out, both within bounds of size and time.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../foundation/clock.ts';
import { hexOf } from '../../foundation/ids.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { SMALL_BODY_BYTES_MAX } from '../../limits/frontend.ts';
import {
  BODY_IDLE_MS,
  CONNECTIONS_MAX,
  HEADERS_BYTES_MAX,
  HEADERS_WAIT_MS,
  KEEP_ALIVE_MS,
  STOP_WAIT_MS,
  URI_BYTES_MAX,
} from '../../limits/gateway.ts';
import { S3Fault } from '../../s3/fault.ts';
import type { GatewayAnswer, GatewayRequest } from '../exchange.ts';
import { sendBody } from './send-body.ts';

export interface ServerOptions {
  readonly answer: (request: GatewayRequest) => Promise<GatewayAnswer>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** PEM; both or none. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** When an answer has gone out, or was cut off. */
  readonly onAnswered?: (answered: Answered) => void;
}

export interface Answered {
  readonly request: GatewayRequest;
  readonly answer: GatewayAnswer;
  readonly sentBytes: number;
  readonly tookMs: number;
}

export interface RunningServer {
  readonly port: number;
  /** Takes no more requests, and ends when those under way have ended, or after a while. */
  stop(): Promise<void>;
}

export async function startServer(
  place: { readonly host: string; readonly port: number },
  options: ServerOptions,
): Promise<RunningServer> {
  const http = {
    maxHeaderSize: HEADERS_BYTES_MAX,
    headersTimeout: HEADERS_WAIT_MS,
    requestTimeout: 0, // a body may take as long as it likes, as long as it goes on
    keepAliveTimeout: KEEP_ALIVE_MS,
    requireHostHeader: true,
    insecureHTTPParser: false,
  };
  const server = options.tls === undefined ? createServer(http) : createTlsServer({ ...http, ...options.tls });
  server.maxConnections = CONNECTIONS_MAX;
  server.setTimeout(BODY_IDLE_MS);
  const handle = (message: IncomingMessage, response: ServerResponse, continues: boolean): void => {
    void serve(message, response, continues, options);
  };
  server.on('request', (message, response) => handle(message, response, false));
  server.on('checkContinue', (message, response) => handle(message, response, true));
  server.on('clientError', (_, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  await listen(server, place);
  let stop: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      stop ??= stopped(server, options.clock);
      return stop;
    },
  };
}

export function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      // One connection that cannot be taken is no reason to end.
      server.on('error', () => {});
      resolve();
    });
  });
}

async function stopped(server: Server, clock: Clock): Promise<void> {
  const ended = new AbortController();
  const closing = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  clock.sleep(STOP_WAIT_MS, ended.signal).then(
    () => server.closeAllConnections(),
    () => {},
  );
  await closing;
  ended.abort();
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  continues: boolean,
  options: ServerOptions,
): Promise<void> {
  const startedMs = options.clock.monotonicMs();
  const request = requestOf(message, response, continues, options.randomness);
  let answer: GatewayAnswer;
  try {
    answer =
      (message.url ?? '').length > URI_BYTES_MAX
        ? { status: 414, headers: { 'x-amz-request-id': request.id }, code: 'URITooLong' }
        : await options.answer(request);
  } catch {
    answer = { status: 500, headers: { 'x-amz-request-id': request.id } };
  }
  const sentBytes = await sendBody(message, response, answer);
  options.onAnswered?.({ request, answer, sentBytes, tookMs: options.clock.monotonicMs() - startedMs });
}

export function requestOf(
  message: IncomingMessage,
  response: ServerResponse,
  continues: boolean,
  randomness: Randomness,
): GatewayRequest {
  const url = message.url ?? '/';
  const at = url.indexOf('?');
  return {
    id: hexOf(randomness.bytes(8)).toUpperCase(),
    method: message.method ?? 'GET',
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? '' : url.slice(at + 1),
    headers: headersOf(message),
    body() {
      if (continues) response.writeContinue();
      return bodyOf(message);
    },
  };
}

const BEYOND_ASCII = /[\x80-\xff]/;

/** As they came; what came twice is joined, as a signature joins it. Values are UTF-8, which some clients send. */
function headersOf({ rawHeaders }: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const raw = rawHeaders[i + 1] as string;
    const value = BEYOND_ASCII.test(raw) ? Buffer.from(raw, 'latin1').toString('utf8') : raw;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/** A short body is heard to its end first: an iterator of a stream takes longer to make than to read one. */
async function* bodyOf(message: IncomingMessage): AsyncGenerator<Uint8Array> {
  if (Number(message.headers['content-length']) <= SMALL_BODY_BYTES_MAX) {
    for (const piece of await piecesOf(message)) yield piece;
    return;
  }
  try {
    yield* message;
  } catch {
    throw wasCut();
  }
}

function piecesOf(message: IncomingMessage): Promise<readonly Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    const closed = (): void => {
      if (!message.readableEnded) reject(wasCut());
    };
    if (message.destroyed) closed();
    message.on('data', (piece: Uint8Array) => pieces.push(piece));
    message.once('end', () => resolve(pieces));
    message.once('error', closed);
    message.once('close', closed);
  });
}

const wasCut = (): S3Fault => new S3Fault('IncompleteBody', 'the connection was cut before the whole body had come');
