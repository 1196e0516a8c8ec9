// The 15-minute rule under a simulated clock: what becomes of drives that do not answer, the brake, and the way back.
import { describe, expect, it } from 'vitest';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { watchDrives } from '../../lib/engine/drives/watch-drives.ts';
import { careOf } from '../../lib/engine/status/alarms.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/foundation/durations.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listDamage } from '../../lib/volume/rows/damage.ts';
import { readDriveRows } from '../../lib/volume/rows/drive-states.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { type Process, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { LOOKED_AT } from '../volume/planted.ts';
import { mark } from './drives.ts';

/** A drive that can be pulled out. */
class PulledDrive extends MemoryDrive {
  isOut = false;
  override async probe(): Promise<void> {
    if (this.isOut) throw driveUnavailable(this.label, 'pulled out');
  }
  override async append(...given: Parameters<MemoryDrive['append']>): Promise<void> {
    await this.probe();
    return super.append(...given);
  }
  override async read(...given: Parameters<MemoryDrive['read']>): Promise<Uint8Array> {
    await this.probe();
    return super.read(...given);
  }
  override async list(...given: Parameters<MemoryDrive['list']>) {
    await this.probe();
    return super.list(...given);
  }
}

const SETTINGS = settingsOf('demo', { ...LOOKED_AT, trashGraceMs: 0, warmCodec: 'xor-2-1', hotCodec: 'xor-2-1' });

function pulledWorld(count: number) {
  const drives = Array.from({ length: count }, (_, i) => new PulledDrive(`drive-${i}`));
  const world = new World(1, SETTINGS, drives);
  return { world, drives, p: world.start() };
}
const stateOf = async (p: Process, drive: number): Promise<string> =>
  (await readDriveRows(p.components)).get(drive)?.state ?? 'active';

/** A look every minute, for so long. */
async function watchFor(world: World, p: Process, ms: number): Promise<Awaited<ReturnType<typeof watchDrives>>[]> {
  const reports: Awaited<ReturnType<typeof watchDrives>>[] = [];
  for (let passedMs = 0; passedMs < ms; passedMs += MINUTE_MS) {
    reports.push(await watchDrives(p.volumes));
    world.clock.advance(MINUTE_MS);
  }
  return reports;
}

describe('a drive that does not answer', () => {
  it('is away, lost after fifteen minutes, and repaired; it comes back by itself', async () => {
    const { world, drives, p } = pulledWorld(6);
    for (let i = 0; i < 4; i++)
      await p.frontend.put({ namespace: 'default', key: `f${i}`, body: new Uint8Array(900).fill(i) });
    await p.volumes.open.sealAll('hot');
    const [volume] = await listVolumes(p.components.panda, 'c0');
    const lost = volume?.extents[1]?.drive as number;
    (drives[lost] as PulledDrive).isOut = true;
    for (const report of await watchFor(world, p, 15 * MINUTE_MS))
      expect(report).toMatchObject({ away: [lost], lost: [] });
    expect(await stateOf(p, lost)).toBe('active');
    expect(await watchDrives(p.volumes)).toMatchObject({ away: [], lost: [lost] });
    expect(await stateOf(p, lost)).toBe('lost');
    expect(await repairStore(p.volumes)).toMatchObject({ columns: 1, lost: [], left: [] });
    (drives[lost] as PulledDrive).isOut = false;
    expect(await watchDrives(p.volumes)).toMatchObject({ returned: [lost] });
    expect(await stateOf(p, lost)).toBe('active');
    expect(await drives[lost]?.zones()).toEqual([]);
    await expectSound(p);
  });

  it('that answers in time was never lost, and begins anew', async () => {
    const { world, drives, p } = pulledWorld(4);
    const [drive] = drives as [PulledDrive];
    for (let round = 0; round < 3; round++) {
      drive.isOut = true;
      await watchFor(world, p, 14 * MINUTE_MS);
      drive.isOut = false;
      expect(await watchDrives(p.volumes)).toMatchObject({ returned: [0], lost: [] });
    }
    expect((await readDriveRows(p.components)).get(0)).toMatchObject({ state: 'active', away: undefined });
  });

  it('counts for as long only as somebody looked, and not while a clock is set', async () => {
    const { world, drives, p } = pulledWorld(4);
    (drives[0] as PulledDrive).isOut = true;
    await watchFor(world, p, 5 * MINUTE_MS);
    world.clock.advance(HOUR_MS); // the daemon did not run
    expect(await watchDrives(p.volumes)).toMatchObject({ away: [0], lost: [] });
    const nowMs = world.clock.nowMs();
    world.clock.nowMs = () => nowMs - DAY_MS;
    expect(await watchDrives(p.volumes)).toMatchObject({ away: [0], lost: [] });
    expect((await readDriveRows(p.components)).get(0)?.away).toEqual({
      sinceMs: nowMs - DAY_MS,
      seenMs: nowMs - DAY_MS,
    });
  });

  it('that a person has given up stays so when it answers', async () => {
    const { p } = pulledWorld(4);
    await mark({ panda: p.components.panda } as unknown as World, 2, 'lost');
    expect(await watchDrives(p.volumes)).toMatchObject({ returned: [] });
    expect(await stateOf(p, 2)).toBe('lost');
  });
});

