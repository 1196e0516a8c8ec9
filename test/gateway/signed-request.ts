// Requests to the endpoint byte by byte as a test wants them, signed as a client would: what an SDK would never send.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AccessKey } from '../../lib/access/access-keys.ts';
import { canonicalRequests, sha256Hex } from '../../lib/s3/auth/canonical.ts';
import { signatureOf, signingKey } from '../../lib/s3/auth/signature.ts';

export interface RawCall {
  readonly method?: string;
  /** Encoded, with its query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** What is said of the body, if it is not its hash. */
  readonly payloadHash?: string;
  /** What the client takes the server to be called. */
  readonly host?: string;
  readonly key?: Pick<AccessKey, 'id' | 'secret'>;
  readonly nowMs?: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Of an error. */
  readonly code: string | undefined;
}

/** Headers with which a request is signed. */
export function signedHeaders(
  endpoint: string,
  key: Pick<AccessKey, 'id' | 'secret'>,
  call: RawCall,
): Record<string, string> {
  const { method = 'GET', target, body = '', payloadHash = sha256Hex(body), nowMs = Date.now() } = call;
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const timestamp = `${new Date(nowMs).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
  const headers: Record<string, string> = {
    host: call.host ?? new URL(endpoint).host,
    'x-amz-date': timestamp,
    'x-amz-content-sha256': payloadHash,
    ...call.headers,
  };
  const scope = { date: timestamp.slice(0, 8), region: 'us-east-1', service: 's3' };
  const names = Object.keys(headers).sort();
  const raw = { method, path, query, headers: new Map(Object.entries(headers)) };
  const choice = { signedHeaders: names, payloadHash, withoutQuery: 'X-Amz-Signature' };
  const signature = signatureOf(signingKey(key.secret, scope), timestamp, scope, canonicalOf(raw, choice));
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.id}/${scope.date}/us-east-1/s3/aws4_request, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** An address that may be read by whoever has it, for a minute. */
export function presigned(
  endpoint: string,
  key: Pick<AccessKey, 'id' | 'secret'>,
  path: string,
  nowMs: number,
): string {
  const timestamp = `${new Date(nowMs).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
  const scope = { date: timestamp.slice(0, 8), region: 'us-east-1', service: 's3' };
  const query = String(
    new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${key.id}/${scope.date}/us-east-1/s3/aws4_request`,
      'X-Amz-Date': timestamp,
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host',
    }),
  );
  const raw = { method: 'GET', path, query, headers: new Map([['host', new URL(endpoint).host]]) };
  const choice = { signedHeaders: ['host'], payloadHash: 'UNSIGNED-PAYLOAD', withoutQuery: 'X-Amz-Signature' };
  const signature = signatureOf(signingKey(key.secret, scope), timestamp, scope, canonicalOf(raw, choice));
  return `${endpoint}${path}?${query}&X-Amz-Signature=${signature}`;
}

/** Of what cannot be decoded there is no canonical form, and no signature that is right. */
function canonicalOf(...args: Parameters<typeof canonicalRequests>): string {
  try {
    return canonicalRequests(...args)[0] ?? '';
  } catch {
    return '';
  }
}

/** Sends it and reads the answer; `begun` sees the request before its body goes out. */
export function send(
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  { method = 'GET', target, body = '' }: RawCall,
  begun?: (request: ClientRequest) => void,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(endpoint);
  const length =
    headers['transfer-encoding'] === undefined ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      hostname,
      port,
      method,
      path: target,
      headers: { ...length, ...headers },
      agent: false,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, code });
      });
    });
    if (begun === undefined) request.end(body);
    else begun(request);
  });
}
