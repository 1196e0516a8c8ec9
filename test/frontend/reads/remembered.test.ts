// What somebody remembers to have put is believed only as far as a put would see it now.
import { describe, expect, it } from 'vitest';
import { Frontend } from '../../../lib/frontend/frontend.ts';
import { kekKey } from '../../../lib/panda/rows/kek-row.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { TINY, World } from '../../store/harness.ts';

const NS = 'n';

async function stored() {
  const world = new World(14, TINY);
  const p = world.start();
  const items = ['a', 'b'].map((key) => ({ namespace: NS, key, body: Buffer.from(`of ${key}`) }));
  for await (const { ok } of p.frontend.putAll(items)) expect(ok).toBe(true);
  await p.frontend.put({ namespace: NS, key: 'alone', body: Buffer.from('alone') });
  const heads = await Promise.all(['a', 'alone', 'alone'].map((key) => p.frontend.head(NS, key)));
  return { world, p, heads };
}

describe('an object that somebody remembers', () => {
  it('is looked at closer by a put where it was put plain, and confirmed otherwise, as often as it is asked for', async () => {
    const { p, heads } = await stored();
    expect(heads.map(({ isNamed }) => isNamed)).toEqual([true, undefined, undefined]);
    expect(await p.frontend.confirm(heads)).toEqual([undefined, heads[1], heads[1]]);
  });

  it('is confirmed by nobody whose keys are not those of the store', async () => {
    const { world, heads } = await stored();
    const { attributes = {} } = (await world.panda.get(kekKey(1))) ?? {};
    await world.panda.transact([{ kind: 'put', ...kekKey(2), attributes }]);
    const frontend = new Frontend(new VolumeStore(world.start().components));
    await expect(frontend.confirm(heads)).rejects.toMatchObject({ kind: 'denied', code: 'KEYS_BEHIND' });
    await expect(frontend.confirm([])).rejects.toMatchObject({ code: 'KEYS_BEHIND' });
  });
});
