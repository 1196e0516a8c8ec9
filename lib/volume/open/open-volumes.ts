// The pool of open volumes of each class, as this process knows it: which one the next append takes, when there is to
// be another, and which are full. Soft state: the conditions of the lease decide.

import { assert } from '../../foundation/assert.ts';
import { isKind, retryLater } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { VOLUME_BUCKETS_MAX } from '../../limits/panda.ts';
import {
  LEASE_WAIT_MS,
  LEASE_WAIT_MS_MAX,
  LEASE_WAITS_MAX,
  OPEN_GROWTH_MAX,
  OPEN_LIST_EVERY_MS,
} from '../../limits/volume.ts';
import type { VolumeClass, VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Directories } from '../read/directories.ts';
import type { Components } from '../rows/components.ts';
import type { DriveHealth } from '../rows/drive-health.ts';
import { listVolumes, readVolume } from '../rows/read-rows.ts';
import type { ZoneAllocator } from '../rows/zones.ts';
import { isLeasable, isWritable, type Known, pickFull, pickWithRoom, type View } from './choose-open.ts';
import { createVolume } from './create-volume.ts';
import { type Lease, leaseOf, leaseVolume } from './lease.ts';
import { recoverPending } from './recover.ts';
import { extentFreeBytes, sealReserveBytes } from './room.ts';
import { sealVolume } from './seal.ts';

const CONFLICTS_BEFORE_GROWTH = 3;
/** A volume with less of its extents free than this is full. */
const FULL_FREE_PERMILLE = 10;

export class OpenVolumes {
  readonly #components: Components;
  readonly #health: DriveHealth;
  readonly #zones: ZoneAllocator;
  readonly #directories: Directories;
  readonly #known = new Map<VolumeId, Known>();
  readonly #waiting: (() => void)[] = [];
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #listing: Promise<void> = Promise.resolve();
  #creating = 0;
  #conflicts = 0;

  constructor(components: Components, health: DriveHealth, zones: ZoneAllocator, directories: Directories) {
    this.#components = components;
    this.#health = health;
    this.#zones = zones;
    this.#directories = directories;
  }

