// Deletes and GC on a disk with little room: what was deleted can be shipped, and so can what GC writes of it.
import { describe, expect, it } from 'vitest';
import { Portions } from '../../lib/engine/ship/portions.ts';
import { StoreDisk } from '../../lib/engine/wire/store-disk.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { SMALL } from './small-store.ts';

const MIB = 1024 * 1024;
const COPIES = 4;
const folder = temporaryFolder();

/** A full disk of which the reserve is all the room: what is written waits until it is shipped, in four copies. */
class Room {
  bytes: number;
  waiting = 0;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  readonly ports = {
    copies: COPIES,
    roomBytes: async () => this.bytes,
    ship: async () => {
      if (COPIES * this.waiting > this.bytes) throw retryLater('JOURNAL_UNSHIPPED', 'no space left');
      this.bytes -= COPIES * this.waiting;
      this.waiting = 0;
    },
  };

  write(bytes: number, inFile: number): void {
    this.waiting += bytes;
    this.bytes -= inFile;
  }
}

const needs = { leastBytes: 2 * MIB, keptBytes: 0.75 * MIB };

/** Each says how much it writes, and ships the `share` of it that is left when it is compressed. */
async function deleted(room: Room, bytesOf: (item: number) => number, { before = 0, share = 1, most = 100_000 } = {}) {
  const portions = new Portions(room.ports, needs, before);
  let done = 0;
  while (done < most && (await portions.begin())) {
    const from = done;
    for (; done < most && portions.takes(bytesOf(done), 1); done++) room.write(bytesOf(done) * share, bytesOf(done));
    if (from === done) break;
  }
  expect(await portions.end()).toBe(true);
  return done;
}

/** What GC ships of what was deleted. */
async function shredded(room: Room, slots: number): Promise<number> {
  const portions = new Portions(room.ports, { leastBytes: 0, keptBytes: 0.75 * MIB });
  let done = 0;
  while (done < slots && (await portions.begin()))
    for (const until = Math.min(slots, done + portions.slots()); done < until; done++) room.write(90, 0);
  expect(await portions.end()).toBe(true);
  return done;
}

describe('work in portions', () => {
  it.each([
    ['tiny', () => 250, 0.2],
    ['long', () => 6000, 1],
    ['tiny, then long', (item: number) => (item < 1000 ? 250 : 60_000), 1],
  ] as const)('of %s ones ends while all can be shipped, and GC of it besides', async (_, bytesOf, share) => {
    const room = new Room(4 * MIB);
    const done = await deleted(room, bytesOf, { share });
    expect(done).toBeGreaterThan(20);
    expect(done).toBeLessThan(100_000);
    expect(room.waiting).toBe(0);
    expect(room.bytes).toBeGreaterThanOrEqual(2 * MIB);
    expect(await shredded(room, done)).toBe(done);
    expect(room.bytes).toBeGreaterThan(0.7 * MIB);
  });

  it('leaves room for GC of what others have deleted before', async () => {
    const room = new Room(4 * MIB);
    expect(await deleted(room, () => 250, { before: 9000 })).toBe(0);
    expect(room.bytes).toBe(4 * MIB);
    expect(await shredded(room, 9000)).toBe(9000);
  });

  it('goes on to the end where there is room', async () => {
    const room = new Room(400 * MIB);
    expect(await deleted(room, () => 250)).toBe(100_000);
    expect(room.waiting).toBe(0);
  });

  it('does not begin while what others wrote waits for room', async () => {
    const room = new Room(4 * MIB);
    room.write(2 * MIB, 0);
    expect(await new Portions(room.ports, needs).begin()).toBe(false);
  });
});

it('a disk goes by its reserve', async () => {
  const disk = new StoreDisk(folder);
  disk.describe(SMALL, []);
  let shipped = 0;
  disk.shipsBy(async () => {
    shipped += 1;
  });
  expect(await disk.deleting(0).begin()).toBe(true);
  // Of so many that wait for GC nothing more could be shipped.
  expect(await disk.deleting(2 ** 40).begin()).toBe(false);
  const shredding = disk.shredding();
  expect(await shredding.begin()).toBe(true);
  expect(shredding.slots()).toBeGreaterThan(100);
  expect(shipped).toBe(3);
});
