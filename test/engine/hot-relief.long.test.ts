// Puts of more than the hot tier may hold: it is encoded between them, so that it never fills.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HotRelief } from '../../lib/client/file/hot-relief.ts';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { parseSettings } from '../../lib/settings/settings.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, differing, filesOf, putFiles, SMALL } from './small-store.ts';

const root = temporaryFolder();

describe('the hot tier', () => {
  it('stays within its bounds under a put of many times its size', async () => {
    const settings = parseSettings({ ...SMALL, hotBytesMax: 6 * 4 * SMALL.extentBytes });
    const store = await createEmbedded(join(root, 's'), { settings, drives: DRIVES });
    const relief = new HotRelief(store);
    const all = new Map<string, Uint8Array>();
    for (let batch = 0; batch < 16; batch++) {
      const files = filesOf(batch, 100, 900);
      await relief.before([...files.values()].reduce((sum, { length }) => sum + length, 0));
      await putFiles(store, files);
      for (const [key, body] of files) all.set(key, body);
      const { hotBytes } = await collectStatus(store.components);
      expect(hotBytes).toBeLessThanOrEqual(settings.hotBytesMax);
    }
    await relief.end();
    expect((await collectStatus(store.components)).liveBytes * 4).toBeGreaterThan(settings.hotBytesMax);
    expect(await differing(store, all)).toEqual([]);
    await store.close();
  });

  it('full all the same, makes a put wait for its own encode, not fail', async () => {
    const settings = parseSettings({ ...SMALL, hotBytesMax: 2 * 4 * SMALL.extentBytes });
    const store = await createEmbedded(join(root, 'full'), { settings, drives: DRIVES });
    const relief = new HotRelief(store);
    const all = filesOf(9, 600, 900);
    // Nobody asks before: the sizes of what comes through a pipe are not known.
    const items = [...all].map(([key, body]) => ({ namespace: 'default', key, body }));
    let waits = 0;
    const relieve = (): Promise<void> => {
      waits += 1;
      return relief.relieve();
    };
    for (let at = 0; at < items.length; at += 60) {
      // A gauge of its own each time, as it looks only every few seconds.
      const frontend = new Frontend(store.volumes);
      for await (const outcome of frontend.putAll(items.slice(at, at + 60), relieve))
        expect(outcome).toMatchObject({ ok: true });
    }
    expect(waits).toBeGreaterThan(0);
    expect(await differing(store, all)).toEqual([]);
    await store.close();
  });
});
