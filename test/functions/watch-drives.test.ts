// The 15-minute rule of a stage: the drainer's schedule looks whether buckets answer, lets those be lost that have not for long, within the
// brake, and the state machine repairs what lay there.
import { describe, expect, it } from 'vitest';
import { driveBusy, driveUnavailable } from '../../lib/drive/errors.ts';
import { lossesMax } from '../../lib/engine/drives/watch-drives.ts';
import { MINUTE_MS } from '../../lib/foundation/durations.ts';
import { SCHEDULE_MINUTES } from '../../lib/infra/stage-parts.ts';
import { planRepair } from '../../lib/volume/repair/repair-store.ts';
import { readDriveRows } from '../../lib/volume/rows/drive-states.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { sealedWorld } from '../compaction/acting-world.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { expectUndamaged } from '../store/undamaged.ts';
import { Stage } from './stage.ts';

const prepared = sealedWorld({ volumes: 4, filesEach: 50, deletedEach: () => 0 });
const CALLS = ['append', 'read', 'list', 'zones', 'erase', 'probe'] as const;

/** The bucket is gone, or answers so, until the function that is given back is called. */
function away(world: World, drive: number, error = driveUnavailable('bucket', 'no such bucket here')): () => void {
  const body = world.drives[drive] as unknown as Record<string, unknown>;
  for (const call of CALLS) body[call] = () => Promise.reject(error);
  return () => {
    for (const call of CALLS) delete body[call];
  };
}

async function stageOf() {
  const { world: made, model } = await prepared;
  const world = made.clone();
  const stage = new Stage(world);
  /** As the schedule does it: a look, and then time passes. */
  const look = async () => {
    const { drives } = await stage.invoke('drainer', { watch: true });
    world.clock.advance(SCHEDULE_MINUTES.drainer * MINUTE_MS);
    return drives as Record<'away' | 'lost' | 'returned' | 'asks', number[]>;
  };
  const states = async () => [...(await readDriveRows(world.start().components)).values()];
  const used = [...new Set((await heldIn(world)).flatMap(({ extents }) => extents.map(({ drive }) => drive)))];
  return { world, stage, look, states, used, model };
}

const heldIn = async (world: World) => (await listVolumes(world.panda, 'c0')).filter(({ buckets }) => buckets.size > 0);

describe('a bucket that does not answer', () => {
  it('is away, then lost, and what lay there is made again; it is back when it answers', async () => {
    const { world, stage, look, states, used, model } = await stageOf();
    const drive = used[0] as number;
    const back = away(world, drive);
    expect(await look()).toEqual({ away: [drive], lost: [], returned: [], asks: [] });
    expect(await look()).toMatchObject({ away: [drive], lost: [] });
    expect(await look()).toMatchObject({ away: [], lost: [drive] });
    const passes = ((await stage.invoke('planner'))['runs'] as { run: string }[]).map(({ run }) => run);
    expect(passes[0]).toBe('repair/pass/1');
    for (const run of passes.filter((one) => one.startsWith('repair/'))) await stage.invoke('compactor', { run });
    expect((await planRepair(world.start().volumes)).repairs).toEqual([]);
    // Nothing of it is held any more.
    expect(await look()).toEqual({ away: [], lost: [], returned: [], asks: [] });
    expect((await states())[0]).toMatchObject({ drive, state: 'lost' });
    back();
    expect(await look()).toMatchObject({ returned: [drive] });
    await expectUndamaged(world.start());
    await expectSound(world.start());
    await model.expectIn(world.start());
  });

  it('comes back by itself before anything of it was moved', async () => {
    const { world, look, states, used } = await stageOf();
    const drive = used[1] as number;
    const back = away(world, drive);
    for (let i = 0; i < 3; i++) await look();
    expect((await states())[0]).toMatchObject({ drive, state: 'lost' });
    back();
    expect(await look()).toMatchObject({ returned: [drive] });
    expect((await states())[0]).toMatchObject({ drive, state: 'active' });
  });

  it('is waited for if it is only busy, and no command looks', async () => {
    const { world, stage, look, used } = await stageOf();
    away(world, used[0] as number, driveBusy('bucket', 'S3 answered SlowDown'));
    for (let i = 0; i < 4; i++) expect(await look()).toMatchObject({ away: [], lost: [] });
    expect(await stage.invoke('drainer')).not.toHaveProperty('drives');
  });

  it('is lost by the clock only if few are; of the others a person is asked', async () => {
    const { world, look, states, used } = await stageOf();
    const most = lossesMax(world.start().components);
    for (const drive of used.slice(0, most + 2)) away(world, drive);
    const reports = [];
    for (let i = 0; i < 5; i++) reports.push(await look());
    expect(reports.flatMap(({ lost }) => lost)).toHaveLength(most);
    expect(reports.at(-1)?.asks).toHaveLength(2);
    expect((await states()).filter(({ state }) => state === 'lost')).toHaveLength(most);
  });
});