  /**
   * Leases an open volume whose every extent can take `needBytes` more, directories included, and which can take
   * `buckets` more. Volumes found full on the way are sealed. Throws `retry` DRIVES_MISSING, STORE_FULL or
   * VOLUMES_BUSY.
   */
  async lease(cls: VolumeClass, needBytes: number, buckets = 1): Promise<Lease> {
    assert(needBytes <= this.#emptyBytes(cls), 'a group fits an empty volume');
    await this.#components.mayWrite?.();
    for (let waits = 0; ; ) {
      await this.#list();
      const entry = pickWithRoom(this.#view(), this.#ofClass(cls), { bytes: needBytes, buckets });
      if (entry !== undefined) {
        const lease = await this.#tryLease(entry);
        if (lease === undefined) continue;
        if (extentFreeBytes(this.#components, lease.volume) >= needBytes) return lease;
        await this.#sealOrRelease(lease);
        continue;
      }
      if (this.#mayGrow(cls)) {
        await this.#create(cls);
        continue;
      }
      // Nothing may come between this look and the wait, or what gets free there is missed and looks like a conflict.
      const fullest = pickFull(this.#view(), this.#ofClass(cls), { bytes: needBytes, buckets });
      if (fullest === undefined) await this.#wait(waits++);
      else await this.#sealFullest(fullest);
    }
  }

  /**
   * Seals every open volume of the class, or those of `only`, that holds something and is not leased: used when no more
   * is to come.
   */
  async sealAll(cls: VolumeClass, only?: ReadonlySet<VolumeId>): Promise<number> {
    this.#listedAtMs = Number.NEGATIVE_INFINITY;
    await this.#list();
    let sealed = 0;
    for (const entry of [...this.#known.values()]) {
      if (entry.row.class !== cls || entry.busy || entry.row.nextSeq === 1 || !isLeasable(this.#components, entry.row))
        continue;
      if (only?.has(entry.row.id) === false) continue;
      const lease = await this.#tryLease(entry);
      if (lease === undefined) continue;
      await this.#seal(lease);
      sealed += 1;
    }
    return sealed;
  }

  /**
   * Open volumes that nobody works on although something is left to do: a pending group, or a drive that is lost.
   * Recovers them; seals those that cannot take appends any more.
   */
  async recoverIdle(): Promise<number> {
    this.#listedAtMs = Number.NEGATIVE_INFINITY;
    await this.#list();
    let recovered = 0;
    for (const entry of [...this.#known.values()]) {
      const stuck = !isWritable(this.#health, entry.row);
      const owned = entry.row.owner !== undefined;
      if (entry.busy || !isLeasable(this.#components, entry.row)) continue;
      if (entry.row.pendingSeq === undefined && !owned && !stuck) continue;
      const lease = await this.#tryLease(entry);
      if (lease === undefined) continue;
      recovered += 1;
      if (stuck && lease.volume.nextSeq > 1) await this.#seal(lease);
      else await lease.release();
    }
    return recovered;
  }

  /** What each open volume can take that is not leased, the fullest first, and at the end what a new one can. */
  async rooms(cls: VolumeClass): Promise<{ readonly extentFreeBytes: number; readonly buckets: number }[]> {
    // A process that has just begun knows no volume yet: a group made for a new one would seal those that are half
    // full.
    await this.#list();
    const usable = this.#ofClass(cls).filter(
      ({ busy, row }) => !busy && isLeasable(this.#components, row) && isWritable(this.#health, row),
    );
    const rooms = usable
      .map(({ row }) => ({
        extentFreeBytes: extentFreeBytes(this.#components, row),
        buckets: VOLUME_BUCKETS_MAX - row.buckets.size,
      }))
      .sort((a, b) => a.extentFreeBytes - b.extentFreeBytes);
    return [...rooms, { extentFreeBytes: this.#emptyBytes(cls), buckets: VOLUME_BUCKETS_MAX }];
  }

  #emptyBytes(cls: VolumeClass): number {
    return (
      this.#components.settings.extentBytes - sealReserveBytes(this.#components, { class: cls, directoryBytes: 0 })
    );
  }

  /** Whoever asks while the volumes are being listed waits for that list. */
  #list(): Promise<void> {
    const nowMs = this.#components.clock.monotonicMs();
    if (nowMs - this.#listedAtMs >= OPEN_LIST_EVERY_MS) {
      this.#listedAtMs = nowMs;
      this.#listing = this.#listNow().catch((error: unknown) => {
        this.#listedAtMs = Number.NEGATIVE_INFINITY;
        throw error;
      });
    }
    return this.#listing;
  }

  async #listNow(): Promise<void> {
    const open = (
      await listVolumes(this.#components.panda, this.#components.settings.cell, this.#components.badRow)
    ).filter((v) => v.state === 'open');
    const ids = new Set(open.map((v) => v.id));
    for (const [id, entry] of this.#known) if (!entry.busy && !ids.has(id)) this.#known.delete(id);
    for (const row of open) {
      const entry = this.#known.get(row.id);
      if (entry === undefined) this.#known.set(row.id, { row, busy: false, conflicts: 0 });
      else if (!entry.busy && entry.row.token <= row.token) entry.row = row;
    }
  }

  #view(): View {
    return { components: this.#components, health: this.#health };
  }

  #ofClass(cls: VolumeClass): Known[] {
    return [...this.#known.values()].filter((entry) => entry.row.class === cls);
  }

  #mayGrow(cls: VolumeClass): boolean {
    const base =
      cls === 'hot' || this.#components.settings.hotCodec === this.#components.settings.warmCodec
        ? this.#components.settings.openVolumes
        : 2;
    const allowed = this.#conflicts >= CONFLICTS_BEFORE_GROWTH ? base * OPEN_GROWTH_MAX : base;
    const usable = this.#ofClass(cls).filter((entry) => isWritable(this.#health, entry.row));
    return usable.length + this.#creating < allowed;
  }

  async #tryLease(entry: Known): Promise<Lease | undefined> {
    entry.busy = true;
    try {
      const leased = await leaseVolume(this.#components, entry.row);
      if (leased === undefined) {
        this.#conflicts += 1;
        entry.conflicts += 1;
        await this.#reread(entry);
        return undefined;
      }
      entry.row = leased;
      if (leased.pendingSeq !== undefined) {
        await recoverPending(this.#components, leased, leased.token, false);
        entry.row = { ...leased, pendingSeq: undefined };
      }
      return leaseOf(this.#components, entry.row, (next) => this.#settle(entry, next));
    } catch (error) {
      this.#settle(entry, undefined);
      throw error;
    }
  }

  /** The entry is free again; without a row it is forgotten and listed anew. */
  #settle(entry: Known, row: VolumeRow | undefined): void {
    entry.busy = false;
    if (row === undefined) {
      this.#known.delete(entry.row.id);
      this.#listedAtMs = Number.NEGATIVE_INFINITY;
    } else if (row.state !== 'open') this.#known.delete(row.id);
    else entry.row = row;
    this.#wakeAll();
  }

  async #reread(entry: Known): Promise<void> {
    const row = await readVolume(this.#components.panda, this.#components.settings.cell, entry.row.id);
    if (row !== undefined) return this.#settle(entry, row);
    entry.busy = false;
    this.#known.delete(entry.row.id);
    this.#wakeAll();
  }

  async #sealOrRelease(lease: Lease): Promise<void> {
    const permille = (extentFreeBytes(this.#components, lease.volume) * 1000) / this.#components.settings.extentBytes;
    if (permille < FULL_FREE_PERMILLE || lease.volume.buckets.size >= VOLUME_BUCKETS_MAX) await this.#seal(lease);
    else await lease.release();
  }

  async #seal(lease: Lease): Promise<void> {
    try {
      await sealVolume({ components: this.#components, health: this.#health, directories: this.#directories }, lease);
    } catch (error) {
      // Sealed all the same: its directories can be written when its drives are back.
      if (!isKind(error, 'retry', 'corrupt')) throw error;
    }
  }

  async #sealFullest(fullest: Known): Promise<void> {
    const lease = await this.#tryLease(fullest);
    if (lease !== undefined) await this.#seal(lease);
  }

  /**
   * All of them: one alone may want another class, or more room, than what became free, and would sleep on in place of
   * the right one.
   */
  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #wait(waits: number): Promise<void> {
    const anyBusy = [...this.#known.values()].some((entry) => entry.busy) || this.#creating > 0;
    if (anyBusy) return new Promise((resolve) => this.#waiting.push(resolve));
    // Every open volume is leased by another process, or lies on drives that cannot be written.
    this.#conflicts += 1;
    if (waits >= LEASE_WAITS_MAX)
      throw retryLater('VOLUMES_BUSY', 'every open volume is in use by other processes: try again later');
    this.#listedAtMs = Number.NEGATIVE_INFINITY;
    await this.#components.clock.sleep(Math.min(LEASE_WAIT_MS_MAX, LEASE_WAIT_MS * 2 ** waits));
  }

  async #create(cls: VolumeClass): Promise<void> {
    this.#creating += 1;
    try {
      const row = await createVolume(this.#components, this.#zones, cls);
      this.#known.set(row.id, { row, busy: false, conflicts: 0 });
    } finally {
      this.#creating -= 1;
      this.#wakeAll();
    }
  }
}
