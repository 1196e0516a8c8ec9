// Panda is lost, and what was saved of it in the middle of the run comes back: first as it is, which has to be noticed before anything is written; then by
// a restore, or by a rebuild from the drives. What was acknowledged before is there, or is named as lost with good reason.
// Backups are files of SQLite's; here they are the rows of one moment, and what a restore does to a new Panda is done to one in memory.
import { checkPlaces } from '../../../lib/engine/backup/check-places.ts';
import { putRows } from '../../../lib/engine/backup/put-rows.ts';
import type { BackupSource } from '../../../lib/engine/rebuild/backup-source.ts';
import type { LostObject } from '../../../lib/engine/rebuild/keep-names.ts';
import { Rebuild } from '../../../lib/engine/rebuild/rebuild.ts';
import { Sorter } from '../../../lib/engine/rebuild/sorter.ts';
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import { Frontend } from '../../../lib/frontend/frontend.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import { behindError, lookAtDrives, refuseIfBehind } from '../../../lib/volume/behind/newer-chunks.ts';
import { raiseAboveDrives } from '../../../lib/volume/behind/raise-above-drives.ts';
import { sweepStrays } from '../../../lib/volume/behind/sweep.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { nameOf } from '../actors/names.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import { newerThan } from '../checkers/newer.ts';
import { Violation } from '../checkers/violation.ts';
import { bodyOf } from '../model/bodies.ts';

/** The rows of one moment of a run. */
export interface Saved {
  readonly rows: MemoryPanda;
  /** The scheduler's step. */
  readonly step: number;
  /** Of the journal on the drives, if it comes from there. */
  readonly epochSeen?: number;
  /** Of a restore that was raised above the drives already: they tell nothing new. */
  readonly isRaised?: boolean;
}

export const save = (world: SimWorld): Saved => ({ rows: world.server.rows.clone(), step: world.scheduler.steps });

/** After faults have ended, and nothing is under way. False: there is nothing to go on with, as only a rebuild would help. */
export async function putBack(world: SimWorld, saved: Saved, by: 'restore' | 'rebuild'): Promise<boolean> {
  if (saved.isRaised !== true) await expectNoticed(world, saved);
  const lost: LostObject[] = [];
  const rows = by === 'rebuild' ? await rebuilt(world, saved, lost) : await restored(world, saved);
  if (rows === undefined) return false;
  world.restored(rows);
  const names = lost.map(({ namespace, key }) => nameOf(namespace, key));
  const wrong = names.find((name) => !world.mayHaveLost && !world.history.hasChangedSince(name, saved.step));
  if (wrong !== undefined)
    throw new Violation('wrong', `${wrong} cannot be rebuilt, and nobody has changed it since the backup`);
  world.history.goBack(saved.step);
  for (const name of names) world.history.lost(name, world.scheduler.steps);
  expectOneOfEachZone(world.server.rows.snapshot());
  return true;
}

/** Chunks that came late to a zone that had been erased and taken again look like those of a volume. */
function expectOneOfEachZone(rows: readonly Row[]): void {
  const volumes = rows.filter(({ partition }) => partition.startsWith('volume/')).map(volumeFromRow);
  const holders = Map.groupBy(
    volumes.flatMap(({ id, extents }) => extents.map(({ drive, zone }) => ({ id, zone: `${drive}/${zone}` }))),
    ({ zone }) => zone,
  );
  for (const [zone, all] of holders)
    if (all.length > 1) throw new Violation('wrong', `zone ${zone} is of volumes ${all.map(({ id }) => id).join()}`);
}

/** Whoever goes by old rows beside newer drives is refused before he leases, erases or sweeps anything. */
async function expectNoticed(world: SimWorld, { rows, step }: Saved): Promise<void> {
  const { components } = world.direct();
  const old: Components = { ...components, panda: rows.clone(), mayWrite: () => refuseIfBehind(old) };
  const evidence = await newerThan(rows.snapshot(), world);
  const error = behindError(old, await lookAtDrives(old));
  if (evidence !== undefined && error === undefined)
    throw new Violation('wrong', `Panda is older than ${evidence}, and nobody says so`);
  if (error !== undefined && step === world.scheduler.steps)
    throw new Violation('wrong', `the newest Panda: ${error.message}`);
  if (error === undefined) return;
  world.coverage.point('panda behind', 'refused');
  const before = heldBy(world);
  const volumes = new VolumeStore(old);
  const frontend = new Frontend(volumes);
  const attempts = [
    () => frontend.put({ namespace: 'n', key: 'behind', body: bodyOf(7_000_000) }),
    () => encodeHot(volumes, { force: true, flush: true }),
    () => freeTrash(volumes, { ignoreGrace: true }),
    () => sweepStrays(volumes),
  ];
  for (const attempt of attempts)
    await attempt().catch((failed: unknown) => {
      if (!isPocketfulError(failed)) throw failed;
    });
  const after = heldBy(world);
  const gone = [...before].find((name) => !after.has(name));
  if (gone !== undefined) throw new Violation('wrong', `a Panda that is behind has erased ${gone}`);
  // A pack says what is in its volume, whoever writes it.
  const added = [...after].find((name) => !before.has(name) && !name.includes('/pack'));
  if (added !== undefined) throw new Violation('wrong', `a Panda that is behind has written ${added}`);
}

const heldBy = ({ disks }: SimWorld): Set<string> =>
  new Set(
    disks.flatMap((disk) =>
      disk.held().flatMap(({ at, names }) => names.map((name) => `${disk.label}/${at.zone}/${at.generation}/${name}`)),
    ),
  );

const portsOf = (world: SimWorld, panda: MemoryPanda) => ({ ...world.direct().components, panda });

/** As long as what it says is where it says; else that is told, and only a rebuild helps: undefined. */
async function restored(world: SimWorld, saved: Saved): Promise<MemoryPanda | undefined> {
  const panda = new MemoryPanda({ isSerial: true });
  await putRows(panda, sourceOf(saved).rows(['']));
  const { unreadableBuckets } = await checkPlaces(portsOf(world, panda));
  if (unreadableBuckets > 0) {
    world.coverage.point('restore', 'refused');
    return undefined;
  }
  world.coverage.point('restore', 'done');
  await raiseAboveDrives(portsOf(world, panda), saved.epochSeen);
  return panda;
}

async function rebuilt(world: SimWorld, saved: Saved, lost: LostObject[]): Promise<MemoryPanda> {
  const panda = new MemoryPanda({ isSerial: true });
  const { components } = world.direct();
  const sorter = Sorter.open(':memory:');
  try {
    const rebuild = new Rebuild(sorter, {
      settings: world.settings,
      storeId: components.storeId,
      drives: world.disks,
      backup: sourceOf(saved),
      nowMs: components.clock.nowMs(),
      onLost: (object) => lost.push(object),
    });
    await putRows(panda, rebuild.rows());
  } finally {
    await sorter.close();
  }
  world.coverage.point('rebuild', 'done');
  await raiseAboveDrives(portsOf(world, panda));
  return panda;
}

function sourceOf({ rows }: Saved): BackupSource {
  const all = rows.snapshot();
  return {
    async *rows(tables) {
      for (const row of all) if (tables.some((table) => row.partition.startsWith(table))) yield row;
    },
  };
}
