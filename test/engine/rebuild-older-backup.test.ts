// A rebuild from a backup that is older than what lies on the drives: what died since is alive again, and the directories
// that a newer Panda has written do not lead to it.
import { expect, it } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { expectFiles, putFiles, rebuilt, rowsOf } from './rebuilding.ts';

it('leads to what was deleted before directories were written: they are written anew, and a repair keeps all of it', async () => {
  const world = new World(11, TINY);
  const p = world.start();
  const files = new Map<string, Uint8Array>();
  await putFiles(p, files, 1, 25, 12);
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  const backup = await rowsOf(p);
  const doomed = [...files.keys()].filter((_, i) => i % 3 === 0);
  for await (const outcome of p.frontend.deleteAll(doomed.map((key) => ({ namespace: 'default', key }))))
    expect(outcome).toMatchObject({ ok: true });
  await collectGarbage(p.components);
  world.clock.advance(TINY.deleteGraceMs + 1);
  await collectGarbage(p.components);
  await p.volumes.open.sealAll('warm');

  const { process: back, report } = await rebuilt(world, backup);
  expect(report.lost).toEqual([]);
  await expectSound(back);
  const pendingIn = async () =>
    (await listVolumes(back.components.panda, TINY.cell)).filter(({ directoriesPending }) => directoriesPending);
  expect(await pendingIn()).not.toEqual([]);
  // What lies where directories are to be is noted; the repair moves these columns, with all that must be on them.
  await recover(back.volumes, back.frontend, { sweep: true });
  const repaired = await repairStore(back.volumes, { ignoreGrace: true });
  expect(repaired).toMatchObject({ lost: [], left: [] });
  expect(repaired.objects).toBeGreaterThan(0);
  await recover(back.volumes, back.frontend, { sweep: true });
  expect(await pendingIn()).toEqual([]);
  await expectFiles(back, files);
  await expectSound(back);
});
