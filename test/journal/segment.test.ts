// The bytes of segments: as they were first written, whatever is thrown at their parser, and what their names say.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crcOf } from '../../lib/format/wire.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { hexOf } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { FrameBytes, type RowImage, rowImagesOf } from '../../lib/journal/frame.ts';
import { buildPart, openPart, PART_HEADER_BYTES, type PartIdentity, parsePartHeader } from '../../lib/journal/part.ts';
import { NOTHING, parsePartName, partNameOf } from '../../lib/journal/points.ts';
import { rowBytesOf } from '../../lib/panda/sqlite/row-bytes.ts';
import { STORE } from './world.ts';

const KEK = { version: 3, key: new Uint8Array(32).fill(9) };
const HEAD: PartIdentity = {
  ...{ level: 2, from: { sequence: 5, mark: 'a0a1a2a3' }, to: { sequence: 70_000, mark: 'b0b1b2b3' } },
  ...{ atMs: 1_767_225_600_000, id: 'c0c1', part: 1, isLast: true, storeId: STORE, epoch: 4 },
};
const key = { partition: 'block/00', sort: 'k' };
const ROWS: readonly RowImage[] = [
  { ...key, image: rowBytesOf(key, { n: 1 }) },
  { partition: 'object/default', sort: 'gone', image: undefined },
];
const frameOf = (rows: readonly RowImage[]): Buffer => {
  const frame = new FrameBytes();
  for (const row of rows) frame.add(row);
  return frame.take();
};
const built = (frames: readonly (readonly RowImage[])[] = [ROWS], seed = 1): Buffer =>
  Buffer.concat(buildPart(HEAD, frames.map(frameOf), frames.flat().length, KEK, new SeededRandomness(seed)));

describe('a segment', () => {
  it('is written as it always was', () => {
    const text = readFileSync(new URL('golden/segment.v1.hex', import.meta.url), 'utf8');
    expect(hexOf(built())).toBe(text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''));
  });

  it('reads back what was written, in one frame or several', () => {
    for (const frames of [[ROWS], [[ROWS[0] as RowImage], [ROWS[1] as RowImage]], []]) {
      const bytes = built(frames);
      expect(parsePartHeader(bytes)).toMatchObject({ ...HEAD, kekVersion: 3, rows: frames.flat().length });
      expect(
        [...openPart(bytes, KEK.key)].map(({ image, ...at }) => ({ ...at, image: image && hexOf(image) })),
      ).toEqual(frames.flat().map(({ image, ...at }) => ({ ...at, image: image && hexOf(image) })));
    }
  });

  it('has room for rows of any length, one frame after the other', () => {
    const random = new SeededRandomness(8);
    const rows = Array.from({ length: 300 }, (_, i): RowImage => {
      const sort = `${'ä€'.repeat(i % 7)}${i}`;
      return { partition: 'object/x', sort, image: i % 5 === 0 ? undefined : random.bytes((i * i) % 9000) };
    });
    const frame = new FrameBytes();
    for (const some of [rows.slice(0, 290), rows.slice(290)]) {
      for (const row of some) frame.add(row);
      const text = [...rowImagesOf(frame.take())].map(({ image, ...at }) => ({ ...at, image: image && hexOf(image) }));
      expect(text).toEqual(some.map(({ image, ...at }) => ({ ...at, image: image && hexOf(image) })));
      expect(frame.byteLength).toBe(0);
    }
  });

  it('is refused with any bit flipped or any end cut off', () => {
    const bytes = built([[ROWS[0] as RowImage], [ROWS[1] as RowImage]]);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      expect(() => [...openPart(flipped, KEK.key)], `byte ${at}`).toThrow(expect.toSatisfy(isPocketfulError));
      expect(() => [...openPart(bytes.subarray(0, at), KEK.key)]).toThrow(expect.toSatisfy(isPocketfulError));
    }
  });

  it('is refused with frames of another object, in another order, or too few', () => {
    const two = built([[ROWS[0] as RowImage], [ROWS[1] as RowImage]]);
    const frames = [PART_HEADER_BYTES];
    for (let at = PART_HEADER_BYTES; at < two.length; frames.push(at)) at += 24 + two.readUInt32LE(at + 4);
    const [first, second] = [two.subarray(frames[0], frames[1]), two.subarray(frames[1])];
    const swapped = Buffer.concat([two.subarray(0, PART_HEADER_BYTES), second, first]);
    expect(() => [...openPart(swapped, KEK.key)]).toThrow(/frame/);
    const short = Buffer.concat([two.subarray(0, PART_HEADER_BYTES), first]);
    short.writeUInt32LE(1, 72);
    short.writeUInt32LE(1, 76);
    short.writeUInt32LE(first.length, 80);
    short.writeUInt32LE(crcOf(short.subarray(0, 156)), 156);
    expect(() => [...openPart(short, KEK.key)]).toThrow(/frame/);
  });

  it('of a later version is refused as that', () => {
    const bytes = built();
    bytes[4] = 2;
    expect(() => parsePartHeader(bytes)).toThrow(/version 2/);
  });

  it('whatever it holds: an answer, or an error that says so', () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = new SeededRandomness(seed);
      const bytes = built([ROWS], seed % 5);
      for (let n = random.below(6); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256);
      if (seed % 2 === 0) bytes.writeUInt32LE(crcOf(bytes.subarray(0, 156)), 156);
      const frame = random.bytes(random.below(60));
      for (const parse of [() => [...openPart(bytes, KEK.key)], () => [...rowImagesOf(frame)]])
        try {
          parse();
        } catch (error) {
          expect(isPocketfulError(error), `seed ${seed}: ${error}`).toBe(true);
        }
    }
  });
});

describe('a name', () => {
  it('says what it was made of, and nothing else is one', () => {
    for (const head of [HEAD, { ...HEAD, level: 'snapshot', from: NOTHING } as const]) {
      const name = partNameOf(head, head.part, head.isLast);
      expect(name.length).toBeLessThanOrEqual(64);
      const { storeId: _, epoch: __, ...rest } = head;
      expect(parsePartName(name)).toEqual(rest);
      expect(parsePartName(`${name}0`)).toBeUndefined();
      expect(parsePartName(name.replace(/^./, 'x'))).toBeUndefined();
    }
    const backwards = partNameOf({ ...HEAD, to: HEAD.from }, 0, true);
    expect(parsePartName(backwards)).toBeUndefined();
  });
});
