// One clock that jumped ten years ahead for a moment: what was written then is treated alone, and nothing waits for years. A clock that
// is behind most of the store is another matter: nothing is planned by it unless it is accepted.
import { describe, expect, it } from 'vitest';
import { planNow } from '../../lib/compaction/do/plan-now.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { DAY_MS, HOUR_MS } from '../../lib/foundation/durations.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { batchesOf, deleteFiles, filesOf, putFiles, SMALL, sealedWorld } from './acting-world.ts';

const TEN_YEARS_MS = 3652 * DAY_MS;
const HOLES = { threshold: 0.02, settings: { minFill: 0.05 } };
const GRACEFUL = settingsOf('demo', {
  ...SMALL,
  encodeAfterMs: HOUR_MS,
  deleteGraceMs: HOUR_MS,
  trashGraceMs: HOUR_MS,
});

const jump = ({ clock }: World, byMs: number): void => clock.jumpTo(clock.nowMs() + byMs);

/** Four half-dead warm volumes, and one more, hot, of a moment when the clock was ten years ahead; a file deleted then. */
async function jumped() {
  const { world, model, p } = await sealedWorld({ volumes: 6, filesEach: 110, deletedEach: () => 70 });
  const ahead = filesOf(99, 20, 900);
  jump(world, TEN_YEARS_MS);
  await putFiles(p, model, ahead);
  await deleteFiles(p, model, [...ahead.keys()].slice(0, 5));
  await p.volumes.open.sealAll('hot');
  jump(world, -TEN_YEARS_MS);
  return { model, p };
}

describe('one moment from the future', () => {
  it('keeps compaction from nothing', async () => {
    const { model, p } = await jumped();
    const { plan } = await planNow(p.volumes, HOLES);
    expect(plan.runs.length).toBeGreaterThan(0);
    const report = await compact(batchesOf(p), HOLES);
    expect(report.runs.length).toBeGreaterThan(0);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('is old enough to be encoded, begins its graces now, and goes', async () => {
    const { world, p, model } = await sealedWorld({
      settings: GRACEFUL,
      volumes: 1,
      filesEach: 20,
      deletedEach: () => 0,
    });
    const files = filesOf(7, 30, 900);
    jump(world, TEN_YEARS_MS);
    await putFiles(p, model, files);
    await deleteFiles(p, model, [...files.keys()].slice(0, 10));
    await p.volumes.open.sealAll('hot');
    jump(world, -TEN_YEARS_MS);

    await encodeHot(p.volumes, { flush: true });
    const hot = async () =>
      (await listVolumes(p.components.panda, p.components.settings.cell)).filter((v) => v.class === 'hot');
    expect((await hot()).filter(({ state }) => state === 'sealed')).toEqual([]);

    expect(await collectGarbage(p.components)).toMatchObject({ slots: 0, waiting: 10 });
    world.clock.advance(HOUR_MS + 1);
    expect(await collectGarbage(p.components)).toMatchObject({ slots: 10, waiting: 0 });
    await freeTrash(p.volumes);
    expect(await hot()).toEqual([]);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('retires volumes whose grace begins now', async () => {
    const { world, p } = await sealedWorld({ settings: GRACEFUL, volumes: 1, filesEach: 20, deletedEach: () => 0 });
    jump(world, TEN_YEARS_MS);
    await compact(batchesOf(p), HOLES);
    const files = filesOf(7, 30, 900);
    for await (const _ of p.frontend.putAll([...files].map(([key, body]) => ({ namespace: 'default', key, body }))));
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    jump(world, -TEN_YEARS_MS);
    const trash = async () =>
      (await listVolumes(p.components.panda, p.components.settings.cell)).filter((v) => v.state === 'trash');
    expect((await trash()).length).toBeGreaterThan(0);
    await freeTrash(p.volumes);
    world.clock.advance(HOUR_MS + 1);
    await freeTrash(p.volumes);
    expect(await trash()).toEqual([]);
  });

  it('holds no lease for years', async () => {
    const { world, p, model } = await sealedWorld({ volumes: 1, filesEach: 20, deletedEach: () => 0 });
    jump(world, TEN_YEARS_MS);
    const other = world.start();
    await putFiles(other, model, filesOf(5, 3, 500));
    for (const volume of await listVolumes(p.components.panda, p.components.settings.cell)) {
      if (volume.state !== 'open') continue;
      const key = volumeKey(p.components.settings.cell, volume.id);
      const set = { o: 'somebody', e: world.clock.nowMs() + 60_000 };
      await p.components.panda.transact([{ kind: 'update', ...key, set }]);
    }
    jump(world, -TEN_YEARS_MS);
    const mine = world.start();
    const before = (await listVolumes(p.components.panda, p.components.settings.cell)).length;
    await putFiles(mine, model, filesOf(6, 3, 500));
    // Into the volume that is there: no other was needed.
    expect(await listVolumes(p.components.panda, p.components.settings.cell)).toHaveLength(before);
    await model.expectIn(p);
  });
});

describe('a clock behind most of the store', () => {
  it('plans nothing, says which volume, and plans when it is accepted', async () => {
    const { world, p } = await sealedWorld({ volumes: 6, filesEach: 110, deletedEach: () => 70 });
    jump(world, -DAY_MS);
    await expect(planNow(p.volumes)).rejects.toMatchObject({
      kind: 'retry',
      code: 'CLOCK_BEHIND',
      message: expect.stringMatching(/such as [0-9a-f]{16} at 2026.*--accept-clock/),
    });
    expect((await planNow(p.volumes, { ...HOLES, acceptClock: true })).plan.runs.length).toBeGreaterThan(0);
  });
});
