// When what was shredded now is beyond recovery: its wrapped keys lie in the journal on the drives until then.
import { parseAddress } from '../../../lib/client/face.ts';
import { SHREDDED_KEPT_MS } from '../../../lib/limits/journal.ts';
import type { Run } from '../command.ts';
import { timeText } from './text.ts';

/** Nothing for a stage, which has no such journal, and where nothing was shredded. */
export function keysGone(run: Run, slots: number): { readonly keysGoneAtMs?: number } {
  if (slots === 0 || parseAddress(run.address).engine !== 'file') return {};
  return { keysGoneAtMs: run.clock.nowMs() + SHREDDED_KEPT_MS };
}

export function sayKeysGone(run: Run, { keysGoneAtMs }: ReturnType<typeof keysGone>): void {
  if (keysGoneAtMs !== undefined)
    run.say(
      `the wrapped keys of what was shredded are on no drive after ${timeText(keysGoneAtMs)}, if something is written by then; at once after keys rotate and keys destroy`,
    );
}
