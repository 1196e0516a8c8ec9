// What befalls drives and clocks at times of the plan. Drives that are struck are few enough for what the code promises: what is lost on them
// is rebuilt from the others.

import { lossesMax } from '../../../lib/engine/drives/watch-drives.ts';
import { chunkName } from '../../../lib/format/chunk.ts';
import { SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';
import { zoneFromRow } from '../../../lib/panda/rows/zone-row.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';
import type { Disaster } from './profile.ts';

const HOUR_MS = 3_600_000;
/** Longer than any grace or quarantine. */
const DAYS_MS = 240 * HOUR_MS;
const OBJECTS_MAX = 12;

export function scheduleDisasters(world: SimWorld): void {
  for (const [number, disaster] of world.plan.disasters.entries())
    world.scheduler.schedule(disaster.atMs * 1000, number, undefined, () => strike(world, disaster, number));
}

function strike(world: SimWorld, { kind, forMs }: Disaster, number: number): void {
  const { struckDrives } = world.plan;
  const random = new SeededRandomness(world.plan.seed * 100 + number);
  const drive = struckDrives[random.below(struckDrives.length)] as number;
  const disk = world.disks[drive] as Disk;
  if (world.injector.isOver || world.injector.faults >= world.plan.faultsMax) return;
  world.injector.note(kind);
  world.trace.note(`${world.scheduler.nowUs} ${kind} ${disk.label}`);
  const later = (run: () => void): void => world.scheduler.schedule(forMs * 1000, number, undefined, run);
  if (kind === 'cable') unplug(world, forMs, number, random);
  else if (kind === 'away' || kind === 'full' || kind === 'read-only') {
    disk.state = kind;
    later(() => {
      disk.state = 'healthy';
    });
  } else if (kind === 'old') {
    disk.remember();
    world.lossyDrives.add(drive);
    later(() => {
      disk.goBack();
    });
  } else if (kind === 'wipe') {
    world.lossyDrives.add(drive);
    while (disk.lose(random));
  } else if (kind === 'rot' || kind === 'lose') {
    world.lossyDrives.add(drive);
    for (let i = 0; i <= random.below(OBJECTS_MAX); i++) disk[kind](random);
    if (world.plan.ships !== undefined) disk.strikeShelf(kind, random);
  } else if (kind === 'stray') leaveStray(world, drive, random);
  else if (kind === 'clock') jump(world, random);
  else if (kind === 'week') world.weekPasses();
  else for (const process of alive(world).slice(0, 2)) process.die();
}

/** What hangs on one cable is away, and comes back together. */
function unplug(world: SimWorld, forMs: number, number: number, random: SeededRandomness): void {
  const more = lossesMax(world) + 1;
  const disks = shuffled([...world.disks], random).filter(({ state }) => state === 'healthy');
  const unplugged = disks.slice(0, more);
  for (const disk of unplugged) disk.state = 'away';
  world.scheduler.schedule(forMs * 1000, number, undefined, () => {
    for (const disk of unplugged) disk.state = 'healthy';
  });
}

/** In the generation before, of a zone that has had one. */
function leaveStray(world: SimWorld, drive: number, random: SeededRandomness): void {
  const zones = world.server.rows
    .snapshot()
    .flatMap((row) => (row.partition === `zone/${drive}` ? [zoneFromRow(row)] : []));
  const used = zones.filter(({ generation }) => generation > 1);
  const at = used[random.below(Math.max(1, used.length))];
  if (at === undefined) return;
  const { zone, generation } = at;
  (world.disks[drive] as Disk).leave({ zone, generation: generation - 1 }, chunkName(1, 1), random.bytes(40));
}

const alive = (world: SimWorld) => world.processes.filter(({ isDead }) => !isDead);

/** The wall clock of one process, by up to an hour either way, or by days. */
function jump(world: SimWorld, random: SeededRandomness): void {
  const processes = alive(world);
  const process = processes[random.below(Math.max(1, processes.length))];
  if (process !== undefined)
    process.wallOffsetMs =
      random.below(3) === 0 ? random.below(2 * DAYS_MS) - DAYS_MS : random.below(2 * HOUR_MS) - HOUR_MS;
}
