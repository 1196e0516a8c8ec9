// The access keys in the store, and those that were looked up a moment ago.
import { type AccessKey, AccessKeys } from '../access/access-keys.ts';
import type { ObjectEngine } from '../client/face.ts';
import { LruCache } from '../foundation/lru.ts';
import { ACCESS_KEYS_KEPT, ACCESS_LOOK_EVERY_MS } from '../limits/gateway.ts';
import { ACCESS, type GatewayObjects } from './objects.ts';

/** Access keys of an open store. */
export function accessKeysOf(objects: GatewayObjects): AccessKeys {
  const { engine } = objects;
  return new AccessKeys({
    async put(key, body, isNew) {
      const ifVersion = isNew ? ('absent' as const) : undefined;
      await objects.batcher.put({ namespace: ACCESS, key, body, ifVersion, sizeBytes: body.length, isAnyKey: true });
    },
    read: (key, bytesMax) => engine.read(ACCESS, key, bytesMax),
    async *list() {
      for await (const { key } of objects.listAll(ACCESS)) yield key;
    },
    async delete(key) {
      for await (const outcome of engine.deleteAll([{ namespace: ACCESS, key }])) if (!outcome.ok) throw outcome.error;
    },
  });
}

export class KeyRing {
  readonly #keys: AccessKeys;
  readonly #engine: Pick<ObjectEngine, 'clock'>;
  readonly #known = new LruCache<string, { readonly found: Promise<AccessKey | undefined>; readonly untilMs: number }>(
    ACCESS_KEYS_KEPT,
  );

  constructor(keys: AccessKeys, engine: Pick<ObjectEngine, 'clock'>) {
    this.#keys = keys;
    this.#engine = engine;
  }

  find(id: string): Promise<AccessKey | undefined> {
    const nowMs = this.#engine.clock.monotonicMs();
    const known = this.#known.get(id);
    if (known !== undefined && nowMs < known.untilMs) return known.found;
    const found = this.#keys.find(id);
    found.catch(() => this.#known.delete(id));
    this.#known.set(id, { found, untilMs: nowMs + ACCESS_LOOK_EVERY_MS });
    return found;
  }
}
