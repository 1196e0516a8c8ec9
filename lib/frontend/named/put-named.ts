// Objects put by plain writes (docs/decisions/0018, 4a to 4c): each of one new block, which names the object's version
// as its first reference. A plain write is sent once: after an unknown outcome it may come at any later time.
import { mapLimit } from '../../foundation/concurrency.ts';
import { isKind, isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import type { BlockId } from '../../foundation/ids.ts';
import { NAMED_PUTS_MIN, PLAIN_WRITES_AT_ONCE } from '../../limits/frontend.ts';
import { PACKED_BYTES_MAX } from '../../limits/panda.ts';
import { TRANSACT_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import { type BlockRow, blockAttributes, blockKey } from '../../panda/rows/block-row.ts';
import { intentBytesMax } from '../../panda/rows/group-row.ts';
import { type ObjectRow, objectAttributes, objectKey } from '../../panda/rows/object-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { readBlocks } from '../../volume/rows/read-rows.ts';
import { backOffMs } from '../../volume/rows/transact.ts';
import type { AppendedGroup } from '../../volume/write/appended-group.ts';
import { readObjects } from '../index-objects.ts';
import { type FreshBlock, isVoidObject, type ObjectChange } from '../index-plan.ts';

/** A change that is put so: its object's only block. */
export type NamedPuts = ReadonlyMap<ObjectChange, BlockId>;

/** Those of a batch that may be: of one block that is new and theirs alone, and, as far as was seen, a free name. */
export function namedPutsOf(
  changes: readonly ObjectChange[],
  olds: readonly (ObjectRow | undefined)[],
  rows: ReadonlyMap<BlockId, BlockRow | undefined>,
): NamedPuts {
  const uses = new Map<BlockId, number>();
  for (const { next } of changes) for (const id of next?.blocks ?? []) uses.set(id, (uses.get(id) ?? 0) + 1);
  const puts = new Map<ObjectChange, BlockId>();
  let intentBytes = 0;
  for (const [i, change] of changes.entries()) {
    const [id, ...others] = change.next?.blocks ?? [];
    if (id === undefined || others.length > 0 || uses.get(id) !== 1 || rows.get(id) !== undefined) continue;
    if (olds[i] !== undefined || (change.ifVersion !== undefined && change.ifVersion !== 'absent')) continue;
    intentBytes += intentBytesMax(change);
    if (intentBytes > PACKED_BYTES_MAX - 1) break;
    puts.set(change, id);
  }
  return puts.size < NAMED_PUTS_MIN ? new Map() : puts;
}

export interface NamedOutcome {
  /** Both rows are there. */
  readonly written: readonly ObjectChange[];
  /** Rows whose answer got lost, and that may come yet. */
  readonly unsure: readonly ObjectChange[];
  /** Must be done otherwise: the block or the name was there, or the lease was broken. */
  readonly refused: readonly ObjectChange[];
  readonly errors: ReadonlyMap<ObjectChange, PocketfulError>;
}

/** 4a, LOOK, 4b. Answers when no write is under way but those that are unsure. */
export async function putNamed(
  components: Components,
  group: Pick<AppendedGroup, 'isHeld'>,
  puts: NamedPuts,
  fresh: ReadonlyMap<BlockId, FreshBlock>,
): Promise<NamedOutcome> {
  const unsure: ObjectChange[] = [];
  const refused: ObjectChange[] = [];
  const errors = new Map<ObjectChange, PocketfulError>();
  const sendAll = async (
    changes: readonly ObjectChange[],
    writeOf: (change: ObjectChange) => Write,
  ): Promise<ObjectChange[]> => {
    const done: ObjectChange[] = [];
    const sent = await mapLimit(changes, PLAIN_WRITES_AT_ONCE, (change) => sendOnce(components, writeOf(change)));
    for (const [i, change] of changes.entries()) {
      const outcome = sent[i];
      if (outcome === 'done') done.push(change);
      else if (outcome === 'unknown') unsure.push(change);
      else if (outcome === 'refused') refused.push(change);
      else if (outcome !== undefined) errors.set(change, outcome);
    }
    return done;
  };
  const named = await sendAll([...puts.keys()], (change) =>
    blockWrite(change, fresh.get(puts.get(change) as BlockId) as FreshBlock),
  );
  if (named.length === 0) return { written: [], unsure, refused, errors };
  try {
    if (!(await group.isHeld())) return { written: [], unsure, refused: [...refused, ...named], errors };
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    for (const change of named) errors.set(change, error);
    return { written: [], unsure, refused, errors };
  }
  const written = await sendAll(named, objectWrite);
  return { written, unsure, refused, errors };
}

const blockWrite = ({ next }: ObjectChange, fresh: FreshBlock): Write => ({
  kind: 'put',
  ...blockKey(fresh.id),
  attributes: blockAttributes({ ...fresh, refs: 1, state: 'live', named: (next as ObjectRow).version }),
  if: ['absent'],
});

const objectWrite = ({ namespace, key, next }: ObjectChange): Write => ({
  kind: 'put',
  ...objectKey(namespace, key),
  attributes: objectAttributes({ ...(next as ObjectRow), isNamed: true }),
  if: ['absent'],
});

/** Sent again only if it is known not to have been done. */
async function sendOnce(
  { panda, clock, randomness }: Components,
  write: Write,
): Promise<'done' | 'refused' | 'unknown' | PocketfulError> {
  for (let attempt = 0; ; attempt++) {
    try {
      await panda.transact([write]);
      return 'done';
    } catch (error) {
      if (isKind(error, 'conflict')) return 'refused';
      if (isKind(error, 'unknown')) return 'unknown';
      if (!isPocketfulError(error)) throw error;
      if (error.code !== 'PANDA_BUSY' || attempt >= TRANSACT_ATTEMPTS_MAX) return error;
      await clock.sleep(backOffMs(attempt, randomness));
    }
  }
}

/**
 * Which of them are there to stay: an object that its block names, read after it. Nobody takes such a block's name away
 * but with the object.
 */
export async function isThereToStay(
  components: Components,
  changes: readonly ObjectChange[],
): Promise<ReadonlySet<ObjectChange>> {
  const objects = await readObjects(components.panda, changes);
  const blocks = await readBlocks(components.panda, [
    ...new Set(changes.flatMap(({ next }) => next?.blocks?.slice(0, 1) ?? [])),
  ]);
  const isThere = ({ next }: ObjectChange, object: ObjectRow | undefined): boolean =>
    object !== undefined && object.version === next?.version && !isVoidObject(object, blocks);
  return new Set(changes.filter((change, i) => isThere(change, objects[i])));
}
