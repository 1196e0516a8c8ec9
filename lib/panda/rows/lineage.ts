// Which Panda of a store this is: attributes of the row store/settings that every writer looks at and the drives know
// as well (lib/drive/directory-witness.ts). A copy of the rows, or an earlier state of them, differs in one of these.
import type { Attributes, Clause, Row } from '../panda.ts';
import type { Change } from './change.ts';
import { optionalCount, optionalString } from './row-reader.ts';

export interface Lineage {
  /** Grows with every restore and adoption. */
  readonly epoch: number;
  /** Random, anew with every epoch; undefined before the first writer of a release that knows it. */
  readonly instance: string | undefined;
  /** How many processes have begun to write, and the random mark of the last one. */
  readonly opens: number;
  readonly mark: string | undefined;
  /** Restored or adopted, and the drives do not know it yet: whatever they say is of before. */
  readonly isTakingOver: boolean;
}

export const lineageFromRow = (row: Row): Lineage => ({
  epoch: optionalCount(row, 'ep') ?? 0,
  instance: optionalString(row, 'in'),
  opens: optionalCount(row, 'wo') ?? 0,
  mark: optionalString(row, 'wm'),
  isTakingOver: optionalCount(row, 'tk') === 1,
});

export const lineageAttributes = ({ epoch, instance, opens, mark, isTakingOver }: Lineage): Attributes => ({
  ep: epoch,
  wo: opens,
  ...(instance === undefined ? {} : { in: instance }),
  ...(mark === undefined ? {} : { wm: mark }),
  ...(isTakingOver ? { tk: 1 } : {}),
});

/** No process has begun to write since; undefined: none ever has. */
export const lastMarkIs = (mark: string | undefined): Clause =>
  mark === undefined ? { attribute: 'wm', missing: true } : { attribute: 'wm', equals: mark };

export const setLineage = (before: Lineage, next: Lineage): Change => ({
  set: lineageAttributes(next),
  ...(before.isTakingOver && !next.isTakingOver ? { remove: ['tk'] } : {}),
});
