// Per bucket the place that holds most of what is named: one volume, one generation, one move. Records lie there, or
// nowhere.
import type { Sorter } from './sorter.ts';

/** A record in a group that can be decoded, or not, and the block it is, if the backup names it. */
export interface FoundRecord {
  readonly bucket: string;
  readonly move: number;
  readonly volume: string;
  readonly generation: number;
  readonly sequence: number;
  readonly token: number;
  /** Of its group. */
  readonly kind: string;
  readonly isDecodable: number;
  readonly slot: number;
  readonly record: string;
  readonly column: number;
  readonly offset: number;
  readonly length: number;
  readonly block: string | null;
  /** The bucket the backup names for the block. */
  readonly namedBucket: string | null;
}

type Found = FoundRecord & Record<string, string | number | null>;

const EVERY_RECORD = `
SELECT r.bucket, r.move, g.volume, g.generation, g.sequence, g.token, g.kind, g.isDecodable, r.slot, r.record, r.column, r.offset, r.length, n.block,
  n.bucket AS namedBucket
FROM records r CROSS JOIN groups g ON g.id = r.groupId LEFT JOIN named n ON n.record = r.record
ORDER BY r.bucket, r.move, r.groupId, r.slot`;

/** Fills `homes` and `placed`; what is named and cannot be had goes to `unplaced`. */
export function placeRecords(sorter: Sorter): void {
  let bucket: Found[] = [];
  for (const found of sorter.each<Found>(EVERY_RECORD)) {
    if (bucket[0] !== undefined && bucket[0].bucket !== found.bucket) {
      placeBucket(sorter, bucket);
      bucket = [];
    }
    bucket.push(found);
  }
  if (bucket.length > 0) placeBucket(sorter, bucket);
  sorter.run('DELETE FROM unplaced WHERE EXISTS (SELECT 1 FROM placed p WHERE p.block = unplaced.block)');
}

function placeBucket(sorter: Sorter, found: readonly FoundRecord[]): void {
  for (const { record, block, isDecodable } of found) {
    if (block === null) sorter.run('INSERT OR IGNORE INTO unnamed VALUES (?)', record);
    else if (!isDecodable) sorter.run("INSERT OR IGNORE INTO unplaced VALUES (?, 'too few columns')", block);
  }
  const home = chooseHome(found);
  const first = home?.[0];
  if (home === undefined || first === undefined) return; // nothing of it is named: its volume may be freed
  const { bucket, move, volume, generation, sequence, token } = first;
  sorter.run('INSERT INTO homes VALUES (?, ?, ?, ?, ?, ?)', bucket, move, volume, generation, sequence, token);
  for (const place of home) if (place.block !== null) placeBlock(sorter, place, place.block);
}

/**
 * A merge leaves a record in two buckets until the old one is erased: either copy will do, the one the backup names
 * first of all.
 */
function placeBlock(sorter: Sorter, place: FoundRecord, block: string): void {
  const { record, bucket, slot, length, volume, generation, sequence, token, column, offset, namedBucket } = place;
  sorter.run(
    `INSERT INTO placed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (block) DO UPDATE SET bucket = excluded.bucket, slot = excluded.slot,
       length = excluded.length, volume = excluded.volume, generation = excluded.generation, sequence = excluded.sequence, token = excluded.token,
       column = excluded.column, offset = excluded.offset WHERE placed.bucket <> ?`,
    ...[block, record, bucket, slot, length, volume, generation, sequence, token, column, offset, namedBucket],
  );
}

/** The records of the best home of a bucket, given all records of it; undefined if none that is named can be read. */
export function chooseHome(found: readonly FoundRecord[]): readonly FoundRecord[] | undefined {
  const readable = found.filter(({ isDecodable }) => isDecodable);
  const homes = [...Map.groupBy(readable, nameOfHome).values()].map((places) => ({
    places,
    held: new Set(places.flatMap(({ record, block }) => (block === null ? [] : [record]))).size,
    lastToken: places.reduce((token, place) => Math.max(token, place.token), 0),
  }));
  const [best] = homes.sort((a, b) => {
    const [x, y] = [a.places[0] as FoundRecord, b.places[0] as FoundRecord];
    return b.held - a.held || y.move - x.move || y.generation - x.generation || b.lastToken - a.lastToken;
  });
  return best === undefined || best.held === 0 ? undefined : best.places;
}

/**
 * Two proposals of one move may lie in one volume: each append is a home of its own, and so is each copy that a top-off
 * makes of what stays in its host. What was put group by group and never moved belongs together.
 */
const nameOfHome = ({ move, volume, generation, sequence, token, kind }: FoundRecord): string =>
  `${move}/${volume}/${generation}${kind === 'append' ? '' : `/${sequence}/${token}`}`;
