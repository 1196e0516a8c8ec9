// The canonical form of a request, over which a signature of version 4 is made: recomputed from what came over the
// wire.
import { hash } from 'node:crypto';
import { S3Fault } from '../fault.ts';

/** A request as it came: nothing decoded. Header names in lower case. */
export interface RawRequest {
  readonly method: string;
  /** With its slash, without the query. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
}

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const PLAIN = /^[A-Za-z0-9\-._~]*$/;
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;

/** Percent-encodes every byte but the unreserved ones, as AWS does; `/` stays where it is a path. */
export function encoded(text: string, keepsSlash = false): string {
  if ((keepsSlash ? PLAIN_PATH : PLAIN).test(text)) return text;
  let out = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    if (UNRESERVED.test(character) || (keepsSlash && character === '/')) out += character;
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** Throws InvalidURI for what is no percent-encoded UTF-8. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Fault('InvalidURI', 'the URI is not percent-encoded UTF-8');
  }
}

/** Names and values in the order they came, decoded. */
export function queryPairs(query: string): [string, string][] {
  if (query === '') return [];
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
      return [decoded(name.replaceAll('+', ' ')), decoded(value.replaceAll('+', ' '))];
    });
}

const ascending = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function canonicalQuery(query: string, without: string): string {
  return queryPairs(query)
    .filter(([name]) => name !== without)
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(([a, x], [b, y]) => ascending(a, b) || ascending(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

const canonicalValue = (value: string): string => value.trim().replace(/ +/g, ' ');

export interface CanonicalChoice {
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
  /** A query parameter that was added when the rest was signed. */
  readonly withoutQuery: string;
  /** Stands for the header of the same name: a proxy may have changed it. */
  readonly host?: string | undefined;
}

/** Clients sign the path as they send it, or as AWS would encode it: both are the same path. */
export function canonicalRequests(request: RawRequest, choice: CanonicalChoice): string[] {
  const paths = new Set([request.path, encoded(decoded(request.path), true)]);
  const query = canonicalQuery(request.query, choice.withoutQuery);
  const headers = choice.signedHeaders.map((name) => {
    const value = name === 'host' && choice.host !== undefined ? choice.host : (request.headers.get(name) ?? '');
    return `${name}:${canonicalValue(value)}\n`;
  });
  return [...paths].map((path) =>
    [request.method, path, query, headers.join(''), choice.signedHeaders.join(';'), choice.payloadHash].join('\n'),
  );
}

export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data, 'hex');
