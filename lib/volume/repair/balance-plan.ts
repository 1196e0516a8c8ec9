// BALANCE, pure: which columns go to which drives, so that all drives hold about the same. The fullest drive gives to
// the emptiest that may take the column: one that has none of the volume, in a domain that can take one more.
import type { VolumeId } from '../../foundation/ids.ts';
import { BALANCE_TOLERANCE } from '../../limits/volume.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { holdsData } from '../check/look.ts';
import { domainColumnsMax } from '../check/redundancy.ts';
import { type DriveRows, domainOf, isActive } from '../rows/drive-states.ts';
import type { ColumnMove } from './repair-volume.ts';

export interface BalanceMove extends ColumnMove {
  readonly volume: VolumeId;
  readonly bytes: number;
}

/** Bytes of columns on the drives that take extents: the fullest, the emptiest, and what each has on average. */
export interface Spread {
  readonly fullestBytes: number;
  readonly emptiestBytes: number;
  readonly meanBytes: number;
}

export interface BalancePlan {
  readonly moves: readonly BalanceMove[];
  readonly bytes: number;
  readonly before: Spread;
  /** As it is when all of them are done. */
  readonly after: Spread;
}

export interface BalanceFacts {
  readonly volumes: readonly VolumeRow[];
  readonly drives: DriveRows;
  /** Drives that can be read and written now, by number. */
  readonly usable: readonly number[];
}

export function planBalance({ volumes, drives, usable }: BalanceFacts): BalancePlan {
  const takers = usable.filter((drive) => isActive(drives, drive));
  const state = new Balance(volumes.filter(holdsData), drives, takers);
  const before = state.spread();
  const moves: BalanceMove[] = [];
  for (let move = state.next(); move !== undefined; move = state.next()) moves.push(move);
  return { moves, bytes: moves.reduce((sum, { bytes }) => sum + bytes, 0), before, after: state.spread() };
}

interface Column {
  readonly volume: VolumeRow;
  readonly column: number;
  readonly bytes: number;
}

class Balance {
  readonly #drives: DriveRows;
  /** Bytes by drive. */
  readonly #used: Map<number, number>;
  /** Columns that may be moved, by the drive they are on, the largest first. */
  readonly #columns = new Map<number, Column[]>();
  /** Where the columns of a volume are, with the moves so far. */
  readonly #places = new Map<VolumeId, number[]>();

  constructor(volumes: readonly VolumeRow[], drives: DriveRows, takers: readonly number[]) {
    this.#drives = drives;
    this.#used = new Map(takers.map((drive) => [drive, 0]));
    for (const volume of volumes) {
      this.#places.set(
        volume.id,
        volume.extents.map(({ drive }) => drive),
      );
      for (const [column, { drive }] of volume.extents.entries()) this.#add(volume, column, drive);
    }
    for (const columns of this.#columns.values()) columns.sort((a, b) => b.bytes - a.bytes);
  }

  #add(volume: VolumeRow, column: number, drive: number): void {
    const used = this.#used.get(drive);
    if (used === undefined) return;
    const bytes = volume.extentUsedBytes[column] ?? 0;
    this.#used.set(drive, used + bytes);
    if (volume.state !== 'sealed' || volume.run !== undefined || bytes === 0) return;
    this.#columns.set(drive, [...(this.#columns.get(drive) ?? []), { volume, column, bytes }]);
  }

  spread(): Spread {
    const bytes = [...this.#used.values()];
    const sum = bytes.reduce((total, one) => total + one, 0);
    return {
      fullestBytes: Math.max(0, ...bytes),
      emptiestBytes: bytes.length === 0 ? 0 : Math.min(...bytes),
      meanBytes: bytes.length === 0 ? 0 : Math.round(sum / bytes.length),
    };
  }

  /** Undefined when nothing makes it more even, or it is even enough. */
  next(): BalanceMove | undefined {
    const { meanBytes } = this.spread();
    const byUse = [...this.#used].sort(([a, x], [b, y]) => x - y || a - b);
    for (const [from, fromBytes] of byUse.toReversed()) {
      if (fromBytes <= meanBytes * (1 + BALANCE_TOLERANCE)) return undefined;
      for (const [to, toBytes] of byUse) {
        if (toBytes >= meanBytes) break;
        const column = this.#best(from, to, fromBytes - toBytes);
        if (column !== undefined) return this.#move(column, from, to);
      }
    }
    return undefined;
  }

  /** The largest that makes the two no more uneven the other way round. */
  #best(from: number, to: number, differenceBytes: number): Column | undefined {
    return this.#columns
      .get(from)
      ?.find(
        (column) => 2 * column.bytes <= differenceBytes * (1 + BALANCE_TOLERANCE) && this.#mayGo(column, from, to),
      );
  }

  #mayGo({ volume }: Column, from: number, to: number): boolean {
    const others = (this.#places.get(volume.id) ?? []).filter((drive) => drive !== from);
    if (others.includes(to)) return false;
    const domain = domainOf(this.#drives, to);
    return others.filter((drive) => domainOf(this.#drives, drive) === domain).length < domainColumnsMax(volume.codec);
  }

  #move({ volume, column, bytes }: Column, from: number, to: number): BalanceMove {
    this.#columns.set(
      from,
      (this.#columns.get(from) ?? []).filter((one) => one.volume !== volume || one.column !== column),
    );
    this.#used.set(from, (this.#used.get(from) ?? 0) - bytes);
    this.#used.set(to, (this.#used.get(to) ?? 0) + bytes);
    const places = this.#places.get(volume.id) as number[];
    places[column] = to;
    return { volume: volume.id, column, from, to, bytes };
  }
}
