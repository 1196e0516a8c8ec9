// How full the hot tier is: looked up every few seconds and no more, told to encoders from half of it on, and to puts when it is full; and how long
// whoever puts much is held back before that.
import { describe, expect, it } from 'vitest';
import { HotGauge, holdMs } from '../../../lib/frontend/hot-gauge.ts';
import { HOT_LOOK_EVERY_MS, HOT_RELIEFS_MAX, HOT_SIGNAL_EVERY_MS } from '../../../lib/limits/frontend.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Page } from '../../../lib/panda/panda.ts';
import { listPartition } from '../../../lib/panda/rows/open-row.ts';
import { volumePartitions } from '../../../lib/panda/rows/volume-row.ts';
import { settingsOf } from '../../../lib/settings/settings.ts';
import { hotVolumeBytes } from '../../../lib/volume/rows/hot-share.ts';
import { TINY, World } from '../../store/harness.ts';

const MIB = 1024 * 1024;
const VOLUMES = 20;
const HOT = listPartition('hot', TINY.cell);
const idOf = (n: number): string => `${n}`.padStart(16, '0');

class LookedAtPanda extends MemoryPanda {
  looks = 0;
  beforeLook: (() => Promise<void>) | undefined;

  override async query(...args: Parameters<MemoryPanda['query']>): Promise<Page> {
    if (args[0] === HOT) {
      this.looks += 1;
      await this.beforeLook?.();
    }
    return super.query(...args);
  }
}

/** A store with so many hot volumes, of at most VOLUMES, as many as are asked for at any time. */
async function hot(settings = settingsOf('demo', { ...TINY, hotBytesMax: VOLUMES * hotVolumeBytes(TINY) })) {
  const panda = new LookedAtPanda();
  const world = new World(3, settings, 20, panda);
  const { components, frontend } = world.start();
  await frontend.put({ namespace: 'n', key: 'a', body: Buffer.from('a') });
  const rows = panda.snapshot();
  const isVolume = ({ partition }: { partition: string }) => volumePartitions(TINY.cell).includes(partition);
  const volume = rows.find(isVolume) ?? expect.fail('no volume');
  for (const { partition, sort } of rows.filter((row) => isVolume(row) || row.partition === HOT))
    if (sort !== 'complete') await panda.transact([{ kind: 'delete', partition, sort }]);
  let count = 0;
  const setTo = async (volumes: number): Promise<void> => {
    for (; count < volumes; count++) {
      const key = { partition: `${volume.partition.slice(0, -1)}0`, sort: idOf(count) };
      await panda.transact([
        { kind: 'put', ...key, attributes: volume.attributes },
        { kind: 'put', partition: HOT, sort: idOf(count), attributes: { a: 0 } },
      ]);
    }
    while (count > volumes) {
      count -= 1;
      await panda.transact([{ kind: 'delete', partition: HOT, sort: idOf(count) }]);
    }
  };
  panda.looks = 0;
  const slept: number[] = [];
  const clock = {
    nowMs: () => world.clock.nowMs(),
    monotonicMs: () => world.clock.monotonicMs(),
    sleep: async (ms: number) => void slept.push(ms),
  };
  return { world, panda, components: { ...components, clock }, setTo, slept };
}

it.each([
  [0, 4 * MIB, 0],
  [0.79, 4 * MIB, 0],
  [0.8, 4 * MIB, 0],
  [0.85, 4 * MIB, 500],
  [0.9, 4 * MIB, 1000],
  [0.9, 2 * MIB, 500],
  [0.9, 40 * MIB, 1000],
  [1, 4 * MIB, 2000],
  [1.3, 4 * MIB, 2000],
  [1, MIB, 500],
  [1, 0, 0],
])('at %f of the hot tier a put of %i bytes is held back for %i ms', (share, bytes, ms) => {
  expect(holdMs(share, bytes)).toBe(ms);
});

