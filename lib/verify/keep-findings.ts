// The rows of findings kept in step with what a pass saw of a range of names: what was found is noted, with the time it
// was found first, and what was not found again goes.
import { ROWS_PER_TRANSACTION } from '../limits/panda.ts';
import type { Write } from '../panda/panda.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import { transact } from '../volume/rows/transact.ts';
import {
  type FindingRow,
  findingAttributes,
  findingFromRow,
  findingKey,
  findingPartition,
  findingPrefix,
} from './finding-row.ts';
import type { VerifierName } from './verifier-row.ts';

type Ports = Pick<Components, 'panda' | 'settings' | 'clock' | 'randomness'>;

/** Names of things; both ends are part of it. */
export interface NameRange {
  readonly from: string;
  readonly to: string;
}

export async function listFindings({ panda, settings }: Ports, verifier: VerifierName): Promise<FindingRow[]> {
  return inRange({ panda, settings }, verifier, { from: '', to: '~' });
}

async function inRange(
  { panda, settings }: Pick<Ports, 'panda' | 'settings'>,
  verifier: VerifierName,
  { from, to }: NameRange,
): Promise<FindingRow[]> {
  const prefix = findingPrefix(verifier);
  const found: FindingRow[] = [];
  for await (const row of rowsOf(panda, findingPartition(settings.cell), `${prefix}${from}`, `${prefix}${to}`)) {
    const one = readOrTell(row, findingFromRow, () => {});
    if (one !== undefined) found.push(one);
  }
  return found;
}

/**
 * `found`: code by name. Of what was found before, that goes which was looked at and not found again. Two passes at
 * once leave what the later one saw.
 */
export async function keepFindings(
  ports: Ports,
  verifier: VerifierName,
  range: NameRange,
  found: ReadonlyMap<string, string>,
  wasLookedAt: (name: string) => boolean = () => true,
): Promise<void> {
  const known = new Map((await inRange(ports, verifier, range)).map((row) => [row.name, row]));
  const nowMs = Math.max(0, ports.clock.nowMs());
  const keyOf = (name: string) => findingKey(ports.settings.cell, { verifier, name });
  const writes: Write[] = [];
  for (const [name, code] of found) {
    const before = known.get(name);
    if (before?.code === code) continue;
    const attributes = findingAttributes({ verifier, name, code, sinceMs: before?.sinceMs ?? nowMs });
    writes.push({ kind: 'put', ...keyOf(name), attributes });
  }
  for (const name of known.keys())
    if (!found.has(name) && wasLookedAt(name)) writes.push({ kind: 'delete', ...keyOf(name) });
  for (let at = 0; at < writes.length; at += ROWS_PER_TRANSACTION)
    await transact(ports, writes.slice(at, at + ROWS_PER_TRANSACTION), async () => false);
}
