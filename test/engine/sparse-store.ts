// Embedded stores whose sealed volumes are half dead, for tests of compaction as its user meets it.
import { join } from 'node:path';
import { EmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { type Clock, systemClock } from '../../lib/foundation/clock.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { DRIVES, filesOf, putFiles, SMALL } from './small-store.ts';

export interface Sparse {
  readonly dir: string;
  /** What is still in it. */
  readonly files: Map<string, Uint8Array>;
}

/** Sealed warm volumes, made one after the other, most of their files deleted and shredded. */
export async function makeSparse(
  folder: string,
  name: string,
  clock: Clock = systemClock,
  volumes = 4,
): Promise<Sparse> {
  const dir = join(folder, name);
  const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES, clock });
  const files = new Map<string, Uint8Array>();
  for (let v = 0; v < volumes; v++) {
    const made = filesOf(50 + v, 40);
    await putFiles(store, made);
    await store.volumes.open.sealAll('hot');
    await encodeHot(store.volumes, { force: true, flush: true });
    await store.volumes.open.sealAll('warm');
    await freeTrash(store.volumes);
    for (const [i, [key, body]] of [...made].entries()) {
      if (i >= 25) files.set(key, body);
      else
        for await (const outcome of store.frontend.deleteAll([{ namespace: 'default', key }]))
          if (!outcome.ok) throw outcome.error;
    }
  }
  await collectGarbage(store.components);
  await store.close();
  return { dir, files };
}

/** Opens it as the CLI does, and closes it whatever happens. */
export async function withClient<T>(
  dir: string,
  use: (client: EmbeddedClient, store: EmbeddedStore) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  const store = await openEmbedded(dir, { clock });
  try {
    return await use(new EmbeddedClient(`file:${dir}`, store, 'default'), store);
  } finally {
    await store.close();
  }
}

/** Every row, so that "nothing changed" can be said. */
export async function allRows({ components: { panda } }: EmbeddedStore): Promise<string[]> {
  const rows: string[] = [];
  for await (const page of panda.scan())
    for (const { partition, sort, attributes } of page)
      rows.push(
        `${partition} ${sort} ${JSON.stringify(attributes, (_, value) => (value instanceof Set ? [...value].sort() : value))}`,
      );
  return rows.sort();
}
