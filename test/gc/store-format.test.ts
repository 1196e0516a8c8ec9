// A store of an earlier release gets the format of this one before anything is written in it that the earlier one does not know.
import { expect, it } from 'vitest';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { runIndex } from '../../lib/frontend/index-objects.ts';
import { renewRecords } from '../../lib/frontend/renew-records.ts';
import { rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { STORE_FORMAT, storeKey } from '../../lib/panda/rows/store-row.ts';
import type { Components } from '../../lib/volume/rows/components.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { TINY, World } from '../store/harness.ts';

class WatchedPanda extends MemoryPanda {
  readonly written: string[] = [];

  override async transact(writes: readonly Write[]): Promise<void> {
    await super.transact(writes);
    for (const { partition } of writes) this.written.push(partition.split('/')[0] as string);
  }
}

const acts: readonly (readonly [what: string, act: (components: Components) => Promise<unknown>])[] = [
  [
    'an index transaction',
    (c) =>
      runIndex(c, {
        changes: [],
        extra: new Map(),
        fresh: new Map(),
        guards: [{ kind: 'put', partition: 'object/n', sort: 'x', attributes: {} }],
      }),
  ],
  ['a renewal', (c) => renewRecords(c, { lost: new Map(), fresh: new Map(), guards: [] })],
  ['a rewrapping', (c) => rewrapKeys(c)],
  ['a put', (c) => new Frontend(new VolumeStore(c)).put({ namespace: 'n', key: 'a', body: Buffer.from('a') })],
];

it.each(acts)('%s raises it', async (_, act) => {
  const panda = new WatchedPanda();
  const { components } = new World(3, TINY, 20, panda).start();
  await panda.transact([{ kind: 'put', ...storeKey, attributes: { f: STORE_FORMAT - 1 } }]);
  panda.written.length = 0;
  await act(components);
  expect((await panda.get(storeKey))?.attributes['f']).toBe(STORE_FORMAT);
  // What is leased and made to put into may be written before.
  const known = ['store', 'volume', 'open', 'hot', 'zone', 'kek', 'bucket', 'drive', 'lease'];
  expect(panda.written.find((table) => !known.includes(table) || table === 'store')).toBe('store');
});
