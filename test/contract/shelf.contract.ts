// What every shelf does, whatever it lies on.
import { describe, expect, it } from 'vitest';
import type { Shelf } from '../../lib/drive/shelf.ts';

export interface OpenedShelf {
  readonly shelf: Shelf;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (found: Uint8Array): string => Buffer.from(found).toString();

export function shelfContract(name: string, open: () => Promise<OpenedShelf>): void {
  const within = async (use: (shelf: Shelf) => Promise<void>): Promise<void> => {
    const { shelf, close } = await open();
    try {
      await use(shelf);
    } finally {
      await close();
    }
  };

  describe(`shelf: ${name}`, () => {
    it('has nothing at first, and then what was put, by epoch and name', () =>
      within(async (shelf) => {
        expect(await shelf.list()).toEqual([]);
        await shelf.put(0, 'a-1', [bytes('ab'), bytes('c')]);
        await shelf.put(12, 'a-1', [bytes('other')]);
        expect(text(await shelf.read(0, 'a-1'))).toBe('abc');
        const listed = (await shelf.list()).sort((a, b) => a.epoch - b.epoch);
        expect(listed).toEqual([
          { epoch: 0, name: 'a-1', bytes: 3 },
          { epoch: 12, name: 'a-1', bytes: 5 },
        ]);
      }));

    it('never overwrites', () =>
      within(async (shelf) => {
        await shelf.put(1, 'once', [bytes('first')]);
        await expect(shelf.put(1, 'once', [bytes('second')])).rejects.toMatchObject({ code: 'CHUNK_EXISTS' });
        expect(text(await shelf.read(1, 'once'))).toBe('first');
      }));

    it('of several that put one name at once, one does', () =>
      within(async (shelf) => {
        const puts = Array.from({ length: 4 }, (_, i) => shelf.put(1, 'raced', [bytes(`writer ${i}`)]));
        const outcomes = await Promise.allSettled(puts);
        const won = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
        expect(won.length).toBe(1);
        expect(text(await shelf.read(1, 'raced'))).toBe(`writer ${won[0]}`);
      }));

    it('reads ranges, and what is beyond the end is not there', () =>
      within(async (shelf) => {
        await shelf.put(1, 'long', [bytes('0123456789')]);
        expect(text(await shelf.read(1, 'long', { offset: 2, length: 3 }))).toBe('234');
        expect(text(await shelf.read(1, 'long', { offset: 8, length: 30 }))).toBe('89');
        expect((await shelf.read(1, 'long', { offset: 10, length: 1 })).byteLength).toBe(0);
      }));

    it('says what is missing, and removes what is there or not', () =>
      within(async (shelf) => {
        await expect(shelf.read(1, 'none')).rejects.toMatchObject({ code: 'CHUNK_MISSING', kind: 'missing' });
        await shelf.put(1, 'goes', [bytes('x')]);
        await shelf.put(1, 'stays', [bytes('y')]);
        await shelf.put(2, 'goes', [bytes('z')]);
        await shelf.remove(1, ['goes', 'never-was']);
        await shelf.remove(1, ['goes']);
        const left = (await shelf.list()).map(({ epoch, name: of }) => `${epoch}/${of}`);
        expect(left.sort()).toEqual(['1/stays', '2/goes']);
        await shelf.put(1, 'goes', [bytes('again')]);
        expect(text(await shelf.read(1, 'goes'))).toBe('again');
      }));
  });
}
