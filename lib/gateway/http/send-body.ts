// An answer on its way out: its head, then its body as fast as the client takes it. A body that fails midway is cut
// off, so that no client takes what it got for the whole.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DROPPED_BYTES_MAX } from '../../limits/gateway.ts';
import type { GatewayAnswer } from '../exchange.ts';

/** How many bytes of the body were handed to the client. */
export async function sendBody(
  message: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: GatewayAnswer,
): Promise<number> {
  if (!isReadOn(message)) response.setHeader('connection', 'close');
  const hasBody = message.method !== 'HEAD' && status !== 204 && status !== 304 && body !== undefined;
  const known = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  const empty = !hasBody && message.method !== 'HEAD' && status !== 204 ? { 'content-length': '0' } : {};
  response.writeHead(status, { ...headers, ...known, ...empty });
  if (!hasBody) return ended(response, 0);
  if (typeof body === 'string') {
    response.write(body);
    return ended(response, Buffer.byteLength(body));
  }
  const pieces = body[Symbol.asyncIterator]();
  let sent = 0;
  try {
    for (;;) {
      const bytes = await sendNext(pieces, response);
      if (bytes === undefined) return ended(response, sent);
      sent += bytes;
      if (response.destroyed) break;
    }
  } catch {
    response.destroy();
  }
  await pieces.return?.();
  return sent;
}

/** A function of its own: a loop that waits for the next piece keeps the one before. Undefined: that was the last. */
async function sendNext(pieces: AsyncIterator<Uint8Array>, response: ServerResponse): Promise<number | undefined> {
  const { done, value } = await pieces.next();
  if (done) return undefined;
  if (response.destroyed) return 0;
  if (!response.write(value)) await drained(response);
  return value.length;
}

/** What is left of a short body is read and thrown away; with a long one the connection is of no more use. */
function isReadOn({ complete, headers }: IncomingMessage): boolean {
  if (complete) return true;
  const length = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
  return headers.expect === undefined && length <= DROPPED_BYTES_MAX;
}

function ended(response: ServerResponse, sent: number): number {
  response.end();
  return sent;
}

/** Or the client is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}
