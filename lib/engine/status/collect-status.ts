// Reads what statusOf needs from an open store: rows, and an answer from every drive.
import { readRates } from '../../compaction/facts/measured-rates.ts';
import { writersHeld } from '../../compaction/move/l3/hold.ts';
import { readOperating } from '../../compaction/run/operating-row.ts';
import { readBudgetUse, readThreshold } from '../../compaction/threshold/row.ts';
import type { Drive } from '../../drive/drive.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import type { Reason } from '../../foundation/reason.ts';
import { objectPartition } from '../../panda/rows/object-row.ts';
import { holdingFromRow, holdsReferences, referencesLeft } from '../../panda/rows/removed/held-references.ts';
import { removedPartitions } from '../../panda/rows/removed/removed-row.ts';
import { readOrTell } from '../../panda/rows/row-reader.ts';
import { trashFromRow, trashPartitions } from '../../panda/rows/trash-row.ts';
import { zoneFromRow, zonePartition } from '../../panda/rows/zone-row.ts';
import type { Stream, StreamFigures } from '../../stream/stream.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listDamage } from '../../volume/rows/damage.ts';
import { readDriveRows } from '../../volume/rows/drive-states.ts';
import { listBuckets, listVolumes, rowsOf } from '../../volume/rows/read-rows.ts';
import { readAlarms } from './alarm-row.ts';
import { STATUS_DAYS } from './compaction-status.ts';
import { driveState } from './drive-state.ts';
import { type DriveFacts, type Status, type StatusFacts, statusOf } from './status.ts';
import { readTallies, totalOf } from './tally.ts';

export interface StatusOptions {
  /** A namespace whose objects are counted: reads every row of one, so only on request. */
  readonly countObjectsOf?: string;
  readonly queue?: Stream;
}

export const collectStatus = async (components: Components, options: StatusOptions = {}): Promise<Status> =>
  statusOf(await readStatusFacts(components, options));

export async function readStatusFacts(components: Components, options: StatusOptions = {}): Promise<StatusFacts> {
  const { panda, settings } = components;
  // Buckets are read after volumes: a bucket that moves in between is counted once, where it is then.
  const volumes = await listVolumes(panda, settings.cell, components.badRow);
  const buckets = await listBuckets(panda, settings.cell, components.badRow);
  const days = await readTallies(components, STATUS_DAYS);
  const { repairedBytes, repairMs } = totalOf(days);
  return {
    storeId: components.storeId,
    settings,
    volumes,
    buckets,
    drives: await Promise.all(components.drives.map((drive, id) => driveFacts(components, drive, id))),
    held: await heldNow(components, options.queue),
    trash: await countTrash(components),
    alarms: await readAlarms(components),
    damage: await listDamage(components, components.badRow),
    keeping: {
      nowMs: components.clock.nowMs(),
      drives: await readDriveRows(components),
      measured: { bytes: repairedBytes, ms: repairMs },
    },
    compaction: {
      nowMs: components.clock.nowMs(),
      state: (await readThreshold(components)).state,
      operating: await readOperating(components),
      budgetUsed: await readBudgetUse(components),
      rates: await readRates(components),
      queue: await queueFigures(options.queue),
      days,
    },
    ...(options.countObjectsOf === undefined
      ? {}
      : { objects: await countRows(components, objectPartition(options.countObjectsOf)) }),
  };
}

/** Why bulk writers wait, if they do. */
async function heldNow(components: Components, queue: Stream | undefined): Promise<Reason | undefined> {
  try {
    return queue === undefined ? undefined : await writersHeld(components, queue);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return undefined;
  }
}

/** A queue that cannot be reached is no reason not to see the rest. */
async function queueFigures(queue: Stream | undefined): Promise<StreamFigures | null> {
  try {
    return (await queue?.figures()) ?? null;
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return null;
  }
}

async function driveFacts(components: Components, drive: Drive, id: number): Promise<DriveFacts> {
  let usedZones = 0;
  let erasingZones = 0;
  for await (const row of rowsOf(components.panda, zonePartition(id))) {
    const state = readOrTell(row, zoneFromRow, components.badRow)?.state;
    if (state === 'used') usedZones += 1;
    if (state === 'erasing') erasingZones += 1;
  }
  return { id, path: drive.label, state: await driveState(drive), usedZones, erasingZones };
}

/**
 * References of what was deleted, with the bytes of the objects, and blocks in trash: those of long objects, with the
 * bytes of their records.
 */
async function countTrash(components: Components): Promise<{ blocks: number; bytes: number }> {
  let blocks = 0;
  let bytes = 0;
  for (const partition of removedPartitions(components.settings.cell))
    for await (const row of rowsOf(components.panda, partition)) {
      const removed = holdsReferences(row) ? readOrTell(row, holdingFromRow, components.badRow) : undefined;
      if (removed === undefined) continue;
      blocks += referencesLeft(removed).length;
      for (const { object } of removed.objects) if (object.blocks !== undefined) bytes += object.sizeBytes;
    }
  for (const partition of trashPartitions(components.settings.cell))
    for await (const row of rowsOf(components.panda, partition)) {
      blocks += 1;
      bytes += readOrTell(row, trashFromRow, components.badRow)?.recordBytes ?? 0;
    }
  return { blocks, bytes };
}

async function countRows(components: Components, partition: string): Promise<number> {
  let count = 0;
  for await (const _ of rowsOf(components.panda, partition)) count += 1;
  return count;
}
