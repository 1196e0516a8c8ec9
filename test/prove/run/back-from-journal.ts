// Panda is lost, and drives with it. What the others give back are the rows exactly as they were at some COMMIT, and not at one before the last that was
// shipped.
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import { expectSameRows, givenBack } from '../checkers/drives-left.ts';
import { Violation } from '../checkers/violation.ts';
import type { FromDrives } from './second-restore.ts';

/** Undefined if nothing was ever shipped. */
export async function backFromJournal(world: SimWorld): Promise<FromDrives | undefined> {
  const { commits } = world;
  const cursor = commits?.cursor;
  if (commits === undefined || cursor === undefined) return undefined;
  const { rows, reached, epochSeen } = await givenBack(world, cursor, new SeededRandomness(world.plan.seed * 100 + 77));
  const { sequence, mark } = reached.point;
  const commit = commits.commitAt(sequence);
  if (commit?.mark !== mark) throw new Violation('wrong', `the drives lead to ${sequence}.${mark}, which never was`);
  if (sequence < cursor.sequence)
    throw new Violation('wrong', `the drives lead to COMMIT ${sequence}, and ${cursor.sequence} was shipped`);
  expectSameRows(commits.rowsAt(sequence), rows.snapshot(), `COMMIT ${sequence}`);
  world.coverage.point('journal', 'restored');
  return { rows, step: commit.step, epochSeen, cursor };
}
