// How much the hot volumes allocate, looked up now and then: past hotBytesMax puts are asked to come back later.
import { codecShape } from '../codec/shape.ts';
import { retryLater } from '../foundation/errors.ts';
import { HOT_LOOK_EVERY_MS, HOT_RELIEFS_MAX } from '../limits/frontend.ts';
import type { Components } from '../volume/rows/components.ts';
import { countHot } from '../volume/rows/volume-lists.ts';
import { putClass } from '../volume/write/append.ts';

/** Makes room in the hot tier, as far as that can be done now. */
export type Relief = () => Promise<void>;

export class HotGauge {
  readonly #components: Components;
  #bytes = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(components: Components) {
    this.#components = components;
  }

  /** Throws `retry` HOT_FULL; where there is a relief, only if that does not help. */
  async check(relief?: Relief): Promise<void> {
    const { settings } = this.#components;
    if (putClass(settings) !== 'hot') return;
    await this.#look();
    for (let reliefs = 0; relief !== undefined && this.#isFull() && reliefs < HOT_RELIEFS_MAX; reliefs++) {
      await relief();
      this.#lookedAtMs = Number.NEGATIVE_INFINITY;
      await this.#look();
    }
    if (this.#isFull())
      throw retryLater(
        'HOT_FULL',
        `hot volumes allocate ${this.#bytes} of at most ${settings.hotBytesMax} bytes: wait for them to be encoded`,
      );
  }

  #isFull(): boolean {
    return this.#bytes > this.#components.settings.hotBytesMax;
  }

  async #look(): Promise<void> {
    const { settings, clock } = this.#components;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lookedAtMs < HOT_LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    const { dataColumns, parityColumns } = codecShape(settings.hotCodec);
    const volumeBytes = (dataColumns + parityColumns) * settings.extentBytes;
    const enough = Math.floor(settings.hotBytesMax / volumeBytes);
    this.#bytes = volumeBytes * (await countHot(this.#components, enough));
  }
}
