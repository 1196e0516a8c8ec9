// PUSH: every object of one store that another does not have with the same content, into that one. It keeps nothing of
// its own: run again it goes on, as both list their names in one order.
import { conflict } from '../foundation/errors.ts';
import { nextOf } from '../foundation/next-of.ts';
import { compareUtf8 } from '../panda/sort-order.ts';
import { type DamagedName, listAll, type ObjectInfo, type PocketfulStore, type PutRequest } from './face.ts';

export interface PushReport {
  /** Of the namespace. */
  readonly objects: number;
  /** They were there already. */
  readonly same: number;
  readonly pushed: number;
  readonly bytes: number;
  readonly failed: readonly { readonly key: string; readonly error: Error }[];
}

export interface PushOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((report: PushReport) => void) | undefined;
}

/** One namespace; errors of single objects, a damaged row among them, are told, and do not stop the others. */
export async function push(
  from: PocketfulStore,
  to: PocketfulStore,
  { signal, onProgress }: PushOptions = {},
): Promise<PushReport> {
  const sums = { objects: 0, same: 0, pushed: 0, bytes: 0 };
  const failed: { key: string; error: Error }[] = [];
  const report = (): PushReport => ({ ...sums, failed });
  const damaged = ({ key, error }: DamagedName): void => {
    sums.objects += 1;
    failed.push({ key, error });
  };
  async function* wanted(): AsyncGenerator<PutRequest> {
    // What cannot be read there is put anew.
    const there = listAll(to, {}, () => {});
    let next = await nextOf(there);
    for await (const object of listAll(from, {}, damaged)) {
      if (signal?.aborted) return;
      sums.objects += 1;
      while (next !== undefined && compareUtf8(next.key, object.key) < 0) next = await nextOf(there);
      if (next?.key === object.key && isSame(next, object)) sums.same += 1;
      else yield requestOf(from, object);
      onProgress?.(report());
    }
  }
  for await (const outcome of to.putAll(wanted())) {
    if (outcome.ok) {
      sums.pushed += 1;
      sums.bytes += outcome.sizeBytes;
    } else failed.push({ key: outcome.key, error: outcome.error });
    onProgress?.(report());
  }
  return report();
}

const isSame = (a: ObjectInfo, b: ObjectInfo): boolean =>
  a.etag === b.etag && a.sizeBytes === b.sizeBytes && a.metadata === b.metadata;

const requestOf = (from: PocketfulStore, { key, sizeBytes, metadata, version }: ObjectInfo): PutRequest => ({
  ...{ key, sizeBytes, metadata },
  async *body() {
    yield* (await from.get(key)).body;
  },
  // What was overwritten while it was read is read again by the next push.
  verify: async () => {
    const now = await from.head(key);
    if (now.version !== version) throw conflict('OBJECT_CHANGED', `${key} was overwritten while it was read`);
  },
});
