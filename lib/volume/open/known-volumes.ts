// The open volumes as this process knows them. Which there are is looked up now and then from their own partition; the
// row of one that is known is read again only when it is wanted and was not seen for a while: a look costs one read
// however many are open.
import type { VolumeId } from '../../foundation/ids.ts';
import type { Lane } from '../../foundation/lane.ts';
import { OPEN_LIST_EVERY_MS } from '../../limits/volume.ts';
import { laneOf, type VolumeClass, type VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { readVolume } from '../rows/read-rows.ts';
import { listedVolumes, mendVolumeLists, readListed } from '../rows/volume-lists.ts';
import { isLeasable, type Known } from './choose-open.ts';

/** Which volumes an append may take: they are of one class and one lane. */
export interface Pool {
  readonly cls: VolumeClass;
  readonly lane: Lane;
}

/** Enough that two volumes seldom draw the same. */
const DRAWS = 2 ** 20;

export class KnownVolumes {
  readonly #components: Components;
  /** Somebody may have waited for a volume that is free again, or gone. */
  readonly #onFree: () => void;
  readonly #known = new Map<VolumeId, Known>();
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #listing: Promise<void> = Promise.resolve();

  constructor(components: Components, onFree: () => void) {
    this.#components = components;
    this.#onFree = onFree;
  }

  all(): Known[] {
    return [...this.#known.values()];
  }

  of({ cls, lane }: Pool): Known[] {
    return this.all().filter(({ row }) => row.class === cls && laneOf(row) === lane);
  }

  /** `isMine`: made by this process. */
  add(row: VolumeRow, isMine = false): void {
    const draw = this.#components.randomness.below(DRAWS);
    this.#known.set(row.id, { row, seenAtMs: this.#nowMs(), busy: false, conflicts: 0, isMine, draw });
  }

  /** The next look is not to wait for its time. */
  listAnew(): void {
    this.#listedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Whoever asks while the volumes are being listed waits for that list. */
  list(): Promise<void> {
    const nowMs = this.#nowMs();
    if (nowMs - this.#listedAtMs >= OPEN_LIST_EVERY_MS) {
      this.#listedAtMs = nowMs;
      this.#listing = this.#listNow().catch((error: unknown) => {
        this.listAnew();
        throw error;
      });
    }
    return this.#listing;
  }

  /** Every open volume, by the rows of all volumes; for maintenance. */
  async listAll(): Promise<void> {
    const open = (await mendVolumeLists(this.#components)).filter(({ state }) => state === 'open');
    this.#keep(new Set(open.map(({ id }) => id)));
    this.#seen(open);
  }

  isStale({ seenAtMs }: Known): boolean {
    return this.#nowMs() - seenAtMs >= OPEN_LIST_EVERY_MS;
  }

  /** One that others are at counts as if they had been first: the next look takes another one. */
  async readAnew(entry: Known): Promise<void> {
    entry.busy = true;
    try {
      const row = await readVolume(this.#components.panda, this.#components.settings.cell, entry.row.id);
      if (row !== undefined && !isLeasable(this.#components, row)) entry.conflicts += 1;
      if (row === undefined) this.#forget(entry);
      else this.free(entry, row);
    } catch (error) {
      this.free(entry, undefined);
      throw error;
    }
  }

  /** Those that were not seen for so long, and that this process is not at. */
  async readOlder(ageMs = OPEN_LIST_EVERY_MS): Promise<void> {
    const stale = this.all().filter(({ busy, seenAtMs }) => !busy && this.#nowMs() - seenAtMs >= ageMs);
    if (stale.length === 0) return;
    const ids = stale.map(({ row }) => row.id);
    const open = await readListed(this.#components, 'open', ids);
    const still = new Set(open.map(({ id }) => id));
    for (const entry of stale) if (!entry.busy && !still.has(entry.row.id)) this.#known.delete(entry.row.id);
    this.#seen(open);
  }

  /** The entry is free again; without a row it is forgotten and listed anew. */
  free(entry: Known, row: VolumeRow | undefined): void {
    if (row === undefined) this.listAnew();
    if (row?.state !== 'open') this.#forget(entry);
    else {
      entry.busy = false;
      entry.row = row;
      entry.seenAtMs = this.#nowMs();
      this.#onFree();
    }
  }

  #forget(entry: Known): void {
    entry.busy = false;
    this.#known.delete(entry.row.id);
    this.#onFree();
  }

  async #listNow(): Promise<void> {
    const ids = await listedVolumes(this.#components, 'open');
    this.#keep(ids);
    const fresh = [...ids].filter((id) => !this.#known.has(id));
    if (fresh.length > 0) this.#seen(await readListed(this.#components, 'open', fresh));
  }

  #keep(ids: ReadonlySet<VolumeId>): void {
    for (const [id, entry] of this.#known) if (!entry.busy && !ids.has(id)) this.#known.delete(id);
  }

  #seen(open: readonly VolumeRow[]): void {
    for (const row of open) {
      const entry = this.#known.get(row.id);
      if (entry === undefined) this.add(row);
      else if (!entry.busy && entry.row.token <= row.token) {
        entry.row = row;
        entry.seenAtMs = this.#nowMs();
      }
    }
  }

  #nowMs(): number {
    return this.#components.clock.monotonicMs();
  }
}
