// The operator's commands, loaded when the first of them is called: with planning, compaction, repair and examination
// they are a third of the program, and most commands that open a store call none of them.
import type { StoreAdmin } from '../admin.ts';

/** All of its calls are asynchronous, so that nobody sees that it was not there yet. */
export function lazyAdmin(load: () => Promise<StoreAdmin>): StoreAdmin {
  let loaded: Promise<StoreAdmin> | undefined;
  const admin = (): Promise<StoreAdmin> => {
    loaded ??= load();
    return loaded;
  };
  return new Proxy({} as StoreAdmin, {
    get: (_, name) => {
      if (name === 'removed') return (...args: Parameters<StoreAdmin['removed']>) => removedOf(admin, args);
      // It is no promise, whoever asks.
      if (typeof name !== 'string' || name === 'then') return undefined;
      return async (...args: readonly unknown[]) => {
        const it = (await admin()) as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
        const call = it[name];
        if (call === undefined) throw new TypeError(`no operator's command is called ${name}`);
        return call.apply(it, [...args]);
      };
    },
  });
}

async function* removedOf(admin: () => Promise<StoreAdmin>, args: Parameters<StoreAdmin['removed']>) {
  yield* (await admin()).removed(...args);
}
