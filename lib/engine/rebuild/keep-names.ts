// The names of the backup whose blocks are all there, with their block lists; for every other name why not. Counts the
// references on the way.
import type { BlockId } from '../../foundation/ids.ts';
import { LOST_OBJECTS_LISTED_MAX } from '../../limits/engine.ts';
import type { Row } from '../../panda/panda.ts';
import { type ObjectRow, objectAttributes, objectFromRow, segmentFromRow } from '../../panda/rows/object-row.ts';
import type { BackupSource } from './backup-source.ts';
import type { Sorter } from './sorter.ts';

/** An object of the backup that cannot be restored, and why. */
export interface LostObject {
  readonly namespace: string;
  readonly key: string;
  readonly reason: string;
}

export interface KeptNames {
  objects: number;
  lostObjects: number;
  readonly lost: LostObject[];
}

/** By reason, how many blocks of an object cannot be had. */
type Losses = ReadonlyMap<string, number>;

const SEGMENTS = 'segment/';

/**
 * Yields the rows that stay; `kept` is complete at the end. Names beyond a bound are only counted, and told to
 * `onLost`.
 */
export async function* keepNames(
  sorter: Sorter,
  backup: BackupSource,
  kept: KeptNames,
  onLost: (object: LostObject) => void = () => {},
): AsyncGenerator<Row> {
  for await (const row of backup.rows([SEGMENTS])) noteList(sorter, row);
  for await (const row of backup.rows(['object/'])) {
    const object = objectFromRow(row);
    if (isVoid(sorter, object)) continue;
    const reason = whyLost(sorter, object);
    if (reason === undefined) {
      kept.objects += 1;
      for (const id of object.blocks ?? []) refer(sorter, id);
      if (object.segments !== undefined) sorter.run('UPDATE lists SET isKept = 1 WHERE version = ?', object.version);
      yield object.isNamed ? counted(row, object) : row;
    } else {
      const { namespace, key } = object;
      kept.lostObjects += 1;
      if (kept.lost.length < LOST_OBJECTS_LISTED_MAX) kept.lost.push({ namespace, key, reason });
      onLost({ namespace, key, reason });
    }
  }
  for await (const row of backup.rows([SEGMENTS])) {
    const list = sorter.get<{ isKept: number }>('SELECT isKept FROM lists WHERE version = ?', versionOf(row));
    if (list?.isKept !== 1) continue;
    for (const id of segmentFromRow(row).blocks) refer(sorter, id);
    yield row;
  }
}

/** Put plain, and never there: its block does not name it. */
export const isVoid = (sorter: Sorter, { isNamed, blocks, version }: ObjectRow): boolean =>
  isNamed === true &&
  sorter.get('SELECT 1 AS there FROM names WHERE version = ? AND block = ?', version, blocks?.[0] ?? '') === undefined;

/** References are counted anew, so no block names a version any more. */
function counted(row: Row, { isNamed: _, ...object }: ObjectRow): Row {
  return { ...row, attributes: objectAttributes(object) };
}

const versionOf = (row: Row): string => row.partition.slice(SEGMENTS.length);

export const refer = (sorter: Sorter, id: BlockId): void =>
  sorter.run('UPDATE placed SET refs = refs + 1 WHERE block = ?', id);

function noteList(sorter: Sorter, row: Row): void {
  const version = versionOf(row);
  const { blocks } = segmentFromRow(row);
  sorter.run(
    'INSERT INTO lists VALUES (?, 1, ?, 0) ON CONFLICT (version) DO UPDATE SET parts = parts + 1, blocks = blocks + excluded.blocks',
    version,
    blocks.length,
  );
  for (const [reason, count] of lossesOf(sorter, blocks))
    sorter.run(
      'INSERT INTO listLosses VALUES (?, ?, ?) ON CONFLICT (version, reason) DO UPDATE SET blocks = blocks + excluded.blocks',
      version,
      reason,
      count,
    );
}

export function lossesOf(sorter: Sorter, blocks: readonly BlockId[]): Map<string, number> {
  const losses = new Map<string, number>();
  for (const id of blocks) {
    if (sorter.get('SELECT 1 AS there FROM placed WHERE block = ?', id) !== undefined) continue;
    const known = sorter.get<{ reason: string }>('SELECT reason FROM unplaced WHERE block = ?', id);
    const reason = known?.reason ?? 'not found';
    losses.set(reason, (losses.get(reason) ?? 0) + 1);
  }
  return losses;
}

/** A line for people, or undefined if all of the object is there. */
function whyLost(sorter: Sorter, { blocks, segments, version }: ObjectRow): string | undefined {
  if (blocks !== undefined) return lossText(lossesOf(sorter, blocks), blocks.length);
  const list = sorter.get<{ parts: number; blocks: number }>(
    'SELECT parts, blocks FROM lists WHERE version = ?',
    version,
  );
  const rows = sorter.all<{ reason: string; blocks: number }>(
    'SELECT reason, blocks FROM listLosses WHERE version = ?',
    version,
  );
  const lost = lossText(new Map(rows.map(({ reason, blocks: count }) => [reason, count])), list?.blocks ?? 0);
  return lost ?? (list?.parts === segments ? undefined : 'its block list is incomplete');
}

const TEXTS: Readonly<Record<string, string>> = {
  shredded: 'shredded',
  'too few columns': 'on too few of the drives that are there',
  'not found': 'on no drive that is there',
};

function lossText(losses: Losses, blocks: number): string | undefined {
  const gone = [...losses.values()].reduce((sum, count) => sum + count, 0);
  if (gone === 0) return undefined;
  const parts = [...losses].map(([reason, count]) => `${count} ${TEXTS[reason] ?? reason}`);
  return `${gone} of ${blocks} blocks cannot be had: ${parts.join(', ')}`;
}
