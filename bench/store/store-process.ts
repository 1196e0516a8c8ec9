// Child process of the bench of the store: the embedded engine, as the commands put and get use it. A second one of
// these encodes, so that the peak of each is its own. `unshipped`: the journal stays where it is, to see what shipping
// takes.
import { lstat } from 'node:fs/promises';
import { fileToPut } from '../../lib/client/files/read-file.ts';
import { itemIn } from '../../lib/client/object-engine.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { keepHeapSmall } from '../../lib/engine/wire/system-memory.ts';
import { mapLimit } from '../../lib/foundation/concurrency.ts';
import type { PutItem } from '../../lib/frontend/frontend.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import type { SourceFile } from '../bounds.ts';
import { serve } from './rounds.ts';

const NAMESPACE = 'default';
const GETS_AT_ONCE = 8;

const keyOf = (path: string): string => path.slice(1);

keepHeapSmall();
const store = await openEmbedded(process.argv[2] as string);
if (process.argv[3] === 'unshipped') Object.assign(store.journal ?? {}, { begin: () => {} });

serve(async (order) => {
  switch (order.what) {
    case 'put':
      return put(store, order.files);
    case 'get':
      return get(store, order.files);
    case 'seal':
      return store.volumes.open.sealAll('hot');
    case 'encode':
      return encode(store);
    case 'clear':
      // The volumes that were encoded; sealed ones stay, as in a store.
      await freeTrash(store.volumes, { ignoreGrace: true });
      return 0;
    case 'end':
      await store.close();
      return 0;
  }
});
process.send?.('open');

async function put({ frontend }: EmbeddedStore, files: readonly SourceFile[]): Promise<number> {
  async function* items(): AsyncGenerator<PutItem> {
    for (const { path } of files)
      yield itemIn(NAMESPACE, fileToPut(keyOf(path), path, await lstat(path, { bigint: true })));
  }
  let bytes = 0;
  for await (const outcome of frontend.putAll(items())) {
    if (!outcome.ok) throw outcome.error;
    bytes += outcome.sizeBytes;
  }
  return bytes;
}

async function get({ frontend }: EmbeddedStore, files: readonly SourceFile[]): Promise<number> {
  const read = await mapLimit(files, GETS_AT_ONCE, async ({ path, bytes }) => {
    let found = 0;
    for await (const part of (await frontend.get(NAMESPACE, keyOf(path))).body) found += part.length;
    if (found !== bytes) throw new Error(`${path}: ${found} bytes came back`);
    return found;
  });
  return read.reduce((sum, bytes) => sum + bytes, 0);
}

async function encode({ volumes }: EmbeddedStore): Promise<number> {
  const report = await encodeHot(volumes, { force: true, flush: true });
  if (report.stalled !== undefined) throw new Error(report.stalled.text);
  return report.recordBytes;
}
