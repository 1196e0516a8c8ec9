// The trash inspector and the sweep: zones are erased only when what they held is readable elsewhere, and strays only where nothing
// current lies.
import { describe, expect, it } from 'vitest';
import { bitFlip, FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { CHUNK_HEADER_BYTES } from '../../lib/format/chunk.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { QUARANTINE_MS } from '../../lib/limits/volume.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { sweepStrays } from '../../lib/volume/behind/sweep.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { TINY, World } from '../store/harness.ts';

async function encodedWorld(changes = {}) {
  const world = new World(1, settingsOf('demo', { ...TINY, ...changes }));
  const p = world.start();
  const random = new SeededRandomness(3);
  const items = Array.from({ length: 150 }, (_, i) => ({
    namespace: 'default',
    key: `${i}`,
    body: random.bytes(2500),
  }));
  for await (const outcome of p.frontend.putAll(items)) expect(outcome.ok).toBe(true);
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  return { world, p, items };
}

const statesOf = async (world: World) =>
  (await listVolumes(world.panda, 'c0')).map((volume) => `${volume.class} ${volume.state}`);

describe('freeing retired volumes', () => {
  it('keeps the trash while a bucket cannot be read in its new volume, and frees it when it can', async () => {
    const { world, p } = await encodedWorld();
    const drives = world.drives.map((drive) => new FaultyDrive(drive));
    const sick = new VolumeStore({ ...p.components, drives });
    for (const drive of drives)
      drive.damage = (bytes, at, name, range) =>
        range === undefined || range.offset >= CHUNK_HEADER_BYTES
          ? bitFlip(new SeededRandomness(1))(bytes, at, name, range)
          : bytes;
    const kept = await freeTrash(sick);
    expect(kept.freedZones).toBe(0);
    expect(kept.kept.length).toBeGreaterThan(5);
    expect(kept.kept[0]?.reason.code).toBe('BUCKET_UNREADABLE');
    expect(await statesOf(world)).toContain('hot trash');
    for (const drive of drives) drive.damage = undefined;
    const freed = await freeTrash(new VolumeStore({ ...p.components, drives }));
    expect(freed.kept).toEqual([]);
    expect(freed.freedVolumes).toBe(kept.kept.length);
    expect(freed.freedZones).toBe(freed.freedVolumes * 4);
    expect((await statesOf(world)).filter((state) => state.startsWith('hot'))).toEqual([]);
  });

  it('waits for the grace, unless space is needed', async () => {
    const { world, p } = await encodedWorld({ trashGraceMs: 1000 });
    expect((await freeTrash(p.volumes)).kept[0]?.reason).toMatchObject({
      code: 'VOLUME_IN_GRACE',
      text: expect.stringMatching(/in trash for another/),
    });
    world.clock.jumpTo(world.clock.nowMs() - 3_600_000); // a clock jumping back only delays
    expect((await freeTrash(p.volumes)).freedVolumes).toBe(0);
    expect((await freeTrash(p.volumes, { ignoreGrace: true })).freedVolumes).toBeGreaterThan(0);
  });

  it('goes on when a drive that was away comes back', async () => {
    const { world, p } = await encodedWorld();
    const drives = world.drives.map((drive) => new FaultyDrive(drive));
    const sick = new VolumeStore({ ...p.components, drives });
    (drives[0] as FaultyDrive).state = 'read-only';
    await freeTrash(sick);
    expect((await statesOf(world)).some((state) => state === 'hot erasing')).toBe(true);
    (drives[0] as FaultyDrive).state = 'healthy';
    await freeTrash(sick);
    expect((await statesOf(world)).filter((state) => state.startsWith('hot'))).toEqual([]);
  });
});

describe('the sweep', () => {
  it('erases late puts under old generations and unknown zones, and nothing current', async () => {
    const { world, p, items } = await encodedWorld();
    await freeTrash(p.volumes);
    const before = await Promise.all(world.drives.map((drive) => drive.zones()));
    const used = before[0]?.[0];
    await world.drives[0]?.append({ zone: 4000, generation: 1 }, '1-1', [new Uint8Array(10)]); // no row at all
    const freed = (await (async () => {
      for (let zone = 0; zone < 200; zone++) if (!before[1]?.some((at) => at.zone === zone)) return zone;
      return 0;
    })()) as number;
    await world.drives[1]?.append({ zone: freed, generation: 1 }, '9-9', [new Uint8Array(10)]); // a zombie's, its zone freed since
    expect(await sweepStrays(p.volumes)).toEqual({ erasedZones: 0, quarantinedZones: 2 });
    world.clock.advance(QUARANTINE_MS - 1);
    expect(await sweepStrays(p.volumes)).toEqual({ erasedZones: 0, quarantinedZones: 2 });
    world.clock.advance(1);
    expect(await sweepStrays(p.volumes)).toEqual({ erasedZones: 2, quarantinedZones: 0 });
    expect(await Promise.all(world.drives.map((drive) => drive.zones()))).toEqual(before);
    expect(used).toBeTruthy();
    for (const { key, body } of items) expect(Buffer.compare(await p.frontend.read('default', key, 1e5), body)).toBe(0);
  });

  it('waits a week in quarantine and no longer, whatever clock it began by', async () => {
    const world = new World(1);
    const p = world.start();
    await world.drives[0]?.append({ zone: 4000, generation: 1 }, '1-1', [new Uint8Array(10)]);
    const nowMs = world.clock.nowMs();
    world.clock.jumpTo(nowMs + 52 * QUARANTINE_MS);
    expect(await sweepStrays(p.volumes)).toEqual({ erasedZones: 0, quarantinedZones: 1 });
    world.clock.jumpTo(nowMs);
    expect(await sweepStrays(p.volumes)).toEqual({ erasedZones: 0, quarantinedZones: 1 });
    world.clock.advance(QUARANTINE_MS);
    expect(await sweepStrays(p.volumes)).toEqual({ erasedZones: 1, quarantinedZones: 0 });
  });
});
