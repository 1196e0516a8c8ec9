// References that a block loses, pure: on which condition, and whether they were its last ones.

import { corrupt } from '../../foundation/errors.ts';
import type { Clause } from '../../panda/panda.ts';
import {
  addRefs,
  type BlockRow,
  blockIs,
  countedRefs,
  formIs,
  recordIs,
  refsAre,
  refsAtLeast,
  slotIs,
} from '../../panda/rows/block-row.ts';
import type { Change } from '../../panda/rows/change.ts';

export interface LostReferences {
  /** Nobody refers to it then: its row goes, or goes to trash. */
  readonly isLast: boolean;
  readonly if: readonly Clause[];
  /** Of a block that stays. */
  readonly change: Change;
}

/**
 * So many counted references are given back. What is left must be asked for, the named one or a counted one: of two who
 * give back the last two, each could else leave the row to the other. Whoever takes the last asks for the slot as well,
 * for it dies.
 */
export function loseReferences(row: BlockRow, count: number): LostReferences {
  if (row.state === 'trash' || countedRefs(row) < count)
    throw corrupt('REFERENCES_WRONG', 'a block has fewer references than objects: run doctor');
  const live: Clause[] = [recordIs(row.recordId), ...formIs(row), ...blockIs('live', row)];
  if (row.refs === count) return { isLast: true, if: [...live, ...slotIs(row), ...refsAre(row)], change: {} };
  const left = row.named === undefined ? 1 : 0;
  return { isLast: false, if: [...live, refsAtLeast(left + count)], change: addRefs(row, -count) };
}
