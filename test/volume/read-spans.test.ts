// Records that are read together: which of them one read brings, in which order, and what is done where a column cannot be read.
import { describe, expect, it } from 'vitest';
import { volumeId } from '../../lib/foundation/ids.ts';
import { TOGETHER_GAP_BYTES_MAX, TOGETHER_SPAN_BYTES_MAX } from '../../lib/limits/reads.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { type Placed, type RecordSpan, readSpan, spansOf } from '../../lib/volume/read/read-spans.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const GAP = TOGETHER_GAP_BYTES_MAX;
const SPAN = TOGETHER_SPAN_BYTES_MAX;

function placed(item: string, more: Partial<Placed<string>['place']> & { generation?: number; id?: string }) {
  const { generation = 1, id = '00000000000000aa', ...rest } = more;
  const volume = { id: volumeId(id), generation } as VolumeRow;
  const place = { volume, sequence: 1, token: 1, column: 0, offset: 0, length: 10, ...rest };
  return { item, place };
}

const shown = (spans: readonly RecordSpan<string>[]): string[] =>
  spans.map(({ place, records }) => `${place.offset}+${place.length}: ${records.map(({ item }) => item).join(' ')}`);

describe('spans', () => {
  it.each([
    ['touch', [0, 10], [10, 5], ['0+15: a b']],
    ['lie one in the other', [0, 100], [20, 5], ['0+100: a b']],
    ['are as far apart as a request costs', [0, 10], [10 + GAP, 5], [`0+${15 + GAP}: a b`]],
    ['are further apart', [0, 10], [11 + GAP, 5], ['0+10: a', `${11 + GAP}+5: b`]],
    ['are as large as one read may be', [7, SPAN - 5], [7 + SPAN - 5, 5], [`7+${SPAN}: a b`]],
    ['are larger together', [7, SPAN - 5], [7 + SPAN - 5, 6], [`7+${SPAN - 5}: a`, `${7 + SPAN - 5}+6: b`]],
    ['are larger alone', [0, SPAN + 9], [SPAN + 9, 1], [`0+${SPAN + 9}: a`, `${SPAN + 9}+1: b`]],
  ])('of records that %s', (_, [aAt, aBytes], [bAt, bBytes], expected) => {
    const a = placed('a', { offset: aAt, length: aBytes });
    const b = placed('b', { offset: bAt, length: bBytes });
    expect(shown(spansOf([a, b]))).toEqual(expected);
    expect(shown(spansOf([b, a]))).toEqual(expected);
  });

  it('go on from the last one, not from the first', () => {
    const at = [0, GAP, 2 * GAP, 5 * GAP, 5 * GAP + 10];
    const spans = spansOf(at.map((offset, i) => placed(String(i), { offset })));
    expect(shown(spans)).toEqual([`0+${2 * GAP + 10}: 0 1 2`, `${5 * GAP}+20: 3 4`]);
    expect(spansOf([])).toEqual([]);
  });

  it('are of one column of one group, in the order in which they lie', () => {
    const inOrder = [
      placed('a', {}),
      placed('b', { column: 2 }),
      placed('c', { column: 10 }),
      placed('d', { token: 2 }),
      placed('e', { sequence: 9 }),
      placed('f', { sequence: 10 }),
      placed('g', { generation: 2 }),
      placed('h', { generation: 10 }),
      placed('i', { id: '00000000000000ab' }),
    ];
    const items = inOrder.map(({ item }) => [item]);
    expect(spansOf(inOrder.toReversed()).map(({ records }) => records.map(({ item }) => item))).toEqual(items);
  });
});

describe('a span', () => {
  const prepared = async () => {
    const world = new ReadingWorld({ warm: 'rs-6-3' });
    const blocks = await world.append([700, 64, 3000, 1500, 1501, 999, 2048, 40, 16, 512, 513, 4000]);
    world.restart();
    const volume = await world.volumeOf(blocks[0] as Stored);
    const places = await Promise.all(
      blocks.map(async (item) => ({ item, place: (await world.store.records.placeOf(item))! })),
    );
    const spans = spansOf(places);
    const span = spans.find(({ records }) => records.length > 1)!;
    world.reads = [];
    return { world, volume, span, spans, store: world.store };
  };
  const contents = (bytes: Uint8Array | undefined, { place, records }: RecordSpan<Stored>) =>
    records.map((one) =>
      bytes?.slice(one.place.offset - place.offset, one.place.offset - place.offset + one.place.length),
    );

  it('is one read of one drive, and has every record in its place', async () => {
    const { world, spans, store } = await prepared();
    for (const span of spans) {
      world.reads = [];
      expect(contents(await readSpan(store, span), span)).toEqual(span.records.map(({ item }) => item.record));
      expect(world.reads).toHaveLength(1);
    }
  });

  it('is rebuilt where its drive is away, and undefined where more are than the code survives', async () => {
    const { world, volume, span, store } = await prepared();
    world.driveOf(volume, span.place.column).state = 'lost';
    expect(contents(await readSpan(store, span), span)).toEqual(span.records.map(({ item }) => item.record));
    for (const drive of world.drives.slice(0, 8)) drive.state = 'lost';
    expect(await readSpan(store, span)).toBeUndefined();
  });

  it('is undefined where the chunk is gone or shorter, though its drive is there: each is read on its own then', async () => {
    const { world, volume, span, store } = await prepared();
    await world.tamper(volume, span.place.column, (bytes) => bytes.subarray(0, bytes.length - 600));
    expect(await readSpan(store, span)).toBeUndefined();
    await world.tamper(volume, span.place.column, () => undefined);
    expect(await readSpan(store, span)).toBeUndefined();
  });

  it('is not made from columns that give back something else', async () => {
    const { world, volume, span, store } = await prepared();
    world.driveOf(volume, span.place.column).state = 'lost';
    const others = volume.extents.map((_, column) => column).filter((column) => column !== span.place.column);
    for (const column of others)
      await world.tamper(volume, column, (bytes) => bytes.map((byte, i) => (i > 300 ? byte ^ 1 : byte)));
    expect(await readSpan(store, span)).toBeUndefined();
  });
});
