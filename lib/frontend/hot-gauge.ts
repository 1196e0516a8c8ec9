// How much the hot volumes allocate, looked up now and then: from half of hotBytesMax on whoever encodes is told, from
// four fifths on whoever puts much is held back, the longer the fuller it is, so that encoding catches up; past it puts
// are asked to come back later.
import { retryLater } from '../foundation/errors.ts';
import {
  HOT_HOLD_BYTES,
  HOT_HOLD_MS_MAX,
  HOT_HOLD_SHARE,
  HOT_LOOK_EVERY_MS,
  HOT_PRESSURE_SHARE,
  HOT_RELIEFS_MAX,
  HOT_SIGNAL_EVERY_MS,
} from '../limits/frontend.ts';
import type { Components } from '../volume/rows/components.ts';
import { hotShareOf, hotVolumeBytes, hotVolumesWithin } from '../volume/rows/hot-share.ts';
import { countHot } from '../volume/rows/volume-lists.ts';
import { putClass } from '../volume/write/append.ts';

/** Makes room in the hot tier, as far as that can be done now. */
export type Relief = () => Promise<void>;

/** Asks for an encoder, and waits for nothing it does; that it could not be asked is no error of the put. */
export type PressureSignal = () => Promise<void>;

export class HotGauge {
  readonly #components: Components;
  readonly #signal: PressureSignal | undefined;
  #signalledAtMs = Number.NEGATIVE_INFINITY;
  #volumes = 0;
  #looking: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(components: Components, signal?: PressureSignal) {
    this.#components = components;
    this.#signal = signal;
  }

  /**
   * Before so many bytes are put into hot volumes. Throws `retry` HOT_FULL; where there is a relief, only if that does
   * not help.
   */
  async check(bytes: number, relief?: Relief): Promise<void> {
    const { settings } = this.#components;
    if (putClass(settings) !== 'hot') return;
    await this.#look();
    for (let reliefs = 0; relief !== undefined && this.#isFull() && reliefs < HOT_RELIEFS_MAX; reliefs++) {
      await relief();
      this.#lookedAtMs = Number.NEGATIVE_INFINITY;
      await this.#look();
    }
    if (this.#isFull()) {
      const allocatedBytes = this.#volumes * hotVolumeBytes(settings);
      const text = `hot volumes allocate ${allocatedBytes} of at most ${settings.hotBytesMax} bytes: wait for them to be encoded`;
      throw retryLater('HOT_FULL', text);
    }
    const waitMs = holdMs(hotShareOf(this.#volumes, settings), bytes);
    if (waitMs > 0) await this.#components.clock.sleep(waitMs);
  }

  #isFull(): boolean {
    return hotShareOf(this.#volumes, this.#components.settings) > 1;
  }

  /** Whoever comes while somebody looks waits for that: what was seen before may be long out of date. */
  async #look(): Promise<void> {
    const nowMs = this.#components.clock.monotonicMs();
    if (nowMs - this.#lookedAtMs >= HOT_LOOK_EVERY_MS) {
      this.#lookedAtMs = nowMs;
      this.#looking = this.#count(nowMs).finally(() => {
        this.#looking = undefined;
      });
    }
    await this.#looking;
  }

  async #count(nowMs: number): Promise<void> {
    const { settings } = this.#components;
    this.#volumes = await countHot(this.#components, hotVolumesWithin(1, settings));
    if (hotShareOf(this.#volumes, settings) < HOT_PRESSURE_SHARE) return;
    if (nowMs - this.#signalledAtMs < HOT_SIGNAL_EVERY_MS) return;
    this.#signalledAtMs = nowMs;
    await this.#signal?.();
  }
}

/** How long so many bytes wait: small puts hardly, large ones up to two seconds where nearly nothing is left. Pure. */
export function holdMs(share: number, bytes: number): number {
  const pressure = Math.min(1, Math.max(0, (share - HOT_HOLD_SHARE) / (1 - HOT_HOLD_SHARE)));
  return Math.round(HOT_HOLD_MS_MAX * pressure * Math.min(1, bytes / HOT_HOLD_BYTES));
}
