// Bucket rows and dead bits of a rebuilt store, one bucket at a time: which slots live follows from the blocks that
// were placed.
import type { BucketId, VolumeId } from '../../foundation/ids.ts';
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
  slot: number;
  length: number;
  liveBlock: string | null;
  liveSlot: number | null;
  liveLength: number | null;
};

const EVERY_SLOT = `
SELECT h.bucket, h.move, h.volume, h.generation, h.sequence, h.token, r.slot, r.length, p.block AS liveBlock, p.slot AS liveSlot, p.length AS liveLength
FROM homes h CROSS JOIN records r ON r.bucket = h.bucket AND r.move = h.move
  CROSS JOIN groups g ON g.id = r.groupId
  LEFT JOIN named n ON n.record = r.record LEFT JOIN placed p ON p.block = n.block AND p.bucket = h.bucket
WHERE g.volume = h.volume AND g.generation = h.generation AND g.isDecodable AND (h.move = 0 OR (g.sequence = h.sequence AND g.token = h.token))
ORDER BY h.bucket, r.groupId, r.slot`;

/** Also notes in `used` which buckets there are, by volume: those that a block lies in. */
export function* bucketRows(sorter: Sorter, cell: string, nowMs: number): Generator<Row> {
  let slots: SlotFound[] = [];
  for (const found of sorter.each<SlotFound>(EVERY_SLOT)) {
    if (slots[0] !== undefined && slots[0].bucket !== found.bucket) {
      yield* rowsOfBucket(sorter, cell, nowMs, slots);
      slots = [];
    }
    slots.push(found);
  }
  if (slots.length > 0) yield* rowsOfBucket(sorter, cell, nowMs, slots);
}

function* rowsOfBucket(sorter: Sorter, cell: string, nowMs: number, found: readonly SlotFound[]): Generator<Row> {
  const { bucket, move, volume, generation, sequence, token } = found[0] as SlotFound;
  const lengths = new Map(found.map(({ slot, length }) => [slot, length]));
  const live = new Map<string, { slot: number; length: number }>();
  for (const { liveBlock, liveSlot, liveLength } of found)
    if (liveBlock !== null) live.set(liveBlock, { slot: liveSlot ?? 0, length: liveLength ?? 0 });
  if (live.size === 0) return;
  sorter.run('INSERT INTO used VALUES (?, ?, ?, ?)', volume, bucket, move, generation);
  const count = [...lengths.keys()].reduce((highest, slot) => Math.max(highest, slot), 0) + 1;
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
  const liveSlots = new Set([...live.values()].map(({ slot }) => slot));
  const dead = Array.from({ length: count }, (_, slot) => slot).filter((slot) => !liveSlots.has(slot));
  if (dead.length > 0)
    yield { ...deadKey(cell, bucket), attributes: deadAttributes({ version: 1, bits: withDead(NO_DEAD, dead) }) };
}
