// What a look at one part of a volume says: a group's chunks, the copies of the pack, or those of a directory object.
import type { DamagedPart } from '../../panda/rows/damage-row.ts';
import type { Fault } from './check-object.ts';

export interface LookOptions {
  /** Read every object whole, not only listings and what is needed to know sizes. */
  readonly read?: boolean | undefined;
  /** Where not every object is read: the columns of which every one is. */
  readonly readColumns?: ReadonlySet<number> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Groups up to this sequence are left out: another look had them. */
  readonly afterSeq?: number | undefined;
  /** So are the directories; they are only asked for the groups they name. */
  readonly skipDirectories?: boolean | undefined;
  /** Asked after each group: true ends the look there, and the next one goes on after it. */
  readonly isOver?: (() => boolean) | undefined;
}

export interface PartLook {
  readonly part: DamagedPart;
  /** Columns that must hold an object. */
  readonly stored: readonly number[];
  readonly faults: ReadonlyMap<number, Fault>;
  /** Could not be read now, for a reason that says nothing about the object. */
  readonly unread: readonly number[];
}

/** Where a part lies in its volume: `column/part`. */
export const placeText = (column: number, part: DamagedPart): string => `${column}/${part}`;
