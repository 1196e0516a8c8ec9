// Large bodies on their way out: so much of them in memory at once, whoever is slow, and nothing that was handed out.
import { describe, expect, it } from 'vitest';
import { ReadRoom } from '../../lib/gateway/read-room.ts';
import { READ_BODIES_BYTES_MAX, READ_LEAVE_MS } from '../../lib/limits/gateway.ts';

const MIB = 1024 * 1024;
const PIECE_BYTES = 4 * MIB;
const AT_ONCE = READ_BODIES_BYTES_MAX / PIECE_BYTES;
const never = { sleep: () => new Promise<void>(() => {}) };

/** Pieces that say when they are read. */
async function* counted(pieces: number, read: () => void): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < pieces; i++) {
    read();
    yield new Uint8Array(1);
  }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

describe('large bodies that are read at once', () => {
  it('have so much in memory together, and are served in order', async () => {
    const room = new ReadRoom(never);
    const begun: number[] = [];
    const readers = Array.from({ length: AT_ONCE + 2 }, (_, i) =>
      room
        .pieces(
          counted(2, () => begun.push(i)),
          PIECE_BYTES,
        )
        [Symbol.asyncIterator](),
    );
    const first = readers.map((reader) => reader.next());
    await settled();
    expect(begun).toEqual(readers.slice(0, AT_ONCE).map((_, i) => i));
    const again = (readers[0] as AsyncIterator<Uint8Array>).next();
    await settled();
    expect(begun).toEqual([...readers.keys()].slice(0, AT_ONCE + 1));
    for (const reader of readers.slice(1)) await reader.return?.();
    await settled();
    expect(begun).toEqual([...readers.keys(), 0]);
    expect((await Promise.all([...first, again])).every(({ done }) => done === false)).toBe(true);
  });

  it('of which one failed or ended hold nothing', async () => {
    const room = new ReadRoom(never);
    for (let i = 0; i < 2 * AT_ONCE; i++) {
      let pieces = 0;
      for await (const piece of room.pieces(
        counted(2, () => {}),
        PIECE_BYTES,
      ))
        pieces += piece.length;
      expect(pieces).toBe(2);
      const failing = room.pieces(
        counted(1, () => {
          throw new Error('no drive');
        }),
        PIECE_BYTES,
      );
      await expect(failing[Symbol.asyncIterator]().next()).rejects.toThrow('no drive');
    }
  });

  it('do not wait for one that is taken slowly', async () => {
    const sleeps: { readonly ms: number; readonly wake: () => void }[] = [];
    const clock = { sleep: (ms: number) => new Promise<void>((wake) => sleeps.push({ ms, wake })) };
    const room = new ReadRoom(clock);
    const begin = (): Promise<IteratorResult<Uint8Array>> =>
      room
        .pieces(
          counted(1, () => {}),
          PIECE_BYTES,
        )
        [Symbol.asyncIterator]()
        .next();
    await Promise.all(Array.from({ length: AT_ONCE }, begin));
    let isRead = false;
    const last = begin().then(() => {
      isRead = true;
    });
    await settled();
    expect([isRead, sleeps.map(({ ms }) => ms)]).toEqual([false, Array(AT_ONCE).fill(READ_LEAVE_MS)]);
    sleeps[0]?.wake();
    await last;
    expect(isRead).toBe(true);
  });
});
