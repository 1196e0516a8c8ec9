// The table of a stage is lost, and drives with it: what the others give back holds all that was acknowledged; and it is all rows as they were last, once
// what was left in the stream has been shipped.
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { keyText } from '../../../lib/panda/sort-order.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import { deliverAll } from '../actors/streamer.ts';
import { expectSameRows, givenBack } from '../checkers/drives-left.ts';
import { expectAcknowledged, stageCursor } from '../checkers/streamed.ts';
import type { FromDrives } from './second-restore.ts';

/** Above the numbers of a plan's processes. */
const DRAINER = 48;

/** Undefined if nothing was ever written, nor shipped. */
export async function backFromStream(world: SimWorld): Promise<FromDrives | undefined> {
  const { stream } = world;
  if (stream === undefined) return undefined;
  const random = new SeededRandomness(world.plan.seed * 100 + 78);
  await expectAcknowledged(world, random);
  await deliverAll(world, world.start('drains', DRAINER), random);
  const last = await stageCursor(world);
  if (last === undefined) return undefined;
  const { rows, epochSeen } = await givenBack(world, last, random);
  const shipped = (all: readonly Row[]): Row[] => all.filter((row) => !stream.isUnshipped(row));
  const wanted = new Map(shipped(world.server.rows.snapshot()).map((row) => [keyText(row), row]));
  expectSameRows(wanted, shipped(rows.snapshot()), 'all that was streamed');
  world.coverage.point('stream', 'restored to the last');
  return { rows, step: world.scheduler.steps, epochSeen, cursor: last };
}
