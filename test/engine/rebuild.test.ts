// restore --rebuild: with Panda gone, the drives and an older backup give back the same store, in normal form and byte for byte. More
// stores in rebuild.long.test.ts.
import { describe, expect, it } from 'vitest';
import { drain } from '../../lib/compaction/do/drain.ts';
import type { ZoneRef } from '../../lib/drive/drive.ts';
import type { RecordId } from '../../lib/foundation/ids.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { expectSound } from '../store/recount.ts';
import { busyStore, expectFiles, expectSameStore, normalForm, rebuilt, rowsOf } from './rebuilding.ts';

let made: ReturnType<typeof busyStore> | undefined;

/** Made once: each test has a copy of its own. */
async function anotherBusyStore() {
  made ??= busyStore(1);
  const { world: first, files } = await made;
  const world = first.clone();
  return { world, p: world.start(), files: new Map(files) };
}

describe('restore --rebuild', () => {
  it('gives back the same store from the drives and a backup of now (seed 1)', async () => {
    await expectSameStore(await anotherBusyStore());
  });

  it('takes locations from the drives when buckets moved since the backup', async () => {
    const { world, p, files } = await anotherBusyStore();
    const backup = await rowsOf(p);
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    await p.volumes.open.sealAll('warm');
    await drain(p.volumes, (run, moved) => new LiveCoder(p.volumes, run, moved), { fillPermilleMax: 1000 });
    await freeTrash(p.volumes);
    const { process, report } = await rebuilt(world, backup);
    expect(report.lost).toEqual([]);
    expect(normalForm(await rowsOf(process)).names).toEqual(normalForm(backup).names);
    await expectSound(process);
    await expectFiles(process, files);
  });

  it('does not bring back what was shredded after the backup, and says so', async () => {
    const { world, p, files } = await anotherBusyStore();
    const backup = await rowsOf(p);
    const doomed = backup
      .filter((row) => row.partition.startsWith('block/'))
      .map(blockFromRow)
      .find((block) => block.state === 'live');
    const { process, report } = await rebuilt(world, backup, { shredded: new Set([doomed?.recordId as RecordId]) });
    expect(report.lost.length).toBeGreaterThan(0);
    for (const { key } of report.lost) {
      await expect(process.frontend.head('default', key)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      files.delete(key);
    }
    await expectFiles(process, files);
    await expectSound(process);
  });

  it('survives the loss of chunks the code can rebuild', async () => {
    const { world, p, files } = await anotherBusyStore();
    const backup = await rowsOf(p);
    const [at] = (await world.drives[3]?.zones()) ?? [];
    await world.drives[3]?.erase(at as ZoneRef);
    const { process, report } = await rebuilt(world, backup);
    expect(report.lost).toEqual([]);
    await expectFiles(process, files);
  });
});
