// A real store with the web view in front of it, asked without sockets as browsers ask.
import { systemClock } from '../../../lib/foundation/clock.ts';
import { systemRandomness } from '../../../lib/foundation/randomness.ts';
import type { GatewayAnswer } from '../../../lib/gateway/exchange.ts';
import type { WebParts } from '../../../lib/gateway/web/view.ts';
import { WebView } from '../../../lib/gateway/web/web-view.ts';
import { PRESETS, settingsOf } from '../../../lib/settings/settings.ts';
import { ServedStore } from '../served-store.ts';

export const HOST = '127.0.0.1:9001';

export interface WebAnswer {
  readonly status: number;
  readonly headers: GatewayAnswer['headers'];
  readonly text: string;
}

const KIB = 1024;

type Headers = Readonly<Record<string, string>>;

/** Small volumes; what is deleted stays in the trash. */
const SHOWN = settingsOf('demo', {
  ...PRESETS.demo,
  preset: 'custom',
  blockBytesMax: 8 * KIB,
  extentBytes: 128 * KIB,
  bucketBytes: 32 * KIB,
  groupBytesMin: 384 * KIB,
  warmCodec: 'rs-6-3',
  deleteGraceMs: 24 * 3_600_000,
});

export class WebStore {
  readonly served: ServedStore;
  readonly stop = new AbortController();
  readonly failures: unknown[] = [];
  readonly web: WebView;

  private constructor(served: ServedStore, more: Partial<WebParts>) {
    const { client, open } = served;
    this.served = served;
    this.web = new WebView({
      address: client.address,
      namespace: client.namespace,
      admin: client.admin,
      open,
      clock: systemClock,
      randomness: systemRandomness,
      onInternal: (error) => this.failures.push(error),
      signal: this.stop.signal,
      ...more,
    });
  }

  static async make(more: Partial<WebParts> = {}): Promise<WebStore> {
    const served = await ServedStore.make({ settings: SHOWN, drives: 10 });
    await served.open.buckets.create('default', 'pocketful');
    return new WebStore(served, more);
  }

  /** Another view of the same store. */
  static over({ served }: WebStore, more: Partial<WebParts>): WebStore {
    return new WebStore(served, more);
  }

  async answer(method: string, target: string, headers: Headers = {}, body = ''): Promise<GatewayAnswer> {
    const [path = '', query = ''] = target.split(/\?(.*)/s);
    return this.web.answer({
      ...{ id: 'TEST', method, path, query },
      headers: new Map(Object.entries({ host: HOST, ...headers })),
      async *body() {
        yield Buffer.from(body);
      },
    });
  }

  async get(target: string, headers: Headers = {}): Promise<WebAnswer> {
    return readAnswer(await this.answer('GET', target, headers));
  }

  /** As a browser sends a form of one of our pages. */
  async post(target: string, fields: Readonly<Record<string, string>>, headers: Headers = {}): Promise<WebAnswer> {
    const form = fields['form'] ?? (await this.formToken());
    const sent = {
      'content-type': 'application/x-www-form-urlencoded',
      origin: `http://${HOST}`,
      'sec-fetch-site': 'same-origin',
      ...headers,
    };
    return readAnswer(await this.answer('POST', target, sent, String(new URLSearchParams({ ...fields, form }))));
  }

  async formToken(headers: Headers = {}): Promise<string> {
    const { text } = await this.get('/ui/access', headers);
    return /name="form" value="([0-9a-f]{48})"/.exec(text)?.[1] ?? '';
  }

  async put(bucket: string, key: string, body: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(body);
    const { batcher } = this.served.open.objects;
    await batcher.put({ namespace: bucket, key, body: bytes, sizeBytes: bytes.length, isAnyKey: true });
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.web.ended;
    await this.served.close();
  }
}

async function readAnswer({ status, headers, body = '' }: GatewayAnswer): Promise<WebAnswer> {
  if (typeof body === 'string') return { status, headers, text: body };
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return { status, headers, text: Buffer.concat(pieces).toString('utf8') };
}
