// References that a row of removed objects holds: those of the objects that list their blocks. GC gives them back once
// the grace is over, and notes the slots whose block rows go (protocol 20). The rows are written in the transaction
// that takes the names away, so that they are there exactly if those went.
import type { BlockId, RecordId } from '../../../foundation/ids.ts';
import type { Attributes, Clause, Row } from '../../panda.ts';
import type { BlockSlot } from '../block/block-form.ts';
import type { Change } from '../change.ts';
import type { ObjectRow } from '../objects/object-form.ts';
import { PACKED_FORM, Packer, Unpacker } from '../packing.ts';
import { bucketIdIn, bytesIn, countIn, malformedRow, optionalCount, recordIdIn } from '../row-reader.ts';
import { type RemovedObject, type RemovedRow, removedAttributes, removedFromRow } from './removed-row.ts';

/** A slot that dies once no block row names it. */
export interface NotedSlot extends BlockSlot {
  /** Which of the row's references led to it: object after object, block after block. */
  readonly reference: number;
  readonly recordId: RecordId;
  readonly recordBytes: number;
}

export interface HoldingRow extends RemovedRow {
  /** How often it was changed. */
  readonly step: number;
  /** Of the references that are only counted, how many were given back, in order. */
  readonly given: number;
  /** Slots whose block row may have gone. */
  readonly notes: readonly NotedSlot[];
  /** The highest KEK version that wrapped one of them. */
  readonly kekVersion: number;
}

export const holdsReferences = (row: Row): boolean => row.attributes['n'] !== undefined;

export function holdingFromRow(row: Row): HoldingRow {
  const removed = removedFromRow(row);
  const holding: HoldingRow = {
    ...removed,
    step: countIn(row, 'n'),
    given: optionalCount(row, 'c') ?? 0,
    notes: row.attributes['g'] === undefined ? [] : notesIn(row),
    kekVersion: optionalCount(row, 'k') ?? 0,
  };
  const references = referencesOf(removed).length;
  if (holding.given > references || holding.notes.some(({ reference }) => reference >= references))
    malformedRow(row, 'it gives back more than it has');
  return holding;
}

/** Of a row that is written, whose references nobody has given back yet. */
export const holdingAttributes = (objects: readonly RemovedObject[]): Attributes => ({
  ...removedAttributes(objects),
  n: 0,
});

/** One reference of a row: the named one of its object, or one that its block only counts. */
export interface HeldReference {
  /** Its number in the row. */
  readonly reference: number;
  readonly blockId: BlockId;
  readonly object: ObjectRow;
}

export function referencesOf({ objects }: Pick<RemovedRow, 'objects'>): HeldReference[] {
  const all = objects.flatMap(({ object }) => (object.blocks ?? []).map((blockId) => ({ blockId, object })));
  return all.map((one, reference) => ({ ...one, reference }));
}

/**
 * Of those, what is still to be given back; a named one only if its block names that version, which is not known here.
 */
export function referencesLeft(row: HoldingRow): HeldReference[] {
  let counted = 0;
  return referencesOf(row).filter(({ object }) => object.isNamed || ++counted > row.given);
}

/** Nobody has changed it since it was read. */
export const stepIs = ({ step }: Pick<HoldingRow, 'step'>): Clause => ({ attribute: 'n', equals: step });

/** References were given back, or are about to be: the row as it becomes. */
export const noteGiven = (row: HoldingRow): Change => ({ add: { n: 1 }, set: giftAttributes(row) });

const giftAttributes = ({ given, notes, kekVersion }: HoldingRow): Attributes => ({
  c: given,
  k: kekVersion,
  ...(notes.length === 0 ? {} : { g: packNotes(notes) }),
});

/** The same row, to be put under another time. */
export const heldAttributes = (row: HoldingRow): Attributes => ({
  ...removedAttributes(row.objects),
  n: row.step + 1,
  ...giftAttributes(row),
});

/** Other things are said of the objects; their references stay as they are. */
export const retellObjects = (objects: readonly RemovedObject[]): Change => ({
  set: removedAttributes(objects),
  add: { n: 1 },
});

const ID_BYTES = 8;
const RECORD_ID_BYTES = 16;

function packNotes(notes: readonly NotedSlot[]): Uint8Array {
  const out = new Packer().byte(PACKED_FORM);
  for (const { reference, recordId, bucket, slot, recordBytes } of notes)
    out.varint(reference).hex(recordId).hex(bucket).varint(slot).varint(recordBytes);
  return out.end();
}

function notesIn(row: Row): NotedSlot[] {
  const packed = new Unpacker(bytesIn(row, 'g'), (why) => malformedRow(row, `g ${why}`));
  if (packed.byte() !== PACKED_FORM) malformedRow(row, 'g is of another form');
  const notes: NotedSlot[] = [];
  while (packed.left > 0)
    notes.push({
      reference: packed.varint(),
      recordId: recordIdIn(row, packed.hex(RECORD_ID_BYTES)),
      bucket: bucketIdIn(row, packed.hex(ID_BYTES)),
      slot: packed.varint(),
      recordBytes: packed.varint(),
    });
  return notes;
}
