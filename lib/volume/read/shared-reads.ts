// What caches of directories have in common: readers that want the same thing at the same time read it once, and what
// is known of a volume can be forgotten.
import type { VolumeId } from '../../foundation/ids.ts';
import { LruCache } from '../../foundation/lru.ts';
import { CACHED_VOLUMES_MAX } from '../../limits/reads.ts';

export class SharedReads {
  readonly #keys = new LruCache<VolumeId, Set<string>>(CACHED_VOLUMES_MAX);
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** A read of that key that is under way already is waited for; no other begins. */
  async once<T>(key: string, read: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay as Promise<T>;
    const reading = read().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, reading);
    return reading;
  }

  /** Something about this volume was cached under this key. */
  note(volume: VolumeId, key: string): void {
    const keys = this.#keys.get(volume);
    if (keys === undefined) this.#keys.set(volume, new Set([key]));
    else keys.add(key);
  }

  /** The keys noted of a volume, to be deleted from the caches; from now on there are none. */
  forget(volume: VolumeId): ReadonlySet<string> {
    const keys = this.#keys.get(volume) ?? new Set<string>();
    this.#keys.delete(volume);
    return keys;
  }
}
