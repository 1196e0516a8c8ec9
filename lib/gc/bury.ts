// GC of rows of removed objects (protocol 20d): slots that were noted and that no block row names any more die, all of
// a bucket together, and the shred log says which keys are gone.
import { mapLimit } from '../foundation/concurrency.ts';
import { isKind } from '../foundation/errors.ts';
import { type BucketId, hexOf, type RecordId } from '../foundation/ids.ts';
import { BURIED_BUCKETS_AT_ONCE, HELD_ROWS_AT_ONCE } from '../limits/frontend.ts';
import { SHREDDED_IDS_MAX } from '../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../limits/volume.ts';
import { bucketKey, deadFromRow, deadKey, isDead } from '../panda/rows/bucket-row.ts';
import { type HoldingRow, type NotedSlot, referencesOf } from '../panda/rows/removed/held-references.ts';
import { shredAttributes, shredKey } from '../panda/rows/trash-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { readBlocks } from '../volume/rows/read-rows.ts';
import { backOffMs, transact } from '../volume/rows/transact.ts';
import { diedWrites } from '../volume/steps/recover-steps.ts';
import type { GivenBack } from './give-back.ts';
import { isSameSlot } from './give-back-plan.ts';

export interface Buried {
  /** Rows of which nothing is left to be done. */
  readonly done: readonly HoldingRow[];
  /** Slots of theirs whose record's key is gone. */
  readonly shredded: readonly NotedSlot[];
}

/** What a damaged row is in the way of stays as it is, and so does the row that noted it. */
export async function buryNoted(components: Components, rows: readonly GivenBack[]): Promise<Buried> {
  const found = await mapLimit(rows, HELD_ROWS_AT_ONCE, async (row) => ({
    gone: row.gone,
    ...(await leftSlots(components, row)),
  }));
  const dying = found.flatMap(({ left, moved }) => [...left, ...moved]);
  const failed = new Set<BucketId>();
  const buckets = [...Map.groupBy(dying, ({ bucket }) => bucket)];
  await mapLimit(buckets, BURIED_BUCKETS_AT_ONCE, async ([bucket, slots]) => {
    if (!(await buryReadable(components, bucket, slots))) failed.add(bucket);
  });
  const done = found.filter(({ gone }) => !gone.notes.some(({ bucket }) => failed.has(bucket)));
  const shredded = done.flatMap(({ left }) => left);
  await logShredded(components, shredded, Math.max(0, ...done.map(({ gone }) => gone.kekVersion)));
  return { done: done.map(({ gone }) => gone), shredded };
}

async function buryReadable(components: Components, bucket: BucketId, slots: readonly NotedSlot[]): Promise<boolean> {
  try {
    await bury(components, bucket, slots);
    return true;
  } catch (error) {
    if (components.badRow === undefined || !isKind(error, 'corrupt')) throw error;
    components.badRow({ ...bucketKey(components.settings.cell, bucket), error });
    return false;
  }
}

/**
 * What is read here changes no more: a slot that no block row names is never named again. `moved`: the record is in
 * another slot now, and so is its key.
 */
async function leftSlots(
  components: Components,
  { gone, left: known }: GivenBack,
): Promise<{ readonly left: NotedSlot[]; readonly moved: NotedSlot[] }> {
  const doubtful = gone.notes.filter((note) => !known.some((one) => isSameSlot(one, note)));
  const left = gone.notes.filter((note) => !doubtful.includes(note));
  const moved: NotedSlot[] = [];
  if (doubtful.length === 0) return { left, moved };
  const references = referencesOf(gone);
  const blockOf = ({ reference }: NotedSlot) => (references[reference] as (typeof references)[number]).blockId;
  const blocks = await readBlocks(components.panda, [...new Set(doubtful.map(blockOf))]);
  for (const note of doubtful) {
    const row = blocks.get(blockOf(note));
    if (row?.recordId !== note.recordId) left.push(note);
    else if (row.bucket !== note.bucket || row.slot !== note.slot) moved.push(note);
  }
  return { left, moved };
}

/** Before the rows go that noted them: afterwards nothing would lead to them. Said twice is said once. */
async function logShredded(components: Components, slots: readonly NotedSlot[], kekVersion: number): Promise<void> {
  const { panda, settings, clock, randomness } = components;
  for (let at = 0; at < slots.length; at += SHREDDED_IDS_MAX) {
    const recordIds: RecordId[] = slots.slice(at, at + SHREDDED_IDS_MAX).map(({ recordId }) => recordId);
    const key = shredKey(settings.cell, Math.max(0, clock.nowMs()), hexOf(randomness.bytes(6)));
    await transact(
      components,
      [{ kind: 'put', ...key, attributes: shredAttributes({ recordIds, kekVersion }), if: ['absent'] }],
      async () => (await panda.get(key)) !== undefined,
    );
  }
}

async function bury(components: Components, bucket: BucketId, slots: readonly NotedSlot[]): Promise<void> {
  const { panda, settings, clock, randomness } = components;
  const readDead = async () => deadFromRow(await panda.get(deadKey(settings.cell, bucket)));
  for (let attempt = 0; ; attempt++) {
    const dead = await readDead();
    const flipping = slots.filter(({ slot }) => !isDead(dead, slot));
    if (flipping.length === 0) return;
    try {
      const took = async (): Promise<boolean> => {
        const now = await readDead();
        return flipping.every(({ slot }) => isDead(now, slot));
      };
      await transact(components, diedWrites(settings.cell, bucket, dead, flipping), took);
      return;
    } catch (error) {
      if (!isKind(error, 'conflict') || attempt >= CONFLICT_ATTEMPTS_MAX) throw error;
      // All of its slots were dead, and it was dropped.
      if ((await panda.get(bucketKey(settings.cell, bucket))) === undefined) return;
      await clock.sleep(backOffMs(attempt, randomness));
    }
  }
}
