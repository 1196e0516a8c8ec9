// Who may see the web view, and who may act: on loopback whoever is on this machine, elsewhere whoever knows the token.
// What acts has to come from a page of this server: other pages that are open in the same browser must not.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../foundation/clock.ts';
import { hexOf } from '../../foundation/ids.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { WRONG_TOKEN_WAIT_MS } from '../../limits/web.ts';

type Headers = ReadonlyMap<string, string>;

const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
const COOKIE = 'pocketful_admin';

export interface GuardOptions {
  /** Undefined: the port is on loopback, and nobody is asked. */
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export type Entry = 'welcome' | 'token-wanted' | 'foreign-host';

export class Guard {
  /** In every form of this process: no other page knows it. */
  readonly formToken: string;
  readonly #token: string | undefined;
  readonly #cookie: string;
  readonly #clock: Clock;

  constructor({ token, clock, randomness }: GuardOptions) {
    this.#token = token;
    this.#clock = clock;
    this.formToken = hexOf(randomness.bytes(24));
    this.#cookie = hexOf(randomness.bytes(24));
  }

  get asksToken(): boolean {
    return this.#token !== undefined;
  }

  /** Without a token a page elsewhere could give its own name the address of this machine: only our names count. */
  entry(headers: Headers): Entry {
    if (this.#token === undefined) return LOOPBACK_NAME.test(headers.get('host') ?? '') ? 'welcome' : 'foreign-host';
    const bearer = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
    if (bearer !== undefined && isSame(bearer, this.#token)) return 'welcome';
    const cookie = cookieIn(headers);
    return cookie !== undefined && isSame(cookie, this.#cookie) ? 'welcome' : 'token-wanted';
  }

  /** The cookie of who knows the token; undefined, after a while, to others. */
  async login(token: string, isTls: boolean): Promise<string | undefined> {
    if (this.#token !== undefined && isSame(token, this.#token))
      return `${COOKIE}=${this.#cookie}; Path=/; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}`;
    await this.#clock.sleep(WRONG_TOKEN_WAIT_MS);
    return undefined;
  }

  /** Whether a form was sent from one of our own pages, as far as the browser and the form can tell. */
  isOwnForm(headers: Headers, form: URLSearchParams): boolean {
    return isSameOrigin(headers) && isSame(form.get('form') ?? '', this.formToken);
  }
}

/** A browser says at least one of the two of a form that is sent. */
export function isSameOrigin(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  if (site === undefined && origin === undefined) return false;
  if (site !== undefined && site !== 'same-origin') return false;
  return origin === undefined || URL.parse(origin)?.host === headers.get('host')?.toLowerCase();
}

function cookieIn(headers: Headers): string | undefined {
  for (const pair of (headers.get('cookie') ?? '').split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === COOKIE) return value;
  }
  return undefined;
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** In a time that tells nothing of where they differ. */
const isSame = (one: string, other: string): boolean => timingSafeEqual(digestOf(one), digestOf(other));
