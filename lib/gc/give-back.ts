// GC of rows of removed objects (protocol 20b, 20c): the references of objects that are gone are given back, and slots
// are noted before the rows go that name them.
import { mapLimit } from '../foundation/concurrency.ts';
import { conflict, isKind } from '../foundation/errors.ts';
import type { BlockId, ObjectVersion } from '../foundation/ids.ts';
import { PLAIN_WRITES_AT_ONCE } from '../limits/frontend.ts';
import { CONFLICT_ATTEMPTS_MAX, CONFLICT_BACK_OFF_STEPS_MAX } from '../limits/volume.ts';
import type { Write } from '../panda/panda.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';
import { type HoldingRow, holdingFromRow, type NotedSlot } from '../panda/rows/removed/held-references.ts';
import type { Components } from '../volume/rows/components.ts';
import { readBlocks } from '../volume/rows/read-rows.ts';
import { backOffMs, transactUnlessConflict } from '../volume/rows/transact.ts';
import { type GiveBackPlan, namedOf, nextCounted, planGiveBack } from './give-back-plan.ts';

export interface GivenBack {
  /** As it is now. */
  readonly gone: HoldingRow;
  /** Noted slots whose block row is known to have gone. */
  readonly left: readonly NotedSlot[];
}

/**
 * All references of a row. Undefined when another worker has ended it. May be done twice and side by side: a counted
 * one goes with its place in the row, and a name is given back once.
 */
export async function giveBack(components: Components, first: HoldingRow): Promise<GivenBack | undefined> {
  const done = new Set<ObjectVersion>();
  const left: NotedSlot[] = [];
  let gone = first;
  for (let refused = 0; ; ) {
    const named = namedOf(gone).filter(({ object }) => !done.has(object.version));
    const ids = new Set([...named, ...nextCounted(gone)].map(({ blockId }) => blockId));
    const plan = await planned(components, gone, await readBlocks(components.panda, [...ids]));
    if (plan !== undefined && (await sent(components, plan.writes))) {
      gone = plan.next;
      left.push(...plan.left);
      const isDone = await mapLimit(plan.named, PLAIN_WRITES_AT_ONCE, (one) => sent(components, [one.write]));
      const written = plan.named.filter((_, i) => isDone[i]);
      for (const { version } of written) done.add(version);
      left.push(...written.flatMap((one) => one.left ?? []));
      if (plan.isLast && written.length === plan.named.length) return { gone, left };
      if (written.length === plan.named.length) continue;
    }
    // A put took a block back, a merge moved it, or another worker was here: look again.
    if (refused++ >= CONFLICT_ATTEMPTS_MAX)
      throw conflict('CONTENDED', 'too many writers of blocks whose objects are gone: GC is to try again');
    await components.clock.sleep(backOffMs(Math.min(refused, CONFLICT_BACK_OFF_STEPS_MAX), components.randomness));
    const now = await components.panda.get(gone);
    if (now === undefined) return undefined;
    gone = holdingFromRow(now);
  }
}

/** Blocks are read after the row: what disagrees with it may only have been given back in between. */
async function planned(
  { panda }: Components,
  gone: HoldingRow,
  blocks: ReadonlyMap<BlockId, BlockRow | undefined>,
): Promise<GiveBackPlan | undefined> {
  try {
    return planGiveBack(gone, blocks);
  } catch (error) {
    if (!isKind(error, 'corrupt')) throw error;
    const now = await panda.get(gone);
    if (now !== undefined && holdingFromRow(now).step === gone.step) throw error;
    return undefined;
  }
}

/** False if a condition does not hold; perhaps only as it was done already, with an answer that got lost. */
const sent = async (components: Components, writes: readonly Write[]): Promise<boolean> =>
  writes.length === 0 || transactUnlessConflict(components, writes, async () => false);
