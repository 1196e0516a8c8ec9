// GET of many objects: in the order of where their records lie, neighbours with one read. Records are handed out
// sealed, with the keys that open them, so that other threads may open them; each of them must check what it opens, and
// whatever is not as it should be is read again on its own (get-object.ts). So is what is not of one block.
import type { BlockId, RecordId } from '../../foundation/ids.ts';
import { OBJECTS_TOGETHER_MAX, OBJECTS_TOGETHER_MIN } from '../../limits/frontend.ts';
import { SPANS_AT_ONCE } from '../../limits/reads.ts';
import type { BlockRow } from '../../panda/rows/block-row.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import { type Placed, type RecordSpan, readSpan, spansOf } from '../../volume/read/read-spans.ts';
import { readBlocks } from '../../volume/rows/read-rows.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { isVoidObject } from '../index-plan.ts';
import type { KekRing } from '../kek-ring.ts';

/** One record among the bytes of a span, with all that opens and proves it (openBlock). */
export interface SealedRecord {
  readonly offset: number;
  readonly length: number;
  readonly recordId: RecordId;
  readonly blockId: BlockId;
  readonly wrappedBek: Uint8Array;
  readonly kek: Uint8Array;
}

/** An object that is one record. */
export interface SealedObject extends SealedRecord {
  readonly object: ObjectRow;
}

export type Together =
  /** `bytes` have memory of their own. */
  | { readonly kind: 'sealed'; readonly bytes: Uint8Array; readonly objects: readonly SealedObject[] }
  /** To be read on their own. */
  | { readonly kind: 'alone'; readonly objects: readonly ObjectRow[] };

type Found = { readonly object: ObjectRow; readonly block: BlockRow };

/** Those that are not `wanted` come out alone; so do all where they are few. */
export async function* readTogether(
  store: VolumeStore,
  keks: KekRing,
  objects: AsyncIterable<ObjectRow>,
  wanted: (object: ObjectRow) => boolean,
): AsyncGenerator<Together> {
  for await (const some of windowsOf(objects)) {
    const together = some.length < OBJECTS_TOGETHER_MIN ? [] : some.filter(wanted);
    const { placed, alone } = await placesOf(store, together);
    const isTogether = new Set(together);
    alone.push(...some.filter((object) => !isTogether.has(object)));
    if (alone.length > 0) yield { kind: 'alone', objects: alone };
    yield* spansAhead(spansOf(placed), (span) => read(store, keks, span));
  }
}

async function* windowsOf(objects: AsyncIterable<ObjectRow>): AsyncGenerator<readonly ObjectRow[]> {
  let some: ObjectRow[] = [];
  for await (const object of objects) {
    some.push(object);
    if (some.length < OBJECTS_TOGETHER_MAX) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

async function placesOf(
  store: VolumeStore,
  objects: readonly ObjectRow[],
): Promise<{ placed: Placed<Found>[]; alone: ObjectRow[] }> {
  const single = objects.flatMap(({ blocks }) => (blocks?.length === 1 ? blocks : []));
  const blocks = await readBlocks(store.components.panda, [...new Set(single)]);
  const placed: Placed<Found>[] = [];
  const alone: ObjectRow[] = [];
  for (const object of objects) {
    const block = object.blocks?.length === 1 ? blocks.get(object.blocks[0] as BlockId) : undefined;
    const place = block === undefined || isVoidObject(object, blocks) ? undefined : await store.records.placeOf(block);
    if (block === undefined || place === undefined) alone.push(object);
    else placed.push({ item: { object, block }, place });
  }
  return { placed, alone };
}

async function read(store: VolumeStore, keks: KekRing, span: RecordSpan<Found>): Promise<Together> {
  const bytes = await readSpan(store, span);
  if (bytes === undefined) return { kind: 'alone', objects: span.records.map(({ item }) => item.object) };
  const objects: SealedObject[] = [];
  for (const { item, place } of span.records) {
    const { object, block } = item;
    const { recordId, id: blockId, wrappedBek, kekVersion } = block;
    // A key that is missing is an error of each object, and read on its own each says so.
    const kek = await keks.key(kekVersion).catch(() => new Uint8Array(0));
    const offset = place.offset - span.place.offset;
    objects.push({ object, offset, length: place.length, recordId, blockId, wrappedBek, kek });
  }
  return { kind: 'sealed', bytes, objects };
}

/** In their order, a few of them under way. */
async function* spansAhead<S, T>(spans: readonly S[], each: (span: S) => Promise<T>): AsyncGenerator<T> {
  const ahead: Promise<T>[] = [];
  try {
    for (const span of spans) {
      const begun = each(span);
      begun.catch(() => {});
      ahead.push(begun);
      if (ahead.length >= SPANS_AT_ONCE) yield await (ahead.shift() as Promise<T>);
    }
    while (ahead.length > 0) yield await (ahead.shift() as Promise<T>);
  } finally {
    await Promise.allSettled(ahead);
  }
}
