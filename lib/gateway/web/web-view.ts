// The web view: which page or action an address means, who may see it, and what goes out with every answer. It decides
// nothing of the store: each page shows what a use case says, each action is a use case.
import { isPocketfulError } from '../../foundation/errors.ts';
import { FORM_BYTES_MAX } from '../../limits/web.ts';
import { isS3Fault } from '../../s3/fault.ts';
import type { GatewayAnswer, GatewayRequest } from '../exchange.ts';
import { Events } from './events.ts';
import { html } from './html.ts';
import { wordsOf } from './job.ts';
import { LOGO, type Page, pageHtml } from './layout.ts';
import { LIVE_SCRIPT } from './live-script.ts';
import { accessPage, addKey, makePrivate, removeKey, replaceRules } from './pages/access.ts';
import { compactionPage, runPlan } from './pages/compaction.ts';
import { fleetPage, volumePage } from './pages/fleet.ts';
import { download, objectPage, objectsPage } from './pages/objects.ts';
import { overviewPage } from './pages/overview.ts';
import { restoreRemoved, trashPage } from './pages/trash.ts';
import { verifyNow, watchPage } from './pages/watch.ts';
import { STYLE } from './style.ts';
import { View, type WebCall, type WebParts } from './view.ts';

const PAGES: Readonly<Record<string, (call: WebCall) => Promise<Page>>> = {
  '/ui': overviewPage,
  '/ui/fleet': fleetPage,
  '/ui/volume': volumePage,
  '/ui/plan': compactionPage,
  '/ui/objects': objectsPage,
  '/ui/object': objectPage,
  '/ui/trash': trashPage,
  '/ui/watch': watchPage,
  '/ui/access': accessPage,
};

const ACTIONS: Readonly<Record<string, (view: View, sent: URLSearchParams) => GatewayAnswer | Promise<GatewayAnswer>>> =
  {
    '/ui/plan/run': runPlan,
    '/ui/trash/restore': restoreRemoved,
    '/ui/watch/verify': verifyNow,
    '/ui/access/add': async (view, sent) => pageAnswer(await addKey(view, sent), view),
    '/ui/access/rules': replaceRules,
    '/ui/access/remove': removeKey,
    '/ui/access/private': makePrivate,
  };

/** What needs no figure of the store, and shows none. */
const ASSETS: Readonly<Record<string, { readonly type: string; readonly body: string }>> = {
  '/ui/style.css': { type: 'text/css; charset=utf-8', body: STYLE },
  '/ui/live.js': { type: 'text/javascript; charset=utf-8', body: LIVE_SCRIPT },
  '/ui/icon.svg': { type: 'image/svg+xml', body: LOGO },
};

/** Nothing from elsewhere, nothing inline, no frame around it, no form to elsewhere. */
const SECURITY = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

export class WebView {
  readonly #view: View;
  readonly #events: Events;

  constructor(parts: WebParts) {
    this.#view = new View(parts);
    this.#events = new Events(this.#view);
  }

  /** Whether it shows the figures of the store to who asks: metrics are among them. */
  mayRead(headers: ReadonlyMap<string, string>): boolean {
    return !this.#view.guard.asksToken || this.#view.guard.entry(headers) === 'welcome';
  }

  /** Resolves when what was begun has ended. */
  get ended(): Promise<void> {
    return this.#view.job.ended;
  }

  async answer(request: GatewayRequest): Promise<GatewayAnswer> {
    const answer = await this.#answer(request);
    return { ...answer, headers: { ...SECURITY, ...answer.headers } };
  }

  async #answer(request: GatewayRequest): Promise<GatewayAnswer> {
    const { method, headers } = request;
    const path = request.path.replace(/(?<=.)\/$/, '');
    const isRead = method === 'GET' || method === 'HEAD';
    const asset = ASSETS[path];
    if (asset !== undefined && isRead)
      return { status: 200, headers: { 'content-type': asset.type }, body: asset.body };
    const entry = this.#view.guard.entry(headers);
    if (entry === 'foreign-host') return pageAnswer(FOREIGN_HOST);
    if (path === '/ui/login' && method === 'POST') return this.#login(request);
    if (entry === 'token-wanted') return pageAnswer(loginPage(false));
    try {
      return isRead ? await this.#read(path, request) : await this.#act(path, request);
    } catch (error) {
      if (!isPocketfulError(error) && !isS3Fault(error)) this.#view.parts.onInternal(error);
      return pageAnswer(failurePage(error), this.#view);
    }
  }