describe('the brake', () => {
  it('lets as many be lost in a day as every volume survives, and asks a person about the others', async () => {
    const { world, drives, p } = pulledWorld(8);
    for (const drive of [0, 1, 2]) (drives[drive] as PulledDrive).isOut = true;
    await watchFor(world, p, 15 * MINUTE_MS);
    expect(await watchDrives(p.volumes)).toMatchObject({ lost: [0], asks: [1, 2] });
    // What came back in between counts all the same.
    (drives[0] as PulledDrive).isOut = false;
    await watchDrives(p.volumes);
    (drives[0] as PulledDrive).isOut = true;
    await watchFor(world, p, HOUR_MS);
    expect(await watchDrives(p.volumes)).toMatchObject({ lost: [], asks: [0, 1, 2] });
    const { alarms } = careOf({
      nowMs: world.clock.nowMs(),
      volumes: await listVolumes(p.components.panda, 'c0'),
      damage: await listDamage(p.components),
      drives: await readDriveRows(p.components),
      away: new Set([0, 1, 2]),
      takers: 5,
    });
    expect(alarms.map(({ name }) => name)).toEqual(['drive-away', 'drive-away', 'drive-away']);
    // A day later one more may go.
    await watchFor(world, p, DAY_MS);
    const states = await Promise.all([0, 1, 2].map((drive) => stateOf(p, drive)));
    expect(states.filter((state) => state === 'lost')).toHaveLength(1);
  });

  it('holds beside another daemon that is as quick', async () => {
    const { world, drives, p } = pulledWorld(8);
    for (const drive of [0, 1]) (drives[drive] as PulledDrive).isOut = true;
    await watchFor(world, p, 15 * MINUTE_MS);
    const other = world.start();
    await Promise.all([watchDrives(p.volumes), watchDrives(other.volumes)]);
    const states = await Promise.all([0, 1].map((drive) => stateOf(p, drive)));
    expect(states.filter((state) => state === 'lost')).toHaveLength(1);
  });
});

describe('what a person has to see to', () => {
  const facts = async (p: Process, world: World, away: readonly number[], takers: number) =>
    careOf({
      nowMs: world.clock.nowMs(),
      volumes: await listVolumes(p.components.panda, 'c0'),
      damage: await listDamage(p.components),
      drives: await readDriveRows(p.components),
      away: new Set(away),
      takers,
      measured: { bytes: 1000, ms: 1000 },
    });

  it('is told: redundancy that is low, a repair without a drive to go to, and one that takes too long', async () => {
    const { world, p } = pulledWorld(3);
    await p.frontend.put({ namespace: 'default', key: 'f', body: new Uint8Array(900) });
    await p.volumes.open.sealAll('hot');
    expect(await facts(p, world, [], 3)).toMatchObject({
      atRisk: 0,
      alarms: [],
      repair: { columns: 0, sinceMs: null },
    });
    // Exactly as many drives as a volume has columns: at once, not after fifteen minutes.
    const away = await facts(p, world, [1], 2);
    expect(away.atRisk).toBe(1);
    expect(away.alarms.map(({ name }) => name)).toEqual(['redundancy-low', 'repair-blocked']);
    await mark(world, 1, 'lost');
    const lost = await facts(p, world, [1], 3);
    expect(lost.repair).toMatchObject({ volumes: 1, columns: 1, isMeasured: true });
    expect(lost.repair.estimateMs).toBe(lost.repair.bytes);
    // The drive was given up at the beginning of time.
    expect(lost.alarms.map(({ name }) => name)).toEqual(['redundancy-low', 'repair-behind']);
  });
});
