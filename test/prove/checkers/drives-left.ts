// Panda is lost, and as many drives with it as each segment of the journal certainly outlives: what the others give back.
import { putRows } from '../../../lib/engine/backup/put-rows.ts';
import { gatherRows } from '../../../lib/engine/journal/gather-rows.ts';
import { journalCopies } from '../../../lib/engine/ship/store-journal.ts';
import { type SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';
import { type ShelfPlace, Shelves } from '../../../lib/journal/shelves.ts';
import { copiesOf, type Reached, reachedAt, waysOf } from '../../../lib/journal/way.ts';
import type { ShippedTo } from '../../../lib/panda/journal-source.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { encodeAttributes } from '../../../lib/panda/row-encoding.ts';
import { keyText } from '../../../lib/panda/sort-order.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';
import { Violation } from './violation.ts';

export interface GivenBack {
  readonly rows: MemoryPanda;
  readonly reached: Reached;
  readonly epochSeen: number;
}

/** By the drives but those that are lost; these are drawn. */
export async function givenBack(world: SimWorld, cursor: ShippedTo, random: SeededRandomness): Promise<GivenBack> {
  const { storeId, randomness, keks } = world.direct().components;
  const left = placesOf(world.disks, await lostDrives(world, cursor, random));
  let rows = new MemoryPanda({ isSerial: true });
  const fill = async (all: AsyncIterable<Row>): Promise<number> => {
    rows = new MemoryPanda({ isSerial: true });
    return putRows(rows, all);
  };
  const ports = { storeId, randomness, kekOf: (version: number) => keks.kek(version) };
  const { reached, epochSeen } = await gatherRows(ports, new Shelves(left, 1), { atMs: undefined, fill });
  return { rows, reached, epochSeen };
}

/**
 * Those on which something was lost, and others, up to as many as leave one with a copy: often just those that have the segment that the fewest have of
 * all that lead to what was shipped last.
 */
async function lostDrives(world: SimWorld, cursor: ShippedTo, random: SeededRandomness): Promise<readonly number[]> {
  const { settings, disks, lossyDrives } = world;
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
    without.includes(drive) ? [] : [{ drive, shelf: disk.medium, domain: `${drive}`, isActive: false }],
  );

export function expectSameRows(wanted: ReadonlyMap<string, Row>, found: readonly Row[], of: string): void {
  const wrong = (row: string, what: string): never => {
    throw new Violation('wrong', `restored as of ${of}, row ${row} is ${what}`);
  };
  for (const row of found) {
    const was = wanted.get(keyText(row));
    if (was === undefined) wrong(keyText(row), 'there, and was not');
    else if (encodeAttributes(was.attributes) !== encodeAttributes(row.attributes)) wrong(keyText(row), 'another one');
  }
  const there = new Set(found.map(keyText));
  for (const key of wanted.keys()) if (!there.has(key)) wrong(key, 'not there, and was');
}
