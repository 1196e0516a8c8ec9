// HTTP to a function's URL at the emulator: its name need not resolve, so the connection goes to the emulator and the name into the Host header.
// The emulator takes any signature.
import { type IncomingHttpHeaders, request } from 'node:http';

export interface UrlRequest {
  readonly method: string;
  /** With the query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly isSigned?: boolean;
}

export interface UrlAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const SIGNATURE =
  'AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0';

export function askUrl(
  url: string,
  { method, path, headers = {}, body, isSigned = true }: UrlRequest,
): Promise<UrlAnswer> {
  const { host } = new URL(url);
  const { hostname, port } = new URL(process.env['AWS_ENDPOINT_URL'] ?? '');
  const authorization = isSigned ? { authorization: SIGNATURE } : {};
  return new Promise((resolve, reject) => {
    const type = body === undefined ? {} : { 'content-type': 'application/octet-stream' };
    const options = { hostname, port, method, path, headers: { host, ...type, ...authorization, ...headers } };
    const asked = request(options, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
