// The drives are restored from once more: as the first restore was cut off while it shipped its rows, or as all was lost again after it had gone on. Each
// time they give back the rows of one COMMIT, of the newest epoch that is there.

import { epochSeenOn } from '../../../lib/engine/ship/epoch-seen.ts';
import { journalCopies } from '../../../lib/engine/ship/store-journal.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { type ShelfPlace, Shelves } from '../../../lib/journal/shelves.ts';
import { ship } from '../../../lib/journal/ship.ts';
import { tendLadder } from '../../../lib/journal/tend.ts';
import type { ShippedTo } from '../../../lib/panda/journal-source.ts';
import type { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import { keyText } from '../../../lib/panda/sort-order.ts';
import { raiseAboveDrives } from '../../../lib/volume/behind/raise-above-drives.ts';
import { currentKek } from '../../../lib/volume/rows/known-keks.ts';
import type { MemoryShelf } from '../../journal/memory-shelf.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import { expectSameRows, givenBack } from '../checkers/drives-left.ts';
import { Violation } from '../checkers/violation.ts';
import { CommitLog } from '../journal/commit-log.ts';
import type { Saved } from './put-back.ts';

class CutOff extends Error {}

/** What was given back, and from which epoch on nothing of it may be taken for newer. */
export interface FromDrives extends Saved {
  readonly epochSeen: number;
  /** Of the ladder it came from. */
  readonly cursor: ShippedTo;
}

/** Half of the restores die while they ship what they restored: the next one finds that, or what was there before. */
export async function restoredAgain(world: SimWorld, first: FromDrives): Promise<FromDrives> {
  const random = new SeededRandomness(world.plan.seed * 100 + 79);
  if (random.below(2) === 0) return first;
  const { components } = world.direct();
  const panda = first.rows.clone();
  const { epoch } = await raiseAboveDrives({ ...components, panda }, first.epochSeen);
  const log = logOf(world, panda);
  const puts = random.below(journalCopies(world.settings) + 1);
  await ship(portsOf(world, log, puts)).catch((error: unknown) => {
    if (!(error instanceof CutOff)) throw error;
  });
  const { rows, reached, epochSeen } = await givenBack(world, first.cursor, random);
  const isNew = reached.epoch === epoch;
  expectSameRows(byKey(isNew ? panda : first.rows), rows.snapshot(), `epoch ${reached.epoch}, by a second restore`);
  world.coverage.point('second restore', isNew ? 'of the first' : 'of before it');
  const seen = Math.max(epochSeen, first.epochSeen);
  return { rows, step: first.step, epochSeen: seen, cursor: first.cursor, isRaised: isNew };
}

/** From now on what was restored is shipped, as on a machine. */
export async function shipsOn(world: SimWorld): Promise<CommitLog> {
  const log = new CommitLog(new SeededRandomness(world.plan.seed * 100 + 82));
  // A key version that has no row yet gets one.
  await currentKek(world.direct().components);
  world.journalInto(log);
  await ship(portsOf(world, log));
  return log;
}

/** All that was done since is shipped, and everything lost once more. */
export async function lostAgain(world: SimWorld, log: CommitLog): Promise<void> {
  const ports = portsOf(world, log);
  await ship(ports);
  await tendLadder(ports);
  const { cursor } = log;
  if (cursor === undefined) throw new Violation('wrong', 'a store that was restored has shipped nothing');
  const { rows, reached } = await givenBack(world, cursor, new SeededRandomness(world.plan.seed * 100 + 80));
  const { epoch, point } = reached;
  if (epoch !== cursor.epoch || point.sequence !== cursor.sequence)
    throw new Violation(
      'wrong',
      `the drives lead to ${epoch}/${point.sequence}, and ${cursor.epoch}/${cursor.sequence} was shipped`,
    );
  expectSameRows(byKey(world.server.rows), rows.snapshot(), `COMMIT ${point.sequence} of epoch ${epoch}`);
  world.coverage.point('second restore', 'after all was lost again');
}

/**
 * Rows from before the first restore, as of a backup, are put back when the drives have been restored from and written to:
 * what is shipped from then on is the newest all the same.
 */
export async function backToBefore(world: SimWorld, before: MemoryPanda): Promise<void> {
  const { components } = world.direct();
  const panda = before.clone();
  const shelves = new Shelves(placesOf(world), journalCopies(world.settings));
  const { epoch } = await raiseAboveDrives({ ...components, panda }, await epochSeenOn(shelves));
  const log = logOf(world, panda);
  await ship(portsOf(world, log));
  const { cursor } = log;
  if (cursor === undefined) throw new Violation('wrong', 'a backup that was put back has shipped nothing');
  const { rows, reached } = await givenBack(world, cursor, new SeededRandomness(world.plan.seed * 100 + 83));
  if (reached.epoch !== epoch)
    throw new Violation('wrong', `the drives lead to epoch ${reached.epoch}, and ${epoch} is the newest`);
  expectSameRows(byKey(panda), rows.snapshot(), `epoch ${epoch}, a backup of before`);
  world.coverage.point('second restore', 'of a backup from before the first');
}

const byKey = (panda: MemoryPanda) => new Map(panda.snapshot().map((row) => [keyText(row), row]));

function logOf(world: SimWorld, panda: MemoryPanda): CommitLog {
  const log = new CommitLog(new SeededRandomness(world.plan.seed * 100 + 81));
  log.note(panda.snapshot(), world.direct().components.clock.nowMs(), world.scheduler.steps);
  return log;
}

const placesOf = ({ disks }: SimWorld): ShelfPlace[] =>
  disks.map(({ medium }, drive) => ({ drive, domain: `${drive}`, isActive: true, shelf: medium }));

/** `puts`: after so many of them whoever ships dies. */
function portsOf(world: SimWorld, log: CommitLog, puts = Number.POSITIVE_INFINITY) {
  const { components } = world.direct();
  const { storeId, randomness, clock, owner, keks } = components;
  let left = puts;
  const shelfOf = (medium: MemoryShelf) =>
    Object.assign(Object.create(medium) as MemoryShelf, {
      put: (...args: Parameters<MemoryShelf['put']>) =>
        left-- > 0 ? medium.put(...args) : Promise.reject(new CutOff()),
      read: medium.read.bind(medium),
      list: medium.list.bind(medium),
      remove: medium.remove.bind(medium),
    });
  const places = placesOf(world).map((place) => ({ ...place, shelf: shelfOf(place.shelf as MemoryShelf) }));
  return {
    ...{ storeId, randomness, clock, owner },
    source: log.source(),
    isOwnerGone: () => true,
    shelvesOf: () => new Shelves(places, journalCopies(world.settings)),
    kekOf: (version: number) => keks.kek(version),
    currentKek: () => currentKek(components),
  };
}
