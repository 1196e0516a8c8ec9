// The pools of open volumes, one for each class and lane, as this process knows them: which one the next
// append takes, when there is to be another, and which are full. Soft state: the conditions of the lease decide.

import { assert } from '../../foundation/assert.ts';
import { isKind, retryLater } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import { VOLUME_BUCKETS_MAX } from '../../limits/panda.ts';
import {
  CONFLICT_ATTEMPTS_MAX,
  DRIVE_STATES_READ_BY_APPENDS_EVERY_MS,
  LEASE_WAIT_MS,
  LEASE_WAIT_MS_MAX,
  LEASE_WAITS_MAX,
  OPEN_GROWTH_MAX,
} from '../../limits/volume.ts';
import type { VolumeClass, VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Directories } from '../read/directories.ts';
import type { Components } from '../rows/components.ts';
import type { DriveHealth } from '../rows/drive-health.ts';
import type { DriveRows } from '../rows/drive-states.ts';
import type { ZoneAllocator } from '../rows/zones.ts';
import { isLeasable, isWritable, type Known, pickFull, pickWithRoom, takesAppends, type View } from './choose-open.ts';
import { createVolume } from './create-volume.ts';
import { KeptLeases } from './kept-leases.ts';
import { KnownVolumes, type Pool } from './known-volumes.ts';
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
  readonly #known: KnownVolumes;
  readonly #kept: KeptLeases;
  readonly #waiting: (() => void)[] = [];
  #creating = 0;
  #conflicts = 0;

  constructor(components: Components, health: DriveHealth, zones: ZoneAllocator, directories: Directories) {
    this.#components = components;
    this.#health = health;
    this.#zones = zones;
    this.#directories = directories;
    this.#known = new KnownVolumes(components, () => this.#wakeAll());
    this.#kept = new KeptLeases(components, this.#known);
  }

  /** An append that is committed at once leases its volume for the next one, which may come within so long. */
  keepLeases(forMs: number): void {
    this.#kept.begin(forMs);
  }

  /** To be called when no more is to be appended. */
  giveLeasesBack(): Promise<void> {
    return this.#kept.end();
  }

  /**
   * Leases an open volume whose every extent can take `needBytes` more, directories included, which can take `buckets`
   * more, and which has no column on a drive that takes nothing new. Volumes found full on the way are sealed. Throws
   * `retry` DRIVES_MISSING, STORE_FULL or VOLUMES_BUSY.
   */
  async lease(cls: VolumeClass, needBytes: number, buckets = 1, lane: Lane = SHARED_LANE): Promise<Lease> {
    const pool = { cls, lane };
    assert(needBytes <= this.#emptyBytes(cls), 'a group fits an empty volume');
    for (let waits = 0, lost = 0; ; ) {
      const states = await this.#look();
      const view = this.#view(states);
      if (this.#holdsItsPart(pool)) {
        await this.#freed();
        continue;
      }
      const entry = pickWithRoom(view, this.#known.of(pool), { bytes: needBytes, buckets });
      if (entry !== undefined) {
        if (this.#known.isStale(entry)) {
          await this.#known.readAnew(entry); // and picked again: it may be full, or in use, by now
          continue;
        }
        const lease = await this.#tryLease(entry);
        // Whoever was first gets on. Where nobody seems to, it waits as for volumes that are in use, and gives up.
        if (lease === undefined && ++lost > CONFLICT_ATTEMPTS_MAX) await this.#wait(waits++);
        if (lease === undefined) continue;
        if (extentFreeBytes(this.#components, lease.volume) >= needBytes) return lease;
        await this.#sealOrRelease(lease);
        continue;
      }
      if (this.#mayGrow(pool, states)) {
        await this.#create(pool);
        continue;
      }
      // Nothing may come between this look and the wait, or what gets free there is missed and looks like a conflict.
      const fullest = pickFull(view, this.#known.of(pool), { bytes: needBytes, buckets });
      const isLost = fullest !== undefined && !(await this.#sealFullest(fullest));
      if (fullest === undefined || (isLost && ++lost > CONFLICT_ATTEMPTS_MAX)) await this.#wait(waits++);
    }
  }

  /**
   * Seals every open volume of the class that holds something, or those of `only`, unless it is leased: used when no
   * more is to come.
   */
  async sealAll(cls: VolumeClass, only?: ReadonlySet<VolumeId>): Promise<number> {
    await this.#known.listAll();
    let sealed = 0;
    for (const entry of this.#known.all()) {
      const { row, busy } = entry;
      if (row.class !== cls || busy || !isLeasable(this.#components, row)) continue;
      if (only === undefined ? row.nextSeq === 1 : !only.has(row.id)) continue;
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
    await this.#known.listAll();
    let recovered = 0;
    for (const entry of this.#known.all()) {
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
  async rooms(
    cls: VolumeClass,
    lane: Lane = SHARED_LANE,
  ): Promise<{ readonly extentFreeBytes: number; readonly buckets: number }[]> {
    // A process that has just begun knows no volume yet: a group made for a new one would seal those that are half
    // full.
    const view = this.#view(await this.#look());
    await this.#known.readOlder();
    const usable = this.#known
      .of({ cls, lane })
      .filter(({ busy, row }) => !busy && isLeasable(this.#components, row) && takesAppends(view, row));
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

  /** Which volumes are open, and what is said of each drive: both are read again now and then, not for each append. */
  async #look(): Promise<DriveRows> {
    const [, states] = await Promise.all([
      this.#known.list(),
      this.#zones.states.read(DRIVE_STATES_READ_BY_APPENDS_EVERY_MS),
    ]);
    return states;
  }

  #view(states: DriveRows): View {
    return {
      components: this.#components,
      health: this.#health,
      states,
      isStale: (one) => this.#known.isStale(one),
      isContended: this.#conflicts > 0,
    };
  }

  /**
   * Among many writers there may be more volumes than the pool begins with; one process that took them all would leave
   * none to the others, which then give up.
   */
  #holdsItsPart(pool: Pool): boolean {
    const held = this.#known.of(pool).filter(({ busy }) => busy).length;
    return isPutClass(this.#components, pool.cls) && held >= this.#components.settings.openVolumes;
  }

  #freed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #mayGrow(pool: Pool, states: DriveRows): boolean {
    const base = isPutClass(this.#components, pool.cls) ? this.#components.settings.openVolumes : 2;
    const allowed = this.#conflicts >= CONFLICTS_BEFORE_GROWTH ? base * OPEN_GROWTH_MAX : base;
    const view = { health: this.#health, states };
    const usable = this.#known.of(pool).filter(({ row }) => takesAppends(view, row));
    return usable.length + this.#creating < allowed;
  }

  async #tryLease(entry: Known): Promise<Lease | undefined> {
    entry.busy = true;
    try {
      const leased = (await this.#kept.take(entry)) ?? (await leaseVolume(this.#components, entry.row));
      if (leased === undefined) {
        this.#conflicts += 1;
        entry.conflicts += 1;
        entry.isMine = false;
        await this.#known.readAnew(entry);
        return undefined;
      }
      entry.row = leased;
      entry.isMine = true;
      if (leased.pendingSeq !== undefined) {
        await recoverPending(this.#components, leased, leased.token, false);
        entry.row = { ...leased, pendingSeq: undefined };
      }
      const { row } = entry;
      return leaseOf(
        this.#components,
        row,
        (next) => this.#ended(entry, next),
        () => this.#kept.after(row),
      );
    } catch (error) {
      this.#known.free(entry, undefined);
      throw error;
    }
  }

  #ended(entry: Known, next: VolumeRow | undefined): void {
    if (next?.state === 'open' && next.owner !== undefined) this.#kept.keep(entry, next.token);
    this.#known.free(entry, next);
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

  /** False if another process was first. */
  async #sealFullest(fullest: Known): Promise<boolean> {
    if (this.#known.isStale(fullest)) {
      await this.#known.readAnew(fullest);
      return true;
    }
    const lease = await this.#tryLease(fullest);
    if (lease !== undefined) await this.#seal(lease);
    return lease !== undefined;
  }

  /**
   * All of them: one alone may want another class, or more room, than what became free, and would sleep on in place of
   * the right one.
   */
  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #wait(waits: number): Promise<void> {
    const anyBusy = this.#known.all().some((entry) => entry.busy) || this.#creating > 0;
    if (anyBusy) return this.#freed();
    // Every open volume is leased by another process, or by whoever was first so often, or lies on drives that cannot
    // be written.
    this.#conflicts += 1;
    if (waits >= LEASE_WAITS_MAX)
      throw retryLater('VOLUMES_BUSY', 'every open volume is in use by other processes: try again later');
    this.#known.listAnew();
    await this.#components.clock.sleep(Math.min(LEASE_WAIT_MS_MAX, LEASE_WAIT_MS * 2 ** waits));
    await this.#known.readOlder(0);
  }

  async #create({ cls, lane }: Pool): Promise<void> {
    this.#creating += 1;
    try {
      this.#known.add(await createVolume(this.#components, this.#zones, cls, lane), true);
    } finally {
      this.#creating -= 1;
      this.#wakeAll();
    }
  }
}

const isPutClass = ({ settings: { hotCodec, warmCodec } }: Components, cls: VolumeClass): boolean =>
  cls === 'hot' || hotCodec === warmCodec;
