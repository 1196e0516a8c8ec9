// Doctor's passes, beside everything: a recount of the rows as of one moment, which must find nothing wrong at any moment, and a look at every object
// that must be on the drives, which notes what is damaged and takes back what is not.
import { findRowFaults } from '../../../lib/engine/doctor/doctor-rows.ts';
import { findVolumeFaults } from '../../../lib/engine/doctor/doctor-volumes.ts';
import { hasLeftovers } from '../../../lib/engine/upkeep/end-dead-work.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { Findings } from '../../../lib/verify/findings.ts';
import { lookAtDrives } from '../../../lib/volume/behind/newer-chunks.ts';
import { Violation } from '../checkers/violation.ts';
import type { Acting, SimWorld } from './sim-world.ts';

export async function examine(
  world: SimWorld,
  { components, volumes }: Acting,
  random: SeededRandomness,
): Promise<void> {
  const rows = new Findings();
  await findRowFaults({ ...components, panda: world.server.rows.clone(), keks: world.keks }, rows);
  const [wrong] = rows.list.filter(({ severity }) => severity === 'wrong' || severity === 'lost');
  if (wrong !== undefined) throw new Violation('wrong', `doctor, of the rows at one moment: ${wrong.message}`);
  const away = new Set(world.disks.flatMap(({ state }, id) => (state === 'away' ? [id] : [])));
  // What it says of the drives is judged at rest: while calls fail, much seems lost.
  await findVolumeFaults(volumes, away, new Findings(), { read: random.below(2) === 0 });
  await lookAtDrives(components);
  await hasLeftovers(volumes);
}
