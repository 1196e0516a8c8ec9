// The directories of a sealed volume: the pack on m+1 columns, or an object per bucket where it was sealed under store
// format 1. They must exist, and they name the groups that must.
import { PACK_HEADER_BYTES } from '../../format/directory-pack.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME, parseBucketDirectoryName } from '../../format/object-names.ts';
import type { BucketId } from '../../foundation/ids.ts';
import type { DamagedPart } from '../../panda/rows/damage-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { ReadPorts } from '../read/read-column.ts';
import { directoryColumns, writesDirectories } from '../rows/directory-room.ts';
import { checkDirectoryObject, checkPack, type Fault, faultOf, type NamedGroups, packBytes } from './check-object.ts';
import type { ColumnListing } from './listing.ts';
import type { LookOptions, PartLook } from './part-look.ts';

export interface DirectoriesLook {
  readonly parts: readonly PartLook[];
  /** The pack of a volume whose seal is pending, as far as it is there: nothing depends on it yet. */
  readonly pending?: PartLook;
  readonly named: NamedGroups;
  /** False if groups may be missing from `named` (and from the group rows): no copy of a directory could be read. */
  readonly areComplete: boolean;
}

const NONE: DirectoriesLook = { parts: [], named: new Map(), areComplete: true };

/** A copy looked at: what it names, its fault, or nothing if it could not be read now. */
type Copy = { readonly named?: NamedGroups; readonly fault?: Fault | undefined } | undefined;

export async function directoriesOf(
  ports: ReadPorts,
  volume: VolumeRow,
  listings: readonly ColumnListing[],
  options: LookOptions,
): Promise<DirectoriesLook> {
  if (volume.state === 'open' || !writesDirectories(ports.components, volume.class)) return NONE;
  if (volume.directoriesPending) return { ...NONE, pending: await pendingPack(ports, volume, listings) };
  const names = new Set(listings.flatMap(({ objects }) => [...(objects?.keys() ?? [])]));
  const isOld = !names.has(DIRECTORY_PACK_NAME) && [...names].some((name) => parseBucketDirectoryName(name));
  if (isOld) return directoryObjects(ports, volume, listings, options);
  if (volume.buckets.size === 0 && !names.has(DIRECTORY_PACK_NAME)) return NONE;
  const look = await lookAtCopies('pack', volume, listings, options, (column, bytes, isWanted) =>
    packCopy(ports, volume, column, bytes, isWanted),
  );
  return { parts: [look.part], named: look.named, areComplete: look.isKnown };
}

/** Read whole: what has the name of a pack and is none is in the way of its seal. */
async function pendingPack(ports: ReadPorts, volume: VolumeRow, listings: readonly ColumnListing[]): Promise<PartLook> {
  const look = await lookAtCopies('pack', volume, listings, { read: true }, (column, bytes) =>
    packCopy(ports, volume, column, bytes, true),
  );
  return look.part;
}

async function directoryObjects(
  ports: ReadPorts,
  volume: VolumeRow,
  listings: readonly ColumnListing[],
  options: LookOptions,
): Promise<DirectoriesLook> {
  const parts: PartLook[] = [];
  const named: NamedGroups = new Map();
  let areComplete = true;
  for (const bucket of volume.buckets) {
    options.signal?.throwIfAborted();
    const part = bucketDirectoryName(bucket) as `dir-${string}`;
    const look = await lookAtCopies(part, volume, listings, options, (column, _, isWanted) =>
      isWanted ? objectCopy(ports, volume, column, bucket) : Promise.resolve({}),
    );
    parts.push(look.part);
    for (const [seq, token] of look.named) named.set(seq, token);
    areComplete &&= look.isKnown;
  }
  return { parts, named, areComplete };
}

/** Each copy on its column; as long as nothing is known, or if all are to be read, a copy is wanted whole. */
async function lookAtCopies(
  part: DamagedPart,
  volume: VolumeRow,
  listings: readonly ColumnListing[],
  { read, readColumns }: LookOptions,
  look: (column: number, bytes: number, isWanted: boolean) => Promise<Copy>,
): Promise<{ readonly part: PartLook; readonly named: NamedGroups; readonly isKnown: boolean }> {
  const stored = directoryColumns(volume);
  const faults = new Map<number, Fault>();
  const unread: number[] = [];
  const named: NamedGroups = new Map();
  let isKnown = false;
  for (const column of stored) {
    const objects = listings[column]?.objects;
    const bytes = objects?.get(part === 'pack' ? DIRECTORY_PACK_NAME : String(part));
    if (objects === undefined) unread.push(column);
    else if (bytes === undefined) faults.set(column, { kind: 'missing', reason: 'CHUNK_MISSING' });
    else {
      const copy = await look(column, bytes, read === true || readColumns?.has(column) === true || !isKnown);
      if (copy === undefined) unread.push(column);
      if (copy?.fault !== undefined) faults.set(column, copy.fault);
      isKnown ||= copy?.named !== undefined;
      for (const [seq, token] of copy?.named ?? []) named.set(seq, token);
    }
  }
  return { part: { part, stored, faults, unread }, named, isKnown };
}

async function packCopy(
  ports: ReadPorts,
  volume: VolumeRow,
  column: number,
  bytes: number,
  isWanted: boolean,
): Promise<Copy> {
  if (bytes < PACK_HEADER_BYTES) return { fault: { kind: 'short', reason: 'CHUNK_TRUNCATED' } };
  try {
    if (isWanted) return { named: await checkPack(ports, volume, column, bytes) };
    const declared = await packBytes(ports, volume, column);
    if (declared === bytes) return {};
    if (declared > bytes) return { fault: { kind: 'short', reason: 'CHUNK_TRUNCATED' } };
    return { fault: { kind: 'wrong', reason: 'DIRECTORY_MALFORMED' } };
  } catch (error) {
    return copyFault(error);
  }
}

async function objectCopy(ports: ReadPorts, volume: VolumeRow, column: number, bucket: BucketId): Promise<Copy> {
  try {
    return { named: await checkDirectoryObject(ports, volume, column, bucket) };
  } catch (error) {
    return copyFault(error);
  }
}

function copyFault(error: unknown): Copy {
  const fault = faultOf(error);
  return fault === undefined ? undefined : { fault };
}