  async #read(path: string, { query }: GatewayRequest): Promise<GatewayAnswer> {
    const parameters = new URLSearchParams(query);
    if (path === '/ui/events') return this.#events.answer();
    if (path === '/ui/download') return download(this.#view, parameters);
    const page = PAGES[path];
    if (page === undefined) return pageAnswer(NOT_HERE, this.#view);
    return pageAnswer(await page({ view: this.#view, query: parameters }), this.#view, parameters.get('said'));
  }

  async #act(path: string, request: GatewayRequest): Promise<GatewayAnswer> {
    if (request.method !== 'POST') return pageAnswer({ ...NOT_HERE, status: 405 }, this.#view);
    const action = ACTIONS[path];
    if (action === undefined) return pageAnswer(NOT_HERE, this.#view);
    const sent = await formOf(request);
    if (sent === undefined) return pageAnswer(TOO_LONG, this.#view);
    if (!this.#view.guard.isOwnForm(request.headers, sent)) return pageAnswer(NOT_OURS, this.#view);
    return action(this.#view, sent);
  }

  async #login(request: GatewayRequest): Promise<GatewayAnswer> {
    const sent = await formOf(request);
    if (sent === undefined) return pageAnswer(TOO_LONG);
    const cookie = await this.#view.guard.login((sent.get('token') ?? '').trim(), this.#view.parts.isTls === true);
    if (cookie === undefined) return pageAnswer(loginPage(true));
    return { status: 303, headers: { location: '/ui', 'set-cookie': cookie } };
  }
}

function pageAnswer(page: Page, view?: View, said: string | null = null): GatewayAnswer {
  const body = pageHtml(page, view, view?.notice(said));
  return { status: page.status ?? 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

/** Undefined: it is too long, or no form. */
async function formOf({ headers, body }: GatewayRequest): Promise<URLSearchParams | undefined> {
  if (headers.get('content-type')?.split(';')[0]?.trim() !== 'application/x-www-form-urlencoded') return undefined;
  if (Number(headers.get('content-length') ?? 0) > FORM_BYTES_MAX) return undefined;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body()) {
    bytes += piece.length;
    if (bytes > FORM_BYTES_MAX) return undefined;
    pieces.push(piece);
  }
  return new URLSearchParams(Buffer.concat(pieces).toString('utf8'));
}

const said = (status: number, title: string, text: string): Page => ({ status, title, body: html`<p>${text}</p>` });

const NOT_HERE = said(404, 'Not here', 'There is no such page.');
const TOO_LONG = said(413, 'Not a form of ours', 'What was sent is no form, or longer than any of them.');
const NOT_OURS = said(
  403,
  'Not done',
  'This did not come from a page of this server as it is now. Open the page again, and do it from there.',
);
const FOREIGN_HOST = said(
  403,
  'Not under this name',
  'Without a token this page is for this machine only: open it by 127.0.0.1 or localhost, or start the server with --admin-token.',
);

const loginPage = (isWrong: boolean): Page => ({
  status: isWrong ? 403 : 401,
  title: 'Who are you?',
  body: html`${isWrong ? html`<p class="notice bad" role="alert">That is not the token.</p>` : ''}<section class="card"><form method="post" action="/ui/login" class="fields"><label>Token<span class="hint">As pocketful serve said it when it started, or as the file of --admin-token has it.</span><input type="password" name="token" required autocomplete="current-password"></label><p><button class="main">Open</button></p></form></section>`,
});

function failurePage(error: unknown): Page {
  if (isS3Fault(error)) return said(error.status, 'Not found', error.message);
  const status = !isPocketfulError(error) ? 500 : error.kind === 'missing' ? 404 : error.kind === 'retry' ? 503 : 400;
  return said(status, status === 404 ? 'Not found' : 'That did not work', wordsOf(error));
}
