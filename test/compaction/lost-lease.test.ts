// A volume leased for a run that has ended meanwhile: nobody goes on with it, so its lease is ended by whoever looks.
import { describe, expect, it } from 'vitest';
import { endLostLeases } from '../../lib/compaction/do/end-runs.ts';
import { beginJournal, DRAINER_OWNER } from '../../lib/compaction/run/journal.ts';
import type { RunId, VolumeId } from '../../lib/foundation/ids.ts';
import { listVolumes, readVolume } from '../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../lib/volume/runs/runs.ts';
import { sealedWorld } from './acting-world.ts';

const RUN = `l3/${DRAINER_OWNER}/0123456789ab` as RunId;

async function leased() {
  const { p } = await sealedWorld({ volumes: 1, filesEach: 20, deletedEach: () => 10 });
  const sealed = (await listVolumes(p.components.panda, p.components.settings.cell)).find(
    ({ state }) => state === 'sealed',
  );
  const id = sealed?.id as VolumeId;
  expect((await takeRun(p.components, id, RUN))?.state).toBe('draining');
  return { p, id };
}

describe("a lease of the drainer's", () => {
  it('is ended when its run is not journalled any more', async () => {
    const { p, id } = await leased();
    expect(await endLostLeases(p.volumes)).toBe(1);
    expect(await readVolume(p.components.panda, p.components.settings.cell, id)).toMatchObject({
      state: 'sealed',
      run: undefined,
    });
  });
  it('is kept while it is: its owner is no process that could be dead', async () => {
    const { p, id } = await leased();
    await beginJournal(p.components, RUN, { strategy: 'l3', plan: 'p', name: 'l3-0001', host: null, sources: [id] });
    expect(await endLostLeases(p.volumes)).toBe(0);
    expect(await readVolume(p.components.panda, p.components.settings.cell, id)).toMatchObject({
      state: 'draining',
      run: RUN,
    });
  });
});