describe('the gauge', () => {
  it('looks once in a while, and whoever comes meanwhile waits for that look', async () => {
    const { world, panda, components, setTo } = await hot();
    await setTo(3);
    const gauge = new HotGauge(components);
    let release = (): void => {};
    panda.beforeLook = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const done: string[] = [];
    const first = gauge.check(1).then(() => done.push('first'));
    const second = gauge.check(1).then(() => done.push('second'));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect({ done, looks: panda.looks }).toEqual({ done: [], looks: 1 });
    release();
    await Promise.all([first, second]);
    panda.beforeLook = undefined;
    world.clock.advance(HOT_LOOK_EVERY_MS - 1);
    await gauge.check(1);
    expect(panda.looks).toBe(1);
    world.clock.advance(1);
    await gauge.check(1);
    expect(panda.looks).toBe(2);
  });

  it('looks at nothing where there is no hot tier', async () => {
    const { panda, components } = await hot();
    const { warmCodec } = components.settings;
    await new HotGauge({ ...components, settings: { ...components.settings, hotCodec: warmCodec } }).check(4 * MIB);
    expect(panda.looks).toBe(0);
  });

  it('asks for an encoder from half of the hot tier on, once in a while', async () => {
    const { world, components, setTo, slept } = await hot();
    let asked = 0;
    const gauge = new HotGauge(components, async () => {
      asked += 1;
    });
    const checkAt = async (volumes: number, afterMs: number): Promise<number> => {
      await setTo(volumes);
      world.clock.advance(afterMs);
      await gauge.check(4 * MIB);
      return asked;
    };
    expect(await checkAt(VOLUMES / 2 - 1, 0)).toBe(0);
    expect(await checkAt(VOLUMES / 2, HOT_LOOK_EVERY_MS)).toBe(1);
    expect(await checkAt(VOLUMES / 2, HOT_SIGNAL_EVERY_MS - 1)).toBe(1);
    expect(await checkAt(VOLUMES / 2, HOT_LOOK_EVERY_MS)).toBe(2);
    expect(slept).toEqual([]);
    // Held back from four fifths on, and put all the same up to the last one.
    expect(await checkAt(18, HOT_SIGNAL_EVERY_MS)).toBe(3);
    expect(await checkAt(VOLUMES, HOT_LOOK_EVERY_MS)).toBe(3);
    expect(slept).toEqual([1000, 2000]);
  });

  it('refuses what comes when it is more than full, and says of how much', async () => {
    const { world, components, setTo, slept } = await hot();
    const gauge = new HotGauge(components);
    await setTo(VOLUMES + 1);
    const bytes = hotVolumeBytes(TINY);
    await expect(gauge.check(1)).rejects.toMatchObject({
      kind: 'retry',
      code: 'HOT_FULL',
      message: `hot volumes allocate ${(VOLUMES + 1) * bytes} of at most ${VOLUMES * bytes} bytes: wait for them to be encoded`,
    });
    await setTo(VOLUMES - 10);
    await expect(gauge.check(1)).rejects.toMatchObject({ code: 'HOT_FULL' });
    world.clock.advance(HOT_LOOK_EVERY_MS);
    await gauge.check(1);
    expect(slept).toEqual([]);
  });

  it('has relief brought and looks again at once, so often and no more', async () => {
    const { panda, components, setTo } = await hot();
    await setTo(VOLUMES + 1);
    let reliefs = 0;
    await expect(
      new HotGauge(components).check(1, async () => {
        reliefs += 1;
      }),
    ).rejects.toMatchObject({
      code: 'HOT_FULL',
    });
    expect({ reliefs, looks: panda.looks }).toEqual({ reliefs: HOT_RELIEFS_MAX, looks: 1 + HOT_RELIEFS_MAX });
    reliefs = 0;
    await new HotGauge(components).check(1, async () => {
      reliefs += 1;
      if (reliefs === 2) await setTo(1);
    });
    expect(reliefs).toBe(2);
    const gauge = new HotGauge(components);
    await gauge.check(1, async () => {
      reliefs += 1;
    });
    expect(reliefs).toBe(2);
  });

  it('forgets a look that failed', async () => {
    const { panda, components, setTo } = await hot();
    await setTo(1);
    const gauge = new HotGauge(components);
    panda.beforeLook = () => Promise.reject(new Error('no answer'));
    await expect(gauge.check(1)).rejects.toThrow('no answer');
    panda.beforeLook = undefined;
    await gauge.check(1);
    expect(panda.looks).toBe(1);
  });
});
