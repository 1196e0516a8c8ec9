// A drive becomes lost by the clock only after it was looked at, and did not answer, for as long as it is waited for; and of such drives there are never
// more within a day than every volume survives.
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import type { Row, Write } from '../../../lib/panda/panda.ts';
import { driveFromRow, drivePartition } from '../../../lib/panda/rows/drives/drive-row.ts';
import { LOST_AFTER_MS } from '../actors/operator.ts';
import { Violation } from './violation.ts';

/** `rows`: all of drives as they are once the transaction is done. `survived`: losses that every volume survives. */
export function expectLostByRule(write: Write, before: Row | undefined, rows: readonly Row[], survived: number): void {
  if (write.partition !== drivePartition || write.kind !== 'put') return;
  const was = before && driveFromRow(before);
  const { drive, state, lostByClockMs } = driveFromRow(write);
  if (state !== 'lost' || lostByClockMs === undefined || lostByClockMs === was?.lostByClockMs) return;
  const { sinceMs = lostByClockMs, seenMs = 0 } = was?.away ?? {};
  const sinceLookMs = lostByClockMs - seenMs;
  if (lostByClockMs - sinceMs < LOST_AFTER_MS || sinceLookMs < 0 || sinceLookMs > LOST_AFTER_MS)
    throw new Violation('wrong', `drive ${drive} is lost, and nobody has looked for ${LOST_AFTER_MS} ms`);
  const lately = rows.map(driveFromRow).filter((row) => Math.abs((row.lostByClockMs ?? 0) - lostByClockMs) < DAY_MS);
  if (lately.length > survived)
    throw new Violation(
      'wrong',
      `${lately.length} drives were lost by the clock within a day, and ${survived} are survived`,
    );
}
