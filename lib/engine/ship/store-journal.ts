// The journal of an embedded store: shipped each second while this process writes and when it ends, and tended then.
// Too few drives keep nothing from its work; who must know that it is shipped asks with `shipNow`.
import type { DriveIdentity } from '../../drive/directory-marker.ts';
import type { Shelf } from '../../drive/shelf.ts';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import { driveId } from '../../foundation/ids.ts';
import { type LadderScrub, type LadderScrubOptions, scrubLadder } from '../../journal/scrub-ladder.ts';
import { type ShelfPlace, Shelves } from '../../journal/shelves.ts';
import { ship, shipSnapshot } from '../../journal/ship.ts';
import { type TendPorts, tendLadder } from '../../journal/tend.ts';
import { SHIP_EVERY_MS } from '../../limits/journal.ts';
import type { JournalSource, JournalView } from '../../panda/journal-source.ts';
import { type DriveRow, driveFromRow, drivePartition } from '../../panda/rows/drives/drive-row.ts';
import { readOrTell } from '../../panda/rows/row-reader.ts';
import { type StoreRow, storeFromRow, storeKey } from '../../panda/rows/store-row.ts';
import type { Settings } from '../../settings/settings.ts';
import { spareOf } from '../../volume/check/redundancy.ts';
import type { Components } from '../../volume/rows/components.ts';
import { domainOf, isActive, isGone } from '../../volume/rows/drive-states.ts';
import { currentKek } from '../../volume/rows/known-keks.ts';
import { type JournalStatus, journalStatusOf } from './journal-status.ts';

/** Shippings after which the ladder is looked at while a process goes on writing. */
export const TEND_EVERY_SHIPPINGS = 8;

/** One more than a store certainly survives losing. */
export const journalCopies = ({ warmCodec, hotCodec }: Settings): number =>
  1 + Math.max(spareOf(warmCodec), spareOf(hotCodec));

/** The shelf of a drive, by what the store's row calls it. */
export type ShelfAt = (place: string, identity: DriveIdentity) => Shelf;

/** The shelves of a store's drives, but of those that are given up. */
export function shelvesOf(shelfAt: ShelfAt, row: StoreRow, states: ReadonlyMap<number, DriveRow>): Shelves {
  const places = row.drives.flatMap((place, drive): ShelfPlace[] => {
    if (isGone(states, drive)) return [];
    const shelf = shelfAt(place, { storeId: row.storeId, driveId: driveId(drive) });
    return [{ drive, shelf, domain: domainOf(states, drive), isActive: isActive(states, drive) }];
  });
  return new Shelves(places, journalCopies(row.settings));
}

export interface JournalOptions {
  /** Waits in real time, whatever clock stamps: this is beside all other work. */
  readonly waiting?: Clock;
  /** True while what nobody asked for should leave the room of the drives alone. */
  readonly mayWait?: () => boolean;
  /** Asked with the key that is about to be written under: whoever has only the drives must be able to unwrap it. */
  readonly keepKey?: (version: number, shelves: Shelves) => Promise<void>;
}

/** Changes of the metadata that are on no drive yet, or on too few, and why. */
export interface Unshipped {
  readonly commits: number;
  readonly error: PocketfulError;
}

export class StoreJournal {
  readonly #shelfAt: ShelfAt;
  readonly #components: Components;
  readonly #source: JournalSource;
  readonly #mayWait: () => boolean;
  readonly #ports: TendPorts;
  readonly #waiting: Clock;
  readonly #ended = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #loop: Promise<void> | undefined;
  #isWriting = false;
  #isClosed = false;
  #shippings = 0;
  #refused: PocketfulError | undefined;

