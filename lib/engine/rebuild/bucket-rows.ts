// Bucket rows and dead bits of a rebuilt store, one bucket at a time: which slots live follows from the blocks that
// were placed. Every other slot that is found, or that a directory on the drives lists, is dead.
import { encodeBucketDirectory, parseBucketDirectory, type SlotLocation } from '../../format/bucket-directory.ts';
import type { BucketId, StoreId, VolumeId } from '../../foundation/ids.ts';
import type { Row } from '../../panda/panda.ts';
import {
  bucketAttributes,
  bucketKey,
  deadAttributes,
  deadKey,
  NO_DEAD,
  withDead,
} from '../../panda/rows/bucket-row.ts';
import type { Sorter } from './sorter.ts';

type SlotFound = {
  bucket: BucketId;
  move: number;
  volume: VolumeId;
  generation: number;
  sequence: number;
  token: number;
  kind: string;
  slot: number;
  length: number;
  liveBlock: string | null;
  liveSlot: number | null;
  liveLength: number | null;
  /** Where that one is. */
  liveSequence: number;
  liveToken: number;
  liveColumn: number;
  liveOffset: number;
};

const EVERY_SLOT = `
SELECT h.bucket, h.move, h.volume, h.generation, h.sequence, h.token, g.kind, r.slot, r.length, p.block AS liveBlock, p.slot AS liveSlot, p.length AS liveLength,
  p.sequence AS liveSequence, p.token AS liveToken, p.column AS liveColumn, p.offset AS liveOffset
FROM homes h CROSS JOIN records r ON r.bucket = h.bucket AND r.move = h.move
  CROSS JOIN groups g ON g.id = r.groupId
  LEFT JOIN named n ON n.record = r.record LEFT JOIN placed p ON p.block = n.block AND p.bucket = h.bucket
WHERE g.volume = h.volume AND g.generation = h.generation AND g.isDecodable AND (g.kind = 'append' OR (g.sequence = h.sequence AND g.token = h.token))
ORDER BY h.bucket, r.groupId, r.slot`;

const LAST_SLOT = 'SELECT max(slot) AS last FROM records WHERE bucket = ?';

export interface RebuiltStore {
  readonly storeId: StoreId;
  readonly cell: string;
  readonly nowMs: number;
}

/**
 * Also notes in `used` which buckets there are, by volume: those that a block lies in, with a directory of these
 * blocks.
 */
export function* bucketRows(sorter: Sorter, store: RebuiltStore): Generator<Row> {
  let slots: SlotFound[] = [];
  for (const found of sorter.each<SlotFound>(EVERY_SLOT)) {
    if (slots[0] !== undefined && slots[0].bucket !== found.bucket) {
      yield* rowsOfBucket(sorter, store, slots);
      slots = [];
    }
    slots.push(found);
  }
  if (slots.length > 0) yield* rowsOfBucket(sorter, store, slots);
}

function* rowsOfBucket(
  sorter: Sorter,
  { storeId, cell, nowMs }: RebuiltStore,
  found: readonly SlotFound[],
): Generator<Row> {
  const { bucket, kind, volume, generation, sequence, token, ...first } = found[0] as SlotFound;
  // A top-off has copied what was never moved: where it is now is in no row of a group, and the bucket's must say it.
  const move = kind === 'append' ? first.move : Math.max(1, first.move);
  const lengths = new Map(found.map(({ slot, length }) => [slot, length]));
  const live = new Map<string, SlotLocation & { readonly slot: number }>();
  for (const { liveBlock, liveSlot, liveLength, ...at } of found) {
    if (liveBlock === null) continue;
    const { liveSequence, liveToken, liveColumn: column, liveOffset: offset } = at;
    const place = { sequence: liveSequence, token: liveToken, column, offset, length: liveLength ?? 0 };
    live.set(liveBlock, { slot: liveSlot ?? 0, ...place });
  }
  if (live.size === 0) return;
  const entries = new Map([...live.values()].map(({ slot, ...place }) => [slot, place]));
  const directory = encodeBucketDirectory({ storeId, volumeId: volume, generation, bucket, entries });
  const count = [...lengths.keys()].reduce((highest, slot) => Math.max(highest, slot), 0) + 1;
  // Groups of which too little is left to be read list slots, too.
  const listed = (sorter.get<{ last: number }>(LAST_SLOT, bucket)?.last ?? 0) + 1;
  sorter.run('INSERT INTO used VALUES (?, ?, ?, ?, ?, ?)', volume, bucket, move, generation, directory, listed);
  yield {
    ...bucketKey(cell, bucket),
    attributes: bucketAttributes({
      volume,
      move,
      seq: sequence,
      token,
      usedBytes: [...lengths.values()].reduce((sum, bytes) => sum + bytes, 0),
      liveBytes: [...live.values()].reduce((sum, { length }) => sum + length, 0),
      slots: count,
      createdAtMs: nowMs,
    }),
  };
}

export interface SlotsOfBucket {
  readonly bucket: BucketId;
  /** Of what lives. */
  readonly directory: Uint8Array;
  /** All are below that. */
  readonly slots: number;
}

/** Nothing, if all of its slots live. */
export function* deadRow(cell: string, { bucket, directory, slots }: SlotsOfBucket): Generator<Row> {
  const live = parseBucketDirectory(directory);
  const dead = Array.from({ length: slots }, (_, slot) => slot).filter((slot) => live.find(slot) === undefined);
  if (dead.length > 0)
    yield { ...deadKey(cell, bucket), attributes: deadAttributes({ version: 1, bits: withDead(NO_DEAD, dead) }) };
}
