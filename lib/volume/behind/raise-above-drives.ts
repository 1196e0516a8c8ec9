// After any restore or adoption, before any write: what the drives hold and the rows do not know is given up, so that
// nothing is ever written, or named, under numbers that another Panda may have used (docs/decisions/0015). Every step
// only raises, and may be done twice.
//
// 1. every drive is listed
// 2. a zone's row is raised above the highest generation seen there: a free one itself, a used one by its floor for the
// next time 3. quarantines begin anew; extents in use that hold appends, or a flip, which the rows do not know go into
// it 4. the token of every open volume is raised above the highest seen in its extents, and by a large step: whoever
// holds a lease has lost it 5. the store gets the next epoch and another instance; until the first writer has told the
// drives, it takes over from whoever they know
import type { Drive, ZoneRef } from '../../drive/drive.ts';
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import { hexOf } from '../../foundation/ids.ts';
import { ROWS_PER_TRANSACTION } from '../../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import { together } from '../../panda/rows/change.ts';
import { lineageAttributes, lineageFromRow } from '../../panda/rows/lineage.ts';
import { storeKey } from '../../panda/rows/store-row.ts';
import { endLease, setToken, stateIs, tokenIsBelow } from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import {
  raiseZone,
  writtenUpTo,
  type ZoneRow,
  zoneAttributes,
  zoneGenerationIs,
  zoneIs,
  zoneKey,
} from '../../panda/rows/zone-row.ts';
import type { Components } from '../rows/components.ts';
import { listVolumes } from '../rows/read-rows.ts';
import { transact } from '../rows/transact.ts';
import { appendsIn, zoneRowsOf } from './newer-chunks.ts';
import { quarantineExtents, restartQuarantine } from './sweep.ts';

/** More leases than any process takes that still goes by the old rows. */
export const TOKEN_STEP = 2 ** 20;
const INSTANCE_BYTES = 8;

type Ports = Pick<Components, 'panda' | 'drives' | 'settings' | 'storeId' | 'clock' | 'randomness'>;

export interface RaiseReport {
  readonly epoch: number;
  /** Zones that hold objects the rows did not know; they stay in quarantine for seven days. */
  readonly raisedZones: number;
  readonly volumes: number;
  /** Labels of drives that could not be listed: what they hold is met when they are back. */
  readonly unlisted: readonly string[];
}

/** `epochSeen`: the highest that the journal on any drive is of. */
export async function raiseAboveDrives(components: Ports, epochSeen = 0): Promise<RaiseReport> {
  const unlisted: string[] = [];
  let raisedZones = 0;
  for (const [id, drive] of components.drives.entries()) {
    const found = await listed(drive);
    if (found === undefined) unlisted.push(drive.label);
    else raisedZones += await raiseZones(components, id, found);
  }
  await restartQuarantine(components);
  const volumes = await raiseTokens(components);
  const epoch = await nextEpoch(components, epochSeen);
  return { epoch, raisedZones, volumes, unlisted };
}

async function listed(drive: Drive): Promise<ZoneRef[] | undefined> {
  try {
    return await drive.zones();
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return undefined;
  }
}

/** How many. A zone that somebody takes at the same time is looked at again. */
async function raiseZones(components: Ports, drive: number, found: readonly ZoneRef[]): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const rows = await zoneRowsOf(components, drive);
    const highest = new Map<number, number>();
    for (const { zone, generation } of found) highest.set(zone, Math.max(generation, highest.get(zone) ?? 0));
    const writes = [...highest].flatMap(
      ([zone, generation]) => raiseWrite(drive, zone, rows.get(zone), generation) ?? [],
    );
    try {
      for (let at = 0; at < writes.length; at += ROWS_PER_TRANSACTION)
        await transact(components, writes.slice(at, at + ROWS_PER_TRANSACTION), async () => false);
      return writes.length;
    } catch (error) {
      if (!isKind(error, 'conflict') || attempt >= CONFLICT_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Pure: undefined if the row is above the generation already. */
export function raiseWrite(
  drive: number,
  zone: number,
  row: ZoneRow | undefined,
  generation: number,
): Write | undefined {
  if (generation <= writtenUpTo(row)) return undefined;
  const next = generation + 1;
  const key = zoneKey(drive, zone);
  if (row === undefined) {
    const attributes = zoneAttributes({ generation: next, state: 'free', volume: undefined });
    return { kind: 'put', ...key, attributes, if: ['absent'] };
  }
  return {
    kind: 'update',
    ...key,
    ...raiseZone(row.state, next),
    if: [zoneGenerationIs(row.generation), zoneIs(row.state)],
  };
}

async function raiseTokens(components: Ports): Promise<number> {
  const volumes = await listVolumes(components.panda, components.settings.cell);
  for (const volume of volumes) {
    // A flip in the making may have been done since.
    if (volume.next !== undefined) await quarantineExtents(components, volume.next.extents);
    // Only an open volume is leased; the tokens of others are history, which their objects are named by.
    if (volume.state !== 'open') continue;
    const { token: seen, hasUnknown } = await appendsIn(components, volume);
    if (hasUnknown) await quarantineExtents(components, volume.extents);
    const token = seen + TOKEN_STEP;
    await raiseToken(components, volume, token);
  }
  return volumes.length;
}

async function raiseToken(components: Ports, { id, state }: VolumeRow, token: number): Promise<void> {
  const write: Write = {
    kind: 'update',
    ...volumeKey(components.settings.cell, id),
    ...together(setToken(token), endLease),
    if: [stateIs(state), tokenIsBelow(token)],
  };
  try {
    await transact(components, [write], async () => false);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error; // sealed, or raised by another, meanwhile
  }
}

async function nextEpoch(components: Ports, epochSeen: number): Promise<number> {
  const row = await components.panda.get(storeKey);
  const before = row === undefined ? undefined : lineageFromRow(row);
  if (before === undefined) return 0;
  const next = {
    ...before,
    epoch: Math.max(before.epoch, epochSeen) + 1,
    instance: hexOf(components.randomness.bytes(INSTANCE_BYTES)),
    opens: before.opens + 1,
    mark: hexOf(components.randomness.bytes(INSTANCE_BYTES)),
    isTakingOver: true,
  };
  await transact(components, [{ kind: 'update', ...storeKey, set: lineageAttributes(next) }], async () => false);
  return next.epoch;
}
