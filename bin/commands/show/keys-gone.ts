// When what was shredded now is beyond recovery: its wrapped keys lie in the journal on the drives until then, and of a
// stage also in the point-in-time recovery of its table.
import { parseAddress } from '../../../lib/client/face.ts';
import { SHREDDED_KEPT_MS, TABLE_RECOVERY_MS } from '../../../lib/limits/journal.ts';
import type { Run } from '../command.ts';
import { timeText } from './text.ts';

const isStage = ({ address }: Run): boolean => parseAddress(address).engine === 'aws';

/** Nothing where nothing was shredded. */
export function keysGone(run: Run, slots: number): { readonly keysGoneAtMs?: number } {
  if (slots === 0) return {};
  const keptMs = isStage(run) ? Math.max(SHREDDED_KEPT_MS, TABLE_RECOVERY_MS) : SHREDDED_KEPT_MS;
  return { keysGoneAtMs: run.clock.nowMs() + keptMs };
}

export function sayKeysGone(run: Run, { keysGoneAtMs }: ReturnType<typeof keysGone>): void {
  if (keysGoneAtMs === undefined) return;
  const where = isStage(run) ? 'in no bucket, and in no point-in-time recovery of the table,' : 'on no drive';
  run.say(
    `the wrapped keys of what was shredded are ${where} after ${timeText(keysGoneAtMs)}, if something is written by then; at once after keys rotate and keys destroy`,
  );
}
