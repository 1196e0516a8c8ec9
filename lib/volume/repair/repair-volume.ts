// REPAIR of one volume (protocols 23-26): its lease, extents for the columns that move, the copy, and one transaction
// that puts them in the place of the old ones. Whatever dies where, the columns are where they were or where they were
// made again; what was copied is found and kept by whoever comes next.
import { isKind } from '../../foundation/errors.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import { ZONE_CLAIM_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { Extent, VolumeRow } from '../../panda/rows/volume-row.ts';
import { placeText } from '../check/part-look.ts';
import { domainColumnsMax } from '../check/redundancy.ts';
import { clearDamage, type DamageFound, noteDamage, readDamage } from '../rows/damage.ts';
import { type DriveRows, isActive, isGone } from '../rows/drive-states.ts';
import { readVolume } from '../rows/read-rows.ts';
import { transactUnlessConflict } from '../rows/transact.ts';
import { releaseRun, takeRun } from '../runs/runs.ts';
import { claimRepairWrites, commitRepairWrites, undoRepairWrites } from '../steps/repair-steps.ts';
import type { VolumeStore } from '../volume-store.ts';
import { type Copied, type CopyOptions, copyColumns, type PartLeft } from './copy-columns.ts';
import { repairOf, type VolumeRepair } from './what-to-repair.ts';

export interface VolumeRepaired {
  readonly volume: VolumeId;
  /** Columns made whole: moved, or filled where they were. */
  readonly columns: readonly number[];
  readonly objects: number;
  readonly writtenBytes: number;
  /** What could not be made again: it is noted as missing where it belongs, or its column stays where it was. */
  readonly left: readonly PartLeft[];
  /** Why it was left as it is. */
  readonly skipped?: Reason;
}

export interface RepairVolumeOptions extends CopyOptions {
  /** Columns that this pass has made again, by drive; is read and written. No drive is to get more than its share. */
  readonly had?: Map<number, number> | undefined;
  /** A column that is sound, to another drive: only if nothing of the volume is to be repaired. */
  readonly move?: ColumnMove | undefined;
}

export interface ColumnMove {
  readonly column: number;
  readonly from: number;
  readonly to: number;
}

/** Throws `retry` where drives do not take what is written, `DRIVES_MISSING` where there are too few. */
export async function repairVolume(
  store: VolumeStore,
  id: VolumeId,
  run: RunId,
  options: RepairVolumeOptions = {},
): Promise<VolumeRepaired> {
  const held = await takeRun(store.components, id, run);
  if (held === undefined) return skipped(id, 'VOLUME_OWNED', 'it is not sealed, or another run has it');
  try {
    const repair = new Repair(store, run, options);
    const done = await repair.run(held);
    if (done.skipped?.code !== 'VOLUME_CHANGED' || !held.directoriesPending) return done;
    // Its seal came to its end meanwhile: now its directories are to be copied as well, and they name the groups.
    const now = await readVolume(store.components.panda, store.components.settings.cell, id);
    return now?.run === run && !now.directoriesPending ? await repair.run(now) : done;
  } finally {
    await releaseRun(store.components, id, run);
  }
}

class Repair {
  readonly #store: VolumeStore;
  readonly #run: RunId;
  readonly #options: RepairVolumeOptions;

  constructor(store: VolumeStore, run: RunId, options: RepairVolumeOptions) {
    this.#store = store;
    this.#run = run;
    this.#options = options;
  }

