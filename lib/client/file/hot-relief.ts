// Keeps a long put from filling the hot tier: while it runs, hot volumes are encoded once they take half of what they
// may, and the put waits for that when they take most of it. On AWS an encoder is
// asked (lib/frontend/hot-gauge.ts); here there is nobody else, and a disk that the trash fills.
import { encodeStore } from '../../engine/upkeep/tend.ts';
import type { EmbeddedStore } from '../../engine/wire/embedded/embedded-store.ts';
import { RELIEF_LOOK_EVERY_MS, RELIEF_PASSES_MAX } from '../../limits/engine.ts';
import { HOT_PRESSURE_SHARE } from '../../limits/frontend.ts';
import { hotShareOf, hotVolumeBytes, hotVolumesWithin } from '../../volume/rows/hot-share.ts';
import { countHot } from '../../volume/rows/volume-lists.ts';
import { freeTrash } from '../../volume/runs/free.ts';
import { putClass } from '../../volume/write/append.ts';

const LOOK_EVERY_BYTES_SHARE = 1 / 32;
const WAIT_SHARE = 0.8;

export class HotRelief {
  readonly #store: EmbeddedStore;
  readonly #columns: number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #bytesSince = 0;
  #pass: Promise<void> | undefined;

  constructor(store: EmbeddedStore) {
    this.#store = store;
    const { settings } = store.components;
    this.#columns = hotVolumeBytes(settings) / settings.extentBytes;
  }

  /**
   * To be called before a body of about `bytes` is put. Waits while the hot tier, these bytes included, is nearly full
   * and something can be done about it; mostly there is nothing to be waited for.
   */
  before(bytes: number): Promise<void> | undefined {
    const { settings, clock } = this.#store.components;
    if (putClass(settings) !== 'hot') return undefined;
    this.#bytesSince += bytes * this.#columns;
    const nowMs = clock.monotonicMs();
    const isDue = this.#bytesSince >= settings.hotBytesMax * LOOK_EVERY_BYTES_SHARE;
    if (!isDue && nowMs - this.#lookedAtMs < RELIEF_LOOK_EVERY_MS) return undefined;
    this.#lookedAtMs = nowMs;
    this.#bytesSince = 0;
    return this.#relievedFor(bytes);
  }

  async #relievedFor(bytes: number): Promise<void> {
    const { settings } = this.#store.components;
    const comingShare = (bytes * this.#columns) / settings.hotBytesMax;
    // The pass under way may have begun before most of what is there came in: looked at again when it is over.
    for (let passes = 0; passes < RELIEF_PASSES_MAX; passes++) {
      const share = await this.#share();
      if (share < HOT_PRESSURE_SHARE) return;
      const pass = this.#begin();
      if (share + comingShare < WAIT_SHARE) {
        pass.catch(() => {}); // it is thrown by end()
        return;
      }
      await pass;
    }
  }

  /** When the hot tier is full all the same: a whole pass, or the end of the one under way. */
  relieve(): Promise<void> {
    return this.#begin();
  }

  #begin(): Promise<void> {
    this.#pass ??= this.#encode().finally(() => {
      this.#pass = undefined;
    });
    return this.#pass;
  }

  /** Waits for a pass that is under way. */
  async end(): Promise<void> {
    await this.#pass;
  }

  async #share(): Promise<number> {
    const { settings } = this.#store.components;
    const enough = hotVolumesWithin(HOT_PRESSURE_SHARE, settings);
    return hotShareOf(await countHot(this.#store.components, enough), settings);
  }

  /** Under pressure neither age nor grace counts. A stall is no error here: the put says so if it comes to that. */
  async #encode(): Promise<void> {
    await encodeStore(this.#store, { force: true });
    await freeTrash(this.#store.volumes, { ignoreGrace: true });
  }
}
