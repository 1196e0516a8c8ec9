// Server-sent events: a page that is open is told the figures, every few seconds, as long as its browser listens.
import { EVENT_EVERY_MS, EVENT_STREAMS_MAX } from '../../limits/web.ts';
import type { GatewayAnswer } from '../exchange.ts';
import { liveFigures } from './live-figures.ts';
import type { View } from './view.ts';

export class Events {
  readonly #view: View;
  #open = 0;

  constructor(view: View) {
    this.#view = view;
  }

  get open(): number {
    return this.#open;
  }

  answer(): GatewayAnswer {
    // 204 tells a browser not to ask again.
    if (this.#open >= EVENT_STREAMS_MAX) return { status: 204, headers: {} };
    return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: this.#told() };
  }

  async *#told(): AsyncGenerator<Uint8Array> {
    const { clock, signal } = this.#view.parts;
    this.#open += 1;
    try {
      while (!signal.aborted) {
        yield Buffer.from(await this.#event());
        await clock.sleep(EVENT_EVERY_MS, signal).catch(() => {});
      }
    } finally {
      this.#open -= 1;
    }
  }

  /** A store that cannot be read now is no reason to end: a line without an event keeps the connection. */
  async #event(): Promise<string> {
    try {
      const figures = { ...liveFigures(await this.#view.status.now()), job: this.#view.job.state?.text ?? '' };
      return `event: figures\ndata: ${JSON.stringify(figures)}\n\n`;
    } catch {
      return ': not now\n\n';
    }
  }
}