  constructor(shelfAt: ShelfAt, components: Components, source: JournalSource, options: JournalOptions = {}) {
    const { waiting = systemClock, mayWait = () => false, keepKey } = options;
    this.#shelfAt = shelfAt;
    this.#waiting = waiting;
    this.#mayWait = mayWait;
    this.#components = components;
    this.#source = source;
    const { clock, randomness, storeId, keks, owner } = components;
    this.#ports = {
      ...{ source, clock, randomness, storeId, owner },
      isOwnerGone: (other) => components.isOwnerGone(other),
      shelvesOf: (view) => this.#shelves(view),
      kekOf: (version) => keks.kek(version),
      currentKek: async () => {
        const kek = await currentKek(components);
        await keepKey?.(kek.version, await this.shelves());
        return kek;
      },
    };
  }

  /** From now on this process writes. */
  begin(): void {
    if (this.#isWriting || this.#isClosed) return;
    this.#isWriting = true;
    this.#loop = this.#everySecond();
  }

  /** Why what this process writes could not be shipped when that was tried last. */
  get refused(): PocketfulError | undefined {
    return this.#refused;
  }

  /** Everything that is committed now. Throws `retry` JOURNAL_UNSHIPPED. */
  shipNow(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        const { segment } = await ship(this.#ports);
        if (segment !== undefined) this.#shippings += 1;
        this.#refused = undefined;
      } catch (error) {
        this.#refused = isPocketfulError(error) ? error : undefined;
        throw error;
      }
    });
  }

  /** Under the current key, read back from the drives: what was shipped before is not needed any more. */
  snapshotNow(): Promise<void> {
    return this.#inTurn(async () => {
      await shipSnapshot(this.#ports, true);
    });
  }

  tend(): Promise<void> {
    return this.#inTurn(async () => {
      this.#shippings = 0;
      await tendLadder(this.#ports);
    });
  }

  /** Each copy read; what no drive has sound is not needed any more afterwards. */
  async scrub(options: LadderScrubOptions = {}): Promise<LadderScrub> {
    const report = await scrubLadder({ ...this.#ports, shelves: await this.shelves() }, options);
    if (report.lostSegments > 0) await this.#unlessRefused(() => this.snapshotNow());
    return report;
  }

  /**
   * What this process wrote is shipped if that can be; nothing runs any more afterwards. Answers what waits because it
   * could not.
   */
  async close(): Promise<Unshipped | undefined> {
    this.#ended.abort();
    await this.#loop;
    const error = this.#isWriting ? await this.#unlessRefused(() => this.#pass(0)) : undefined;
    this.#isClosed = true;
    await this.#working;
    const waiting = error === undefined ? undefined : await this.#waitingNow(error);
    this.#source.close();
    return waiting;
  }

  /** Of the drives as of now. */
  async shelves(): Promise<Shelves> {
    return this.#looking(async (view) => this.#shelves(view));
  }

  async status(): Promise<JournalStatus> {
    return this.#looking((view) => journalStatusOf(view, this.#shelves(view), this.#components.clock.nowMs()));
  }

  async #waitingNow(error: PocketfulError): Promise<Unshipped | undefined> {
    const { commits } = await this.#looking(async ({ waiting }) => waiting);
    return commits === undefined || commits === 0 ? undefined : { commits, error };
  }

  async #looking<T>(use: (view: JournalView) => Promise<T>): Promise<T> {
    const view = await this.#source.look();
    try {
      return await use(view);
    } finally {
      view.close();
    }
  }

  async #everySecond(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await this.#waiting.sleep(SHIP_EVERY_MS, signal).catch(() => {});
      if (signal.aborted || this.#mayWait()) continue;
      await this.#unlessRefused(() => this.#pass(TEND_EVERY_SHIPPINGS));
    }
  }

  async #pass(tendFrom: number): Promise<void> {
    await this.shipNow();
    if (this.#shippings > tendFrom || (tendFrom === 0 && this.#shippings > 0)) await this.tend();
  }

  /** One at a time: what is asked for while another is at it comes after it. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#working.then(work);
    this.#working = turn.catch(() => {});
    return turn;
  }

  /** Why it was not shipped is asked for by `status`; it is tried again. */
  async #unlessRefused(work: () => Promise<void>): Promise<PocketfulError | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      return error;
    }
  }

  #shelves(view: JournalView): Shelves {
    const row = view.row(storeKey);
    const store = row === undefined ? undefined : storeFromRow(row);
    if (store === undefined) return new Shelves([], journalCopies(this.#components.settings));
    // Of a damaged one nothing is known: its drive is asked.
    const told = view.rows(drivePartition).flatMap((one) => readOrTell(one, driveFromRow, () => {}) ?? []);
    const states = new Map(told.map((one) => [one.drive, one]));
    return shelvesOf(this.#shelfAt, store, states);
  }
}
