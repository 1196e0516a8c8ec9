// What befalls drives and clocks at times of the plan. Drives that are struck are few enough for what the code promises: what is lost on them
// is rebuilt from the others.

import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';
import type { Disaster } from './profile.ts';

const HOUR_MS = 3_600_000;
const OBJECTS_MAX = 12;

export function scheduleDisasters(world: SimWorld): void {
  for (const [number, disaster] of world.plan.disasters.entries())
    world.scheduler.schedule(disaster.atMs * 1000, number, undefined, () => strike(world, disaster, number));
}

function strike(world: SimWorld, { kind, forMs }: Disaster, number: number): void {
  const { struckDrives } = world.plan;
  const random = new SeededRandomness(world.plan.seed * 100 + number);
  const disk = world.disks[struckDrives[random.below(struckDrives.length)] as number] as Disk;
  if (world.injector.isOver || world.injector.faults >= world.plan.faultsMax) return;
  world.injector.note(kind);
  world.trace.note(`${world.scheduler.nowUs} ${kind} ${disk.label}`);
  const later = (run: () => void): void => world.scheduler.schedule(forMs * 1000, number, undefined, run);
  if (kind === 'away' || kind === 'full' || kind === 'read-only') {
    disk.state = kind;
    later(() => {
      disk.state = 'healthy';
    });
  } else if (kind === 'old') {
    disk.remember();
    later(() => {
      disk.goBack();
    });
  } else if (kind === 'rot' || kind === 'lose') {
    for (let i = 0; i <= random.below(OBJECTS_MAX); i++) disk[kind](random);
  } else if (kind === 'clock') jump(world, random);
  else for (const process of alive(world).slice(0, 2)) process.die();
}

const alive = (world: SimWorld) => world.processes.filter(({ isDead }) => !isDead);

/** The wall clock of one process, by up to an hour either way. */
function jump(world: SimWorld, random: SeededRandomness): void {
  const processes = alive(world);
  const process = processes[random.below(Math.max(1, processes.length))];
  if (process !== undefined) process.wallOffsetMs = random.below(2 * HOUR_MS) - HOUR_MS;
}
