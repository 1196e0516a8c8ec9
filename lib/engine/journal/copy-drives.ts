// The drives of a stage as directories: every object that is not there yet. Names are written once and whole, so what
// is there is not looked at again, and a copy that was cut off goes on. The journal first: then what it names was
// written before the chunks were listed.
import type { Drive, ZoneRef } from '../../drive/drive.ts';
import type { Shelf } from '../../drive/shelf.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import { parsePartName } from '../../journal/points.ts';
import { COPIES_AT_ONCE } from '../../limits/engine.ts';

export interface CopyReport {
  /** Copied by this call. */
  readonly objects: number;
  readonly bytes: number;
}

type Told = (bytes: number) => void;

/** Segments that the drive has. */
export async function copyJournal(from: Shelf, to: Shelf, told: Told): Promise<void> {
  const there = new Set((await to.list()).map(({ epoch, name }) => `${epoch}/${name}`));
  const wanted = (await from.list()).filter(
    ({ epoch, name }) => parsePartName(name) !== undefined && !there.has(`${epoch}/${name}`),
  );
  await mapLimit(wanted, COPIES_AT_ONCE, async ({ epoch, name }) => {
    const bytes = await unlessGone(() => from.read(epoch, name));
    if (bytes === undefined) return;
    await unlessThere(() => to.put(epoch, name, [bytes]));
    told(bytes.byteLength);
  });
}

/** Chunks, zone by zone; zones that the drive does not have any more go. */
export async function copyChunks(from: Drive, to: Drive, told: Told): Promise<void> {
  const zones = await from.zones();
  const has = new Set(zones.map(zoneText));
  for (const zone of await to.zones()) if (!has.has(zoneText(zone))) await to.erase(zone);
  for (const zone of zones) await copyZone(from, to, zone, told);
}

async function copyZone(from: Drive, to: Drive, zone: ZoneRef, told: Told): Promise<void> {
  const there = new Map((await to.list(zone)).map(({ name, bytes }) => [name, bytes]));
  const wanted = (await from.list(zone)).filter(({ name, bytes }) => there.get(name) !== bytes);
  await mapLimit(wanted, COPIES_AT_ONCE, async ({ name }) => {
    const bytes = await unlessGone(() => from.read(zone, name));
    if (bytes === undefined) return;
    await unlessThere(() => to.append(zone, name, [bytes]));
    told(bytes.byteLength);
  });
}

const zoneText = ({ zone, generation }: ZoneRef): string => `${zone}/${generation}`;

/** Undefined: it was deleted since it was listed. */
async function unlessGone<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isKind(error, 'missing')) throw error;
    return undefined;
  }
}

async function unlessThere(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isPocketfulError(error) || error.code !== 'CHUNK_EXISTS') throw error;
  }
}
