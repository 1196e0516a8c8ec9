// What keeps the store: GC, freeing, recovery of what dead processes left, counting and looking, and the keys.

import { EngineAdmin } from '../../../lib/client/engine-admin.ts';
import { shipStageSnapshot } from '../../../lib/engine/journal/stage-batch.ts';
import { collectStatus } from '../../../lib/engine/status/collect-status.ts';
import { findDriveFaults } from '../../../lib/engine/status/drive-faults.ts';
import { recover } from '../../../lib/engine/upkeep/end-dead-work.ts';
import { tend } from '../../../lib/engine/upkeep/reclaim.ts';
import { sweepStage } from '../../../lib/engine/upkeep/stage-tasks.ts';
import { emptyTrash } from '../../../lib/engine/upkeep/tend.ts';
import { tune } from '../../../lib/engine/upkeep/tune.ts';
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { abandonUploads } from '../../../lib/frontend/release-references.ts';
import { collectGarbage } from '../../../lib/gc/collect-garbage.ts';
import { volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import { Findings } from '../../../lib/verify/findings.ts';
import { sweepStrays } from '../../../lib/volume/behind/sweep.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import type { BodyId } from '../model/bodies.ts';
import type { Disk } from '../ports/disk.ts';
import { put, remove } from './client.ts';
import { putPlain } from './crowd.ts';
import { examine } from './doctor.ts';
import { timeUp } from './mover.ts';
import { NAMESPACE } from './names.ts';
import { type Acting, engineOf, type SimWorld } from './sim-world.ts';
import { shelfAtOf } from './streamer.ts';
import { verify } from './verifier.ts';

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;

const adminOf = (acting: Acting): EngineAdmin => new EngineAdmin(async () => engineOf(acting), NAMESPACE);

export const KEEPER: Readonly<Record<string, Act>> = {
  gc: async (_, { components }) => {
    await collectGarbage(components);
  },
  'empty-trash': async (_, { volumes }) => {
    await emptyTrash({ volumes });
  },
  // Blocks die, come back, die for good and are stored anew.
  recycle: async (world, acting, random) => {
    const name = `hot${random.below(world.plan.hotKeys)}`;
    const { first } = world.plan.bodies;
    for (let round = 0; round < 2; round++) {
      await put(world, acting, [name], random, () => first);
      await remove(world, acting, [name]);
      if (round === 0) await collectGarbage(acting.components);
    }
  },
  'delete-gc': async (world, acting, random) => {
    const names = world.history
      .keys()
      .filter((name) => !name.includes(':') && (name.startsWith('hot') || random.below(6) === 0));
    await remove(world, acting, names);
    await collectGarbage(acting.components);
  },
  'delete-all-gc': async (world, acting, random) => {
    await remove(world, acting, world.history.keys());
    await collectGarbage(acting.components);
    await recover(acting.volumes, acting.frontend, { keepRuns: random.below(2) === 0 });
  },
  // All that lies where buckets were moved to is lost, beyond anything that the code survives.
  wreck: async (world) => {
    if (!world.plan.isBeyondPromise || world.injector.isOver) return;
    for (const row of world.server.rows.snapshot()) {
      const volume = row.partition.startsWith('volume/') ? volumeFromRow(row) : undefined;
      if (volume?.class !== 'warm' || volume.state === 'trash' || volume.state === 'erasing') continue;
      for (const { drive, zone, zoneGeneration } of volume.extents) {
        world.lossyDrives.add(drive);
        (world.disks[drive] as Disk).loseAll({ zone, generation: zoneGeneration });
      }
    }
  },
  // Of processes that have not come to an end for a week.
  'abandon-old': async (world, { components }) => {
    world.weekPasses();
    await abandonUploads(components);
  },
  // What dead processes were to put is void, and a week later nothing of it can come.
  'void-ends': async (world, { components, volumes, frontend }, random) => {
    await components.clock.sleep(random.below(1000));
    for (let round = 0; round < 2; round++) {
      world.weekPasses();
      await recover(volumes, frontend, { keepRuns: true });
    }
    await collectGarbage(components);
  },
  // A block that two objects have outlives the one that named it.
  'name-back': async (world, acting, random) => {
    const { names, bodies } = await putPlain(world, acting, random);
    const first = names[0] as string;
    await put(world, acting, [`${first}-too`], random, () => bodies[0] as BodyId);
    await remove(world, acting, [first]);
    await collectGarbage(acting.components);
  },
  free: async (_, { volumes }, random) => {
    await freeTrash(volumes, { ignoreGrace: random.below(4) === 0 });
  },
  recover: async (_, { volumes, frontend }, random) => {
    await recover(volumes, frontend, { keepRuns: random.below(2) === 0, sweep: random.below(3) === 0 });
  },
  sweep: async (_, { volumes }) => {
    await sweepStrays(volumes);
  },
  tune: async (_, { components }) => {
    await tune(components);
  },
  examine: async (_, { volumes }) => {
    await findDriveFaults(volumes, new Findings());
  },
  doctor: async (world, acting, random) => {
    await examine(world, acting, random);
    await verify(world, acting, random);
  },
  'sweep-stage': async (_, acting, random) => {
    const signal = timeUp(acting, 200 + random.below(20_000));
    await sweepStage(acting.volumes, { now: random.below(4) === 0, signal });
  },
  tend: async (_, acting) => {
    await tend(engineOf(acting));
  },
  status: async (_, { components, queue }, random) => {
    await collectStatus(components, { queue, ...(random.below(2) === 0 ? { countObjectsOf: NAMESPACE } : {}) });
  },
};

export const KEYS: Readonly<Record<string, Act>> = {
  rotate: async (_, acting) => {
    await adminOf(acting).rotateKeys();
  },
  rewrap: async (_, acting) => {
    await adminOf(acting).rewrapKeys();
  },
  // A new version, everything wrapped by it, and the one before destroyed.
  replace: async (world, acting) => {
    await adminOf(acting).rotateKeys();
    await destroyOldest(world, acting);
  },
  destroy: destroyOldest,
  count: async (_, acting) => {
    await adminOf(acting).keys();
  },
};

export async function destroyOldest(world: SimWorld, acting: Acting): Promise<void> {
  const oldOf = async () => (await world.keks.versions()).find(({ state }) => state === 'previous');
  if ((await oldOf()) === undefined) await adminOf(acting).rotateKeys();
  const old = await oldOf();
  if (old === undefined) return;
  try {
    const before = world.stream === undefined ? undefined : () => snapshotOf(world, acting);
    await adminOf(acting).destroyKey(old.version, before);
  } catch (error) {
    if (!isPocketfulError(error) || error.code !== 'KEY_IN_USE') throw error;
  }
}

/** What was shipped is under the new key before the old one goes. */
async function snapshotOf(world: SimWorld, acting: Acting): Promise<void> {
  await shipStageSnapshot(acting.components, shelfAtOf(world, acting));
}
