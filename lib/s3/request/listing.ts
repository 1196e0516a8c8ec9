// The parameters of a listing, and the tokens that lead from page to page.
import { createHash } from 'node:crypto';
import { LIST_LIMIT_MAX } from '../../limits/frontend.ts';
import { encoded } from '../auth/canonical.ts';
import { S3Fault } from '../fault.ts';

type Query = ReadonlyMap<string, string>;

/** Throws InvalidArgument. More than a page has is a page. */
export const limitOf = (query: Query, name = 'max-keys'): number => limitIn(query.get(name), name);

/** The same of what did not come in the query. */
export function limitIn(text: string | undefined, name: string): number {
  if (text === undefined || text === '') return LIST_LIMIT_MAX;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0x7fff_ffff)
    throw new S3Fault('InvalidArgument', `argument ${name} must be an integer between 0 and 2147483647`, {
      ArgumentName: name,
      ArgumentValue: text.slice(0, 40),
    });
  return Math.min(Number(text), LIST_LIMIT_MAX);
}

/** How names are written in the answer. Throws InvalidArgument. */
export function encodingOf(query: Query): { readonly type: string | undefined; write(name: string): string } {
  const type = query.get('encoding-type');
  if (type === undefined) return { type, write: (name) => name };
  if (type !== 'url')
    throw new S3Fault('InvalidArgument', 'invalid encoding method specified in request', {
      ArgumentName: 'encoding-type',
    });
  return { type, write: (name) => encoded(name, true) };
}

const TOKEN_SUM_DIGITS = 8;
const sumOf = (from: string): string =>
  createHash('sha256').update(`list ${from}`).digest('hex').slice(0, TOKEN_SUM_DIGITS);

/** Opaque to clients; with a sum, so that a token that is none is told from one. */
export const tokenOf = (from: string): string => sumOf(from) + Buffer.from(from).toString('base64url');

/** Throws InvalidArgument. */
export function fromToken(token: string): string {
  const from = Buffer.from(token.slice(TOKEN_SUM_DIGITS), 'base64url').toString();
  if (token === '' || tokenOf(from) !== token)
    throw new S3Fault('InvalidArgument', 'the continuation token provided is incorrect', {
      ArgumentName: 'continuation-token',
    });
  return from;
}
