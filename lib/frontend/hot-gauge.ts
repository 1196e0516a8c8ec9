// How much the hot volumes allocate, looked up now and then: past hotBytesMax puts are asked to come back later.
import { codecShape } from '../codec/shape.ts';
import { retryLater } from '../foundation/errors.ts';
import type { Components } from '../volume/rows/components.ts';
import { listVolumes } from '../volume/rows/read-rows.ts';
import { putClass } from '../volume/write/append.ts';

const LOOK_AGAIN_MS = 5_000;

export class HotGauge {
  readonly #c: Components;
  #bytes = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(c: Components) {
    this.#c = c;
  }

  /** Throws `retry` HOT_FULL. */
  async check(): Promise<void> {
    const { settings, clock, panda } = this.#c;
    if (putClass(settings) !== 'hot') return;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lookedAtMs >= LOOK_AGAIN_MS) {
      this.#lookedAtMs = nowMs;
      const { dataColumns, parityColumns } = codecShape(settings.hotCodec);
      const hot = (await listVolumes(panda, settings.cell)).filter((volume) => volume.class === 'hot');
      this.#bytes = hot.length * (dataColumns + parityColumns) * settings.extentBytes;
    }
    if (this.#bytes > settings.hotBytesMax)
      throw retryLater(
        'HOT_FULL',
        `hot volumes allocate ${this.#bytes} of at most ${settings.hotBytesMax} bytes: wait for them to be encoded`,
      );
  }
}
