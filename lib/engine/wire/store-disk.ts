// The disk of an embedded store when it is full: what is put is refused at once, what frees space goes on in the room
// of the reserve file.
import { statfs } from 'node:fs/promises';
import { type PocketfulError, retryLater } from '../../foundation/errors.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import { FREEING_LOG_BYTES } from '../../limits/engine.ts';
import type { MakeRoom } from '../../panda/sqlite/sqlite-file.ts';
import { SqliteReserve } from '../../panda/sqlite/sqlite-reserve.ts';
import type { Settings } from '../../settings/settings.ts';
import { type PortionPorts, Portions } from '../ship/portions.ts';
import { journalCopies } from '../ship/store-journal.ts';
import type { DiskRoom } from './engine-store.ts';
import { reserveBytesOf, reservePath } from './store-layout.ts';

/** To open the file of Panda, and to read it. */
const OPEN_BYTES = 256 * 1024;
/** With less than this a disk is as good as full: a chunk and its folders want about so much. */
const FULL_BYTES = 256 * 1024;

export class StoreDisk implements DiskRoom {
  readonly #path: string;
  readonly #reserve: SqliteReserve;
  #reserveBytes = 0;
  #places: readonly string[];
  #copies = 1;
  #ship: () => Promise<void> = async () => {};
  /** How many that are under way free space: the reserve is there for them. */
  #freeing = 0;
  /** Those of them that may have the whole reserve. */
  #freeingAll = 0;
  /** One of them found too little room. */
  #isFreeingShort = false;

  constructor(path: string) {
    this.#path = path;
    this.#places = [path];
    this.#reserve = new SqliteReserve(reservePath(path));
  }

  /** Known once the store's row has been read. */
  describe(settings: Settings, drives: readonly string[]): void {
    this.#reserveBytes = reserveBytesOf(settings);
    this.#places = [this.#path, ...drives];
    this.#copies = journalCopies(settings);
  }

  /** For Panda: reading needs a little, and only what frees space may take it all. */
  readonly makeRoom: MakeRoom = (what) => {
    if (what === 'open') return this.#reserve.release(OPEN_BYTES);
    return this.#freeing > 0 && this.#giveBack();
  };

  /** Of a new store. */
  reserveRoom(): void {
    this.#reserve.restore(this.#reserveBytes);
  }

  /** Makes the reserve whole if there is room; before anything is put. Throws `retry` DISK_FULL. */
  beforePut(): void {
    if (this.#reserve.restore(this.#reserveBytes) === 'no room') throw this.full();
  }

  /**
   * Before deletes, GC and what moves data to free its old place. True if a disk has too little room. Deletes free
   * nothing by themselves: they leave half of the reserve to GC, or nobody could ever make room again.
   */
  async beforeFreeing(what: 'deletes' | 'all' = 'all'): Promise<boolean> {
    this.#freeing += 1;
    if (what === 'all') this.#freeingAll += 1;
    const isShort = await this.isShort();
    if (isShort) this.#giveBack();
    this.#isFreeingShort ||= isShort;
    return isShort;
  }

  /** After it: whole again if there is room by now, else what is left of it. */
  afterFreeing(what: 'deletes' | 'all' = 'all'): void {
    this.#freeing -= 1;
    if (what === 'all') this.#freeingAll -= 1;
    if (this.#freeing > 0) return;
    this.#isFreeingShort = false;
    this.#reserve.regrow(this.#reserveBytes);
  }

  /** Deletes: what GC of them, and of as many `before`, will ship has to fit besides. */
  deleting(before: number): Portions {
    const needs = { leastBytes: this.#reserveBytes / 2, keptBytes: this.#freeingBytes() };
    return new Portions(this.#portionPorts(), needs, before);
  }

  /** The reserve is given back by whoever finds too little room, and no part of it before. */
  shredding(): Portions {
    const ports = { ...this.#portionPorts(), roomBytes: () => this.#leastFreeBytes() };
    return new Portions(ports, { leastBytes: 0, keptBytes: this.#freeingBytes() });
  }

  /** How what changes gets onto the drives; nothing does where nobody says. */
  shipsBy(ship: () => Promise<void>): void {
    this.#ship = ship;
  }

  #portionPorts(): PortionPorts {
    return {
      copies: this.#copies,
      ship: () => this.#ship(),
      roomBytes: async () => (await this.#leastFreeBytes()) + this.#reserve.sizeBytes(),
    };
  }

  /** For what is freed after GC: its rows, shipping them, and a small group that a hot volume is moved into. */
  #freeingBytes(): number {
    return Math.max(FREEING_LOG_BYTES, (3 * this.#reserveBytes) / 8);
  }

  /** The room that is left is for what frees space: whatever else can wait does. */
  isSparing(): boolean {
    return this.#isFreeingShort;
  }

  #giveBack(): boolean {
    const left = this.#freeingAll > 0 ? 0 : Math.trunc(this.#reserveBytes / 2);
    const bytes = this.#reserve.sizeBytes() - left;
    return bytes > 0 && this.#reserve.release(bytes);
  }

  /** True if a disk of the store has less room than it should keep, the reserve counted. */
  async isShort(): Promise<boolean> {
    return (await this.#leastFreeBytes()) < 2 * this.#reserveBytes - this.#reserve.sizeBytes();
  }

  /** As if all of them were written to the disk with the least room. Whoever frees space has left that much of it. */
  async roomFor(bytes: number): Promise<Reason | undefined> {
    if ((await this.#leastFreeBytes()) >= bytes + FULL_BYTES) return undefined;
    return reasonOf(this.full());
  }

  /** True if nothing more can be stored on one of its disks. */
  async isFull(): Promise<boolean> {
    return (await this.#leastFreeBytes()) < FULL_BYTES;
  }

  /** Deletes that would be more than can be shipped. */
  noRoomToDelete(): PocketfulError {
    return retryLater(
      'DISK_FULL',
      `no space left on the disks of ${this.#path} to delete more: run pocketful gc, which frees room (pocketful trash empty where deleted objects wait for their grace), and delete again`,
    );
  }

  full(cause?: unknown): PocketfulError {
    return retryLater(
      'DISK_FULL',
      `no space left on the disks of ${this.#path}: delete objects (pocketful rm, then gc) or make room, and put again`,
      cause,
    );
  }

  /** Of the store's directory and its drives; one that cannot be asked is away, not full. */
  async #leastFreeBytes(): Promise<number> {
    const free = await Promise.all(
      this.#places.map(async (place) => {
        try {
          const { bavail, bsize } = await statfs(place);
          return bavail * bsize;
        } catch {
          return Number.POSITIVE_INFINITY;
        }
      }),
    );
    return Math.min(...free);
  }
}
