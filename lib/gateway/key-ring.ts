// The access keys in the store, and those that were looked up a moment ago.
import { type AccessKey, AccessKeys } from '../access/access-keys.ts';
import type { ObjectEngine } from '../client/face.ts';
import { Believed } from '../foundation/believed.ts';
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

/** Keys by id, and those that are not there, as they were a moment ago. */
export const keysLookedUp = (
  keys: AccessKeys,
  { clock }: Pick<ObjectEngine, 'clock'>,
): Believed<AccessKey | undefined> =>
  new Believed({ clock, forMs: ACCESS_LOOK_EVERY_MS, keptMax: ACCESS_KEYS_KEPT, ask: (id) => keys.find(id) });
