// A client of S3 that costs little beside the server that it measures, as both share the machine: requests are signed
// before the clock runs, and go over sockets that are kept, one at a time on each, with no more read of an answer than
// its status and its length. It checks what it counts: any answer but 200, or a body of another length, is an error.
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { canonicalRequests } from '../../lib/s3/auth/canonical.ts';
import { signatureOf, signingKey } from '../../lib/s3/auth/signature.ts';

export interface Key {
  readonly id: string;
  readonly secret: string;
}

/** A request as it goes over the wire. */
export interface Prepared {
  readonly name: string;
  readonly head: Buffer;
  readonly body: Uint8Array;
  /** Of the body that is to come back. */
  readonly answerBytes: number;
}

export interface Wanted {
  readonly body?: Uint8Array;
  readonly answerBytes?: number;
}

const NOTHING = new Uint8Array(0);
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** A request that is signed now: servers take it for a quarter of an hour. */
export function prepared(
  endpoint: URL,
  key: Key,
  method: string,
  path: string,
  { body = NOTHING, answerBytes = 0 }: Wanted = {},
): Prepared {
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const timestamp = `${new Date().toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
  const scope = { date: timestamp.slice(0, 8), region: 'us-east-1', service: 's3' };
  const headers = { host: endpoint.host, 'x-amz-content-sha256': payloadHash, 'x-amz-date': timestamp };
  const signedHeaders = Object.keys(headers);
  const choice = { signedHeaders, payloadHash, withoutQuery: 'X-Amz-Signature' };
  const request = { method, path, query: '', headers: new Map(Object.entries(headers)) };
  const [canonical = ''] = canonicalRequests(request, choice);
  const signature = signatureOf(signingKey(key.secret, scope), timestamp, scope, canonical);
  const credential = `${key.id}/${scope.date}/us-east-1/s3/aws4_request`;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
    `authorization: AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
  ];
  return { name: `${method} ${path}`, head: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body, answerBytes };
}

/** One socket, and one request on it at a time. */
export class Connection {
  readonly #socket: Socket;
  /** Some servers close it after an answer. */
  isOpen = true;
  #head: Buffer = Buffer.alloc(0);
  /** Of the body of the answer that is under way; undefined: its head is. */
  #left: number | undefined;
  #waits: { readonly asked: Prepared; readonly resolve: () => void; readonly reject: (e: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (piece) => this.#heard(piece));
    socket.on('error', (error) => this.#failed(error));
    socket.on('close', () => this.#failed(new Error('the server closed the connection')));
    socket.on('end', () => socket.destroy());
  }

  static open({ hostname, port }: URL): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
    });
  }

  send(asked: Prepared): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waits = { asked, resolve, reject };
      this.#socket.cork();
      this.#socket.write(asked.head);
      if (asked.body.length > 0) this.#socket.write(asked.body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#waits = undefined;
    this.#socket.destroy();
  }

  #heard(piece: Buffer): void {
    let rest = piece;
    if (this.#left === undefined) {
      const all = this.#head.length === 0 ? piece : Buffer.concat([this.#head, piece]);
      const end = all.indexOf(END_OF_HEAD);
      this.#head = end < 0 ? all : Buffer.alloc(0);
      if (end < 0) return;
      const head = all.toString('latin1', 0, end);
      this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (/\r\nconnection: *close/i.test(head)) this.isOpen = false;
      if (!head.startsWith('HTTP/1.1 200 ')) this.#failed(new Error(`${this.#waits?.asked.name}: ${head}`));
      else if (this.#left < (this.#waits?.asked.answerBytes ?? 0))
        this.#failed(new Error(`${this.#waits?.asked.name}: ${this.#left} bytes`));
      rest = all.subarray(end + END_OF_HEAD.length);
    }
    this.#left -= rest.length;
    if (this.#left > 0) return;
    this.#left = undefined;
    const waits = this.#waits;
    this.#waits = undefined;
    waits?.resolve();
  }

  #failed(error: Error): void {
    this.isOpen = false;
    this.#waits?.reject(error);
    this.#waits = undefined;
  }
}
