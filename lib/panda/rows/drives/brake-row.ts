// drive-losses | clock: counts the drives that became lost by the clock alone. Whoever lets one become lost has read
// how many did of late, and the count says that nobody else did in between.
import type { Condition, Key, Row, Write } from '../../panda.ts';
import { countIn } from '../row-reader.ts';

export const brakeKey: Key = { partition: 'drive-losses', sort: 'clock' };

/** One more. `row`: as read. */
export function countLoss(row: Row | undefined): Write {
  const losses = row === undefined ? 0 : countIn(row, 'n');
  const asRead: Condition = row === undefined ? ['absent'] : [{ attribute: 'n', equals: losses }];
  return { kind: 'put', ...brakeKey, attributes: { n: losses + 1 }, if: asRead };
}
