// block/HH | block id: where a block's record is, who refers to it, and its wrapped key. HH are the first 8 bits of the
// hash. Only puts, deletes and GC write it; compaction never does.

import type { BlockId, ObjectVersion, RecordId } from '../../foundation/ids.ts';
import { bytesOf } from '../../foundation/ids.ts';
import type { Attributes, Clause, Key, Row } from '../panda.ts';
import {
  type BlockRow,
  type BlockSlot,
  type BlockState,
  countedRefs,
  isOldBlock,
  OLD_BLOCK_ATTRIBUTES,
  oldBlock,
  packedAttributes,
  packedBlock,
  packedFacts,
  packedKey,
  packedPlace,
} from './block/block-form.ts';
import type { Change } from './change.ts';

export { type BlockRow, type BlockSlot, type BlockState, countedRefs } from './block/block-form.ts';

export const blockPartitions = (): string[] =>
  Array.from({ length: 256 }, (_, bits) => `block/${bits.toString(16).padStart(2, '0')}`);
export const blockKey = (id: BlockId): Key => ({ partition: `block/${id.slice(0, 2)}`, sort: id });

export const blockFromRow = (row: Row): BlockRow => (isOldBlock(row) ? oldBlock(row) : packedBlock(row));

/** Of format 3, always. The state follows from the references. */
export const blockAttributes = (block: Omit<BlockRow, 'id'>): Attributes => packedAttributes(block);

/** Still the same record: the block was not shredded, stored anew or renewed since it was read. */
export const recordIs = (recordId: RecordId): Clause => ({ attribute: 'r', equals: bytesOf(recordId) });

/** How the row that was read is stored: conditions on it and changes of it go by that. */
export type StoredForm = Pick<BlockRow, 'isOld'>;
export const formOf = ({ isOld }: StoredForm): StoredForm => (isOld ? { isOld } : {});

/**
 * Still in the slot where it was read, for a merge may give it another one. Whatever is written by bucket and slot
 * (trash, dead bits) needs it.
 */
export const slotIs = ({ bucket, slot, isOld }: BlockSlot & StoredForm): Clause[] =>
  isOld
    ? [
        { attribute: 'b', equals: bucket },
        { attribute: 'n', equals: slot },
      ]
    : [{ attribute: 'p', equals: packedPlace({ bucket, slot }) }];

type References = Pick<BlockRow, 'refs' | 'named' | 'isOld'>;

/** live: somebody refers to it. trash: nobody does, and a trash row says so. */
export function blockIs(state: BlockState, row: References): Clause[] {
  if (row.isOld) return [{ attribute: 's', equals: state }];
  if (state === 'trash') return [{ attribute: 'f', equals: 0 }, nameIs(undefined)];
  return [row.named === undefined ? refsAtLeast(1) : nameIs(row.named)];
}

/** As many references as were read, named and counted: whoever takes the last ones away must know of all. */
export const refsAre = (row: References): Clause[] =>
  row.isOld
    ? [{ attribute: 'f', equals: row.refs }]
    : [{ attribute: 'f', equals: countedRefs(row) }, nameIs(row.named)];

/** So many counted references or more. */
export const refsAtLeast = (refs: number): Clause => ({ attribute: 'f', atLeast: refs });

const nameIs = (version: ObjectVersion | undefined): Clause =>
  version === undefined ? { attribute: 'o', missing: true } : { attribute: 'o', equals: bytesOf(version) };

type WrappedKey = Pick<BlockRow, 'wrappedBek' | 'kekVersion'>;

/** Its key is wrapped as it was: no other pass has wrapped it anew. */
export const wrappedAs = (block: WrappedKey & StoredForm): Clause =>
  block.isOld ? { attribute: 'k', equals: block.kekVersion } : { attribute: 'w', equals: packedKey(block) };

/** What a change relies on that writes an old row anew as a whole: that all of it is as it was read. */
export const formIs = (block: BlockRow): Clause[] => (block.isOld ? [...slotIs(block), wrappedAs(block)] : []);

/** More references, or fewer; the block stays live. */
export const addRefs = (block: BlockRow, delta: number): Change => ({ ...rewritten(block), add: { f: delta } });

/** trash -> live, with these references. */
export const bringBack = (block: BlockRow, refs: number): Change => rewritten(block, { f: refs });

/** live -> trash: nobody refers to it any more. */
export const sendToTrash = (block: BlockRow): Change => ({
  ...rewritten(block, { f: 0 }),
  ...(block.named === undefined ? {} : giveBackName),
});

/** The named reference is given back; the block stays live by those that are counted. */
export const giveBackName: Change = { remove: ['o'] };

/** The same record, copied to another slot by a merge. */
export const moveToSlot = (block: BlockRow, to: BlockSlot): Change =>
  block.isOld ? rewritten({ ...block, ...to }) : { set: { p: packedPlace(to) } };

/** The same key, wrapped under another version. */
export const wrapUnder = (block: BlockRow, key: WrappedKey): Change =>
  block.isOld ? rewritten({ ...block, ...key }) : { set: { w: packedKey(key) } };

/** Another record of the same block. References may come and go meanwhile: they are not written. */
export function renewRecord(
  block: StoredForm,
  next: Omit<BlockRow, 'id' | 'refs' | 'state' | 'named' | 'isOld'>,
): Change {
  const set = { r: bytesOf(next.recordId), ...asPacked(next) };
  return block.isOld ? { set, remove: OLD_BLOCK_ATTRIBUTES } : { set };
}

const asPacked = (block: Omit<BlockRow, 'id' | 'refs' | 'state' | 'recordId' | 'named' | 'isOld'>): Attributes => ({
  p: packedPlace(block),
  w: packedKey(block),
  d: packedFacts(block),
});

/** An old row becomes one of format 3 by any change; of one that is that already only `set` changes. */
function rewritten(block: BlockRow, set: Attributes = {}): Change {
  if (block.isOld) return { set: { ...asPacked(block), ...set }, remove: OLD_BLOCK_ATTRIBUTES };
  return Object.keys(set).length === 0 ? {} : { set };
}
