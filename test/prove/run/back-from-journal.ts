// Panda is lost, and as many drives with it as each segment of the journal certainly outlives. What the others give back are the rows exactly as they
// were at some COMMIT, and not at one before the last that was shipped.
import { putRows } from '../../../lib/engine/backup/put-rows.ts';
import { gatherRows } from '../../../lib/engine/journal/gather-rows.ts';
import { journalCopies } from '../../../lib/engine/ship/store-journal.ts';
import { SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';
import { type ShelfPlace, Shelves } from '../../../lib/journal/shelves.ts';
import { copiesOf, reachedAt, waysOf } from '../../../lib/journal/way.ts';
import type { ShippedTo } from '../../../lib/panda/journal-source.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { encodeAttributes } from '../../../lib/panda/row-encoding.ts';
import { keyText } from '../../../lib/panda/sort-order.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import { Violation } from '../checkers/violation.ts';
import type { Disk } from '../ports/disk.ts';
import type { Saved } from './put-back.ts';

/** Undefined if nothing was ever shipped. */
export async function backFromJournal(world: SimWorld): Promise<Saved | undefined> {
  const { commits } = world;
  const cursor = commits?.cursor;
  if (commits === undefined || cursor === undefined) return undefined;
  const { storeId, randomness, keks } = world.direct().components;
  const left = placesOf(world.disks, await lostDrives(world, cursor));
  let rows = new MemoryPanda({ isSerial: true });
  const fill = async (all: AsyncIterable<Row>): Promise<number> => {
    rows = new MemoryPanda({ isSerial: true });
    return putRows(rows, all);
  };
  const ports = { storeId, randomness, kekOf: (version: number) => keks.kek(version) };
  const { reached } = await gatherRows(ports, new Shelves(left, 1), { atMs: undefined, fill });
  const { sequence, mark } = reached.point;
  const commit = commits.commitAt(sequence);
  if (commit?.mark !== mark) throw new Violation('wrong', `the drives lead to ${sequence}.${mark}, which never was`);
  if (sequence < cursor.sequence)
    throw new Violation('wrong', `the drives lead to COMMIT ${sequence}, and ${cursor.sequence} was shipped`);
  expectSameRows(commits.rowsAt(sequence), rows.snapshot(), sequence);
  world.coverage.point('journal', 'restored');
  return { rows, step: commit.step };
}

/**
 * Those on which something was lost, and others, up to as many as leave one with a copy: often just those that have the segment that the fewest have of
 * all that lead to what was shipped last.
 */
async function lostDrives(world: SimWorld, cursor: ShippedTo): Promise<readonly number[]> {
  const { plan, settings, disks, lossyDrives } = world;
  const random = new SeededRandomness(plan.seed * 100 + 77);
  const holders = random.below(4) === 0 ? [] : await holdersOfRarest(world, cursor);
  const order = [...new Set([...lossyDrives, ...shuffled(holders, random), ...shuffled([...disks.keys()], random)])];
  const most = Math.min(journalCopies(settings), disks.length) - 1;
  return order.slice(0, Math.max(lossyDrives.size, random.below(4) === 0 ? random.below(most + 1) : most));
}

async function holdersOfRarest({ disks }: SimWorld, cursor: ShippedTo): Promise<readonly number[]> {
  const { segments } = await new Shelves(placesOf(disks, []), 1).list();
  const way = reachedAt(waysOf(segments), cursor.epoch, cursor)?.way ?? [];
  const [rarest] = way.toSorted((a, b) => copiesOf(a) - copiesOf(b));
  return rarest?.parts[0]?.drives ?? [];
}

const placesOf = (disks: readonly Disk[], without: readonly number[]): ShelfPlace[] =>
  disks.flatMap((disk, drive) =>
    without.includes(drive) ? [] : [{ drive, shelf: disk.shelf(), domain: `${drive}`, isActive: false }],
  );

function expectSameRows(wanted: ReadonlyMap<string, Row>, found: readonly Row[], sequence: number): void {
  const wrong = (row: string, what: string): never => {
    throw new Violation('wrong', `restored as of COMMIT ${sequence}, row ${row} is ${what}`);
  };
  for (const row of found) {
    const was = wanted.get(keyText(row));
    if (was === undefined) wrong(keyText(row), 'there, and was not');
    else if (encodeAttributes(was.attributes) !== encodeAttributes(row.attributes)) wrong(keyText(row), 'another one');
  }
  const there = new Set(found.map(keyText));
  for (const key of wanted.keys()) if (!there.has(key)) wrong(key, 'not there, and was');
}
