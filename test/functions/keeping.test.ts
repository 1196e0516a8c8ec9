// What the tuner measures of redundancy and repair: nothing while all is well, volumes and hours while something is missing.
import { describe, expect, it } from 'vitest';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import type { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { collectKeeping } from '../../lib/engine/status/keeping.ts';
import { tasksOf } from '../../lib/engine/upkeep/daemon.ts';
import { present } from '../../lib/foundation/assert.ts';
import { HOUR_MS } from '../../lib/foundation/durations.ts';
import { KEEPING_METRICS } from '../../lib/settings/metric-names.ts';
import { noteDamage } from '../../lib/volume/rows/damage.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { sealedWorld } from '../compaction/acting-world.ts';
import { mark, wipe } from '../repair/drives.ts';
import { Stage } from './stage.ts';

const { volumesAtRisk, repairHoursWaiting } = KEEPING_METRICS;
const prepared = sealedWorld({ volumes: 4, filesEach: 50, deletedEach: () => 0 });

async function stageOf() {
  const world = (await prepared).world.clone();
  const stage = new Stage(world);
  const gauges = async (): Promise<Record<string, number>> => {
    await stage.invoke('threshold-tuner');
    return stage.gauges.at(-1) as Record<string, number>;
  };
  const columnsOn = async (drive: number): Promise<number> =>
    (await listVolumes(world.panda, 'c0')).filter(
      ({ extents, buckets }) => buckets.size > 0 && extents.some((extent) => extent.drive === drive),
    ).length;
  return { world, stage, gauges, columnsOn };
}

describe('redundancy and repair', () => {
  it('are not measured while all is well', async () => {
    const { gauges } = await stageOf();
    expect(Object.keys(await gauges())).not.toEqual(expect.arrayContaining([volumesAtRisk]));
    expect(Object.keys(await gauges())).not.toEqual(expect.arrayContaining([repairHoursWaiting]));
  });

  it('count the volumes of a drive that is given up, and the hours until they are whole', async () => {
    const { world, stage, gauges, columnsOn } = await stageOf();
    const columns = await Promise.all(world.drives.map((_, drive) => columnsOn(drive)));
    const fullest = columns.indexOf(Math.max(...columns));
    await wipe(world, fullest);
    await mark(world, fullest, 'lost');
    const hours = world.clock.nowMs() / HOUR_MS; // it was marked so at time 0
    world.clock.advance(5 * HOUR_MS);
    const found = await gauges();
    expect(found[volumesAtRisk]).toBe(await columnsOn(fullest));
    expect(found[volumesAtRisk]).toBeGreaterThan(1);
    expect(found[repairHoursWaiting]).toBeCloseTo(hours + 5, 1);
    await stage.invoke('compactor', { run: 'repair/pass/1' });
    expect(await gauges()).not.toHaveProperty(volumesAtRisk);
    expect(await gauges()).not.toHaveProperty(repairHoursWaiting);
  });

  it('count no volume for a drive that is only emptied, but the hours', async () => {
    const { world, gauges } = await stageOf();
    await mark(world, 1, 'draining');
    world.clock.advance(HOUR_MS);
    expect(await gauges()).not.toHaveProperty(volumesAtRisk);
    expect((await gauges())[repairHoursWaiting]).toBeGreaterThan(0);
  });

  it('count what is damaged, since it was found', async () => {
    const { world, gauges } = await stageOf();
    const { components } = world.start();
    const volume = (await listVolumes(world.panda, 'c0')).find(({ buckets }) => buckets.size > 0);
    const found = { column: 0, part: 1, kind: 'missing', reason: 'CHUNK_MISSING' } as const;
    await noteDamage(components, present(volume, 'a volume'), [
      { ...found, volume: present(volume, 'a volume').id, generation: present(volume, 'a volume').generation },
    ]);
    world.clock.advance(3 * HOUR_MS);
    expect(await gauges()).toMatchObject({ [volumesAtRisk]: 1, [repairHoursWaiting]: 3 });
  });

  it('count volumes of a bucket that is gone, before anybody has said so', async () => {
    const { world, columnsOn } = await stageOf();
    const { components } = world.start();
    const gone = Object.assign(world.drives[1]?.clone() as MemoryDrive, {
      read: () => Promise.reject(driveUnavailable('bucket-1', 'no such bucket here (NoSuchBucket)')),
    });
    const drives = components.drives.map((drive, i) => (i === 1 ? gone : drive));
    const volumes = await listVolumes(world.panda, 'c0');
    const found = await collectKeeping({ ...components, drives }, volumes);
    expect(found).toEqual({ [volumesAtRisk]: await columnsOn(1), [repairHoursWaiting]: 0 });
  });

  it('are in the report of the daemon as well', async () => {
    const { world } = await stageOf();
    const p = world.start();
    await mark(world, 1, 'draining');
    const engine = { ...p, queue: undefined as never };
    const repair = tasksOf(engine).find(({ name }) => name === 'repair');
    const report = await repair?.run(new AbortController().signal);
    expect(report).toMatchObject({ metrics: { [volumesAtRisk]: 0, [repairHoursWaiting]: 0 } });
  });
});
