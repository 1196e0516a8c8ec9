// What a look at one part of a volume says: a group's chunks, the copies of the pack, or those of a directory object.
import type { DamagedPart } from '../../panda/rows/damage-row.ts';
import type { Fault } from './check-object.ts';

export interface LookOptions {
  /** Read every object whole, not only listings and what is needed to know sizes. */
  readonly read?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PartLook {
  readonly part: DamagedPart;
  /** Columns that must hold an object. */
  readonly stored: readonly number[];
  readonly faults: ReadonlyMap<number, Fault>;
  /** Could not be read now, for a reason that says nothing about the object. */
  readonly unread: readonly number[];
}