  async run(held: VolumeRow): Promise<VolumeRepaired> {
    const { components, zones } = this.#store;
    zones.states.forget();
    const wanted = repairOf(held, await zones.states.read(), await readDamage(components, held.id));
    const { move } = this.#options;
    if (wanted === undefined && move === undefined) return this.#nothing(held);
    if (move !== undefined && (wanted !== undefined || held.extents[move.column]?.drive !== move.from))
      return skipped(held.id, 'VOLUME_CHANGED', 'it is to be repaired, or was moved');
    const filled = columnsOf(wanted, 'fill');
    const inPlace = new Map(filled.map((column) => [column, held.extents[column] as Extent]));
    const moving = move === undefined ? columnsOf(wanted, 'move') : [move.column];
    const volume = moving.length === 0 ? held : await this.#claim(held, moving);
    if (volume === undefined) return skipped(held.id, 'VOLUME_CHANGED', 'another worker has taken it over');
    const targets = new Map([...inPlace, ...(moving.length === 0 ? [] : (volume.repair?.extents ?? []))]);
    const noted = placesOf(volume, await readDamage(components, held.id));
    const copied = await this.#copy(volume, targets, noted);
    if (await this.#wasSealed(volume))
      return skipped(held.id, 'VOLUME_CHANGED', 'its directories were written meanwhile');
    const goes = moving.length === 0 ? [] : this.#mayGo(volume, copied, await zones.states.read());
    if (
      goes.length > 0 &&
      !((await this.#noteLeft(volume, goes, copied)) && (await this.#commit(volume, goes, copied)))
    )
      return skipped(held.id, 'VOLUME_CHANGED', 'another worker has taken it over');
    this.#store.directories.forget(volume);
    await this.#clear(volume, { filled, goes, noted }, copied);
    // In its new place it is missing, whatever it was before.
    const missing = missingParts(volume, goes, copied);
    if (missing.length > 0) await noteDamage(components, { ...volume, revision: volume.revision + 1 }, missing);
    const isWhole = (column: number): boolean => copied.left.every((one) => one.column !== column);
    return this.#report(held.id, [...filled, ...goes].filter(isWhole), copied);
  }

  /** Its group rows, by which it was copied, may have gone at any time then. */
  async #wasSealed({ id, directoriesPending }: VolumeRow): Promise<boolean> {
    const { panda, settings } = this.#store.components;
    return directoriesPending && (await readVolume(panda, settings.cell, id))?.directoriesPending !== true;
  }

  /**
   * Columns that go to their new places. One of which something cannot be made goes if something else of it could, and
   * if nothing that is left can be read where it was: not so what is rotten, as its other records can, nor what lies on
   * a drive that is only not answering now.
   */
  #mayGo(volume: VolumeRow, { left, madeBytes }: Copied, states: DriveRows): number[] {
    const columns = [...(volume.repair?.extents.keys() ?? [])];
    if (this.#options.move !== undefined && left.length > 0) return [];
    return columns.filter((column) => {
      const own = left.filter((one) => one.column === column);
      if (own.length === 0) return true;
      if (madeBytes.get(column) === 0) return false;
      const isGivenUp = isGone(states, volume.extents[column]?.drive ?? -1);
      return own.every(({ old }) => old === 'absent' || (old === undefined && isGivenUp));
    });
  }

  /**
   * Before the commit, so that nobody who dies after it leaves what is missing unnoted. What is noted otherwise stays
   * as it is until then: the place that the column still has is not one that only misses something.
   */
  async #noteLeft(volume: VolumeRow, goes: readonly number[], copied: Copied): Promise<boolean> {
    const found = missingParts(volume, goes, copied);
    if (found.length === 0) return true;
    const noted = new Set((await readDamage(this.#store.components, volume.id)).map((row) => placeOf(row)));
    const news = found.filter((one) => !noted.has(placeOf(one)));
    return noteDamage(this.#store.components, volume, news);
  }

  /** A target that holds something else is of no use: the next repair claims another. */
  async #copy(volume: VolumeRow, targets: ReadonlyMap<number, Extent>, noted: ReadonlySet<string>): Promise<Copied> {
    try {
      return await copyColumns(this.#store, volume, targets, { ...this.#options, noted });
    } catch (error) {
      if (isKind(error, 'conflict') && volume.repair !== undefined) await this.#undo(volume);
      throw error;
    }
  }

  async #nothing(held: VolumeRow): Promise<VolumeRepaired> {
    if (held.repair !== undefined) await this.#undo(held);
    return skipped(held.id, 'NOTHING_TO_REPAIR', 'every column of it is where it should be');
  }

  /** What an earlier repair claimed is gone on with if it is what is wanted now; else it is given up. */
  async #claim(held: VolumeRow, moving: readonly number[]): Promise<VolumeRow | undefined> {
    const { components, zones } = this.#store;
    const { cell } = components.settings;
    const { had } = this.#options;
    const fresh = await this.#usable(held, moving);
    if (fresh === undefined) return undefined;
    if (fresh.repair !== undefined) return fresh;
    for (let attempt = 0; attempt < ZONE_CLAIM_ATTEMPTS_MAX; attempt++) {
      const keeps = held.extents.filter((_, column) => !moving.includes(column)).map(({ drive }) => drive);
      const perDomain = domainColumnsMax(held.codec);
      const onto = this.#options.move?.to;
      const claim = await zones.claim(held.id, moving.length, { keeps, perDomain, had, onto });
      const extents = new Map(moving.map((column, i) => [column, claim.extents[i] as Extent]));
      const writes = claimRepairWrites(cell, this.#run, fresh, extents, claim.writes);
      const took = async (): Promise<boolean> =>
        sameExtents((await readVolume(components.panda, cell, held.id))?.repair?.extents, extents);
      if (await transactUnlessConflict(components, writes, took)) {
        for (const { drive } of claim.extents) had?.set(drive, (had.get(drive) ?? 0) + 1);
        break;
      }
      zones.refresh();
    }
    const now = await readVolume(components.panda, cell, held.id);
    return now?.run === this.#run && now.repair !== undefined ? now : undefined;
  }

  /** The row with a repair in the making that can be gone on with, or with none. */
  async #usable(held: VolumeRow, moving: readonly number[]): Promise<VolumeRow | undefined> {
    const { repair } = held;
    if (repair === undefined) return held;
    const states = await this.#store.zones.states.read();
    const columns = [...repair.extents.keys()].sort((a, b) => a - b);
    const isWanted =
      repair.generation === held.generation &&
      columns.join() === [...moving].sort((a, b) => a - b).join() &&
      [...repair.extents.values()].every(
        ({ drive }) => isActive(states, drive) && (this.#options.move?.to ?? drive) === drive,
      );
    return isWanted ? held : this.#undo(held);
  }

  async #undo(volume: VolumeRow): Promise<VolumeRow | undefined> {
    const { components } = this.#store;
    const { cell } = components.settings;
    const writes = undoRepairWrites(cell, this.#run, volume, Math.max(0, components.clock.nowMs()));
    const took = async (): Promise<boolean> =>
      (await readVolume(components.panda, cell, volume.id))?.repair === undefined;
    if (!(await transactUnlessConflict(components, writes, took))) return undefined;
    return readVolume(components.panda, cell, volume.id);
  }

  /** A column that is to get more keeps the room for it. */
  async #commit(volume: VolumeRow, columns: readonly number[], { madeBytes, left }: Copied): Promise<boolean> {
    const { components } = this.#store;
    const { cell } = components.settings;
    const nowMs = Math.max(0, components.clock.nowMs());
    const wanting = new Set(left.map(({ column }) => column));
    const usedBytes = new Map([...madeBytes].filter(([column]) => !wanting.has(column)));
    const writes = commitRepairWrites(cell, this.#run, volume, { columns, usedBytes }, nowMs);
    const took = async (): Promise<boolean> => {
      const now = await readVolume(components.panda, cell, volume.id);
      return now !== undefined && now.revision > volume.revision;
    };
    return transactUnlessConflict(components, writes, took);
  }

  /**
   * Of what was made; of other columns, or of a later generation, it says nothing. What somebody has noted since of a
   * column that stays where it was is not made: only what was known before is.
   */
  async #clear({ id, generation }: VolumeRow, { filled, goes, noted }: Made, { left }: Copied): Promise<void> {
    const rows = await readDamage(this.#store.components, id);
    const still = new Set(left.map(({ column, part }) => placeText(column, part)));
    const isMade = ({ column, part }: DamageRow): boolean =>
      goes.includes(column) || (filled.includes(column) && noted.has(placeText(column, part)));
    const repaired = rows.filter(
      (row) => row.generation === generation && isMade(row) && !still.has(placeText(row.column, row.part)),
    );
    await clearDamage(this.#store.components, repaired);
  }

  #report(volume: VolumeId, columns: readonly number[], copied: Copied): VolumeRepaired {
    const { objects, writtenBytes } = copied;
    const left = copied.left.map(({ column, part, reason }) => ({ column, part, reason }));
    return { volume, columns, objects, writtenBytes, left };
  }
}

interface Made {
  /** Columns of which what was known to be missing was put where it was. */
  readonly filled: readonly number[];
  /** Columns that were made elsewhere. */
  readonly goes: readonly number[];
  /** What was known to be wrong before. */
  readonly noted: ReadonlySet<string>;
}

/** What is left of these columns. */
const missingParts = ({ id, generation }: VolumeRow, columns: readonly number[], { left }: Copied): DamageFound[] =>
  left
    .filter(({ column }) => columns.includes(column))
    .map(({ column, part }) => ({ volume: id, generation, column, part, kind: 'missing', reason: 'CHUNK_MISSING' }));

const placesOf = ({ generation }: VolumeRow, damage: readonly DamageRow[]): Set<string> =>
  new Set(damage.filter((row) => row.generation === generation).map(({ column, part }) => placeText(column, part)));

const placeOf = ({ generation, column, part }: Pick<DamageFound, 'generation' | 'column' | 'part'>): string =>
  `${generation}/${placeText(column, part)}`;

const columnsOf = (repair: VolumeRepair | undefined, how: 'move' | 'fill'): number[] =>
  (repair?.columns ?? []).filter((one) => one.how === how).map(({ column }) => column);

const sameExtents = (a: ReadonlyMap<number, Extent> | undefined, b: ReadonlyMap<number, Extent>): boolean =>
  a !== undefined && JSON.stringify([...a]) === JSON.stringify([...b]);

const skipped = (volume: VolumeId, code: Reason['code'], text: string): VolumeRepaired => ({
  volume,
  columns: [],
  objects: 0,
  writtenBytes: 0,
  left: [],
  skipped: { code, text },
});
