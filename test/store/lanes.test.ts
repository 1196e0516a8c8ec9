// Namespaces that are kept apart have volumes of their own from the first write on; who hears of it when, and what is
// shared all the same. Whole lives of such stores are in lanes.long.test.ts.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changeOperating } from '../../lib/compaction/run/operating-row.ts';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { setOperating } from '../../lib/engine/upkeep/operating.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { HOUR_MS } from '../../lib/foundation/durations.ts';
import { SHARED_LANE } from '../../lib/foundation/lane.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { LANES_KNOWN_MS } from '../../lib/limits/volume.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { laneOf } from '../../lib/panda/rows/volume-row.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import {
  APART,
  encodeAll,
  LANES,
  LEAVER,
  lanesOf,
  OTHER,
  putInTurns,
  STAYER,
  storeOf,
  volumesOf,
} from './lanes-world.ts';
import { expectSound } from './recount.ts';

const folder = temporaryFolder();

describe('namespaces that are kept apart', () => {
  it('have volumes of their own, hot and coded, whatever comes in turns', async () => {
    const { p } = await storeOf(`${LEAVER},${STAYER}`);
    await putInTurns(p, 8);
    expect(await lanesOf(p)).toEqual(APART);
    await encodeAll(p);
    expect(await lanesOf(p)).toEqual(APART);
    await expectSound(p);
  });

  it('are coded as small stores are: what is aged does not wait for as much as the whole store would', async () => {
    const coded = async (apart: string | null): Promise<boolean> => {
      const { world, p } = await storeOf(apart);
      const random = new SeededRandomness(9);
      const many = Array.from({ length: 120 }, (_, i) => ({
        namespace: OTHER,
        key: `f/${i}`,
        body: random.bytes(1000),
      }));
      for await (const outcome of p.frontend.putAll(many)) if (!outcome.ok) throw outcome.error;
      await encodeAll(p);
      for (const key of ['a', 'b']) await p.frontend.put({ namespace: STAYER, key, body: random.bytes(900) });
      world.clock.advance(2 * HOUR_MS);
      await encodeHot(p.volumes);
      return (await volumesOf(p)).every((volume) => volume.class === 'warm' || volume.state === 'trash');
    };
    expect(await coded(STAYER)).toBe(true);
    expect(await coded(null)).toBe(false);
  });

  it('are heard of within a while, and only by what is put afterwards', async () => {
    const { world, p } = await storeOf(null);
    await putInTurns(p, 5, 1);
    await changeOperating(p.components, () => ({ namespacesApart: STAYER }));
    const soon = { [LEAVER]: [SHARED_LANE], [STAYER]: [SHARED_LANE], [OTHER]: [SHARED_LANE] };
    await putInTurns(p, 5, 2);
    expect(await lanesOf(p)).toEqual(soon);
    world.clock.advance(LANES_KNOWN_MS);
    await putInTurns(p, 5, 3);
    expect(await lanesOf(p)).toEqual({ ...soon, [STAYER]: [LANES[STAYER]] });
    await encodeAll(p);
    expect(await lanesOf(p)).toEqual({ ...soon, [STAYER]: [LANES[STAYER]] });
  });

  it('share what is in both: it lies where it was written first', async () => {
    const { p } = await storeOf(STAYER);
    const body = new SeededRandomness(3).bytes(900);
    await p.frontend.put({ namespace: OTHER, key: 'a', body });
    const { newBytes } = await p.frontend.put({ namespace: STAYER, key: 'a', body });
    expect(newBytes).toBe(0);
    expect(await lanesOf(p)).toEqual({ [LEAVER]: [], [STAYER]: [SHARED_LANE], [OTHER]: [SHARED_LANE] });
  });

  it('cost no put: settings that cannot be read keep nothing apart', async () => {
    const { p } = await storeOf(STAYER);
    await p.components.panda.transact([{ kind: 'put', partition: 'work/settings', sort: 'operating', attributes: {} }]);
    await putInTurns(p, 3);
    expect((await lanesOf(p))[STAYER]).toEqual([SHARED_LANE]);
  });

  it('are so in a store in a directory, as its operator set it', async () => {
    const dir = join(folder, 'store');
    const store = await createEmbedded(dir, { settings: PRESETS.demo, drives: 16 });
    try {
      await setOperating(store, { namespacesApart: STAYER });
      await store.beginWriting();
      for (const namespace of [STAYER, OTHER])
        await store.frontend.put({ namespace, key: 'a', body: Buffer.from(`of ${namespace}`) });
      const volumes = await listVolumes(store.components.panda, store.components.settings.cell);
      expect(volumes.map(laneOf).sort()).toEqual([SHARED_LANE, LANES[STAYER]]);
      const shown = (await collectStatus(store.components)).volumes.map(({ lane }) => lane);
      expect(new Set(shown)).toEqual(new Set([undefined, LANES[STAYER]]));
    } finally {
      await store.close();
    }
  });
});
