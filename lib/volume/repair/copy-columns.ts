// COPY (protocol 25): every object that must exist on a column is put where the column is to be, or where it is
// missing; byte for byte, under the same name. What is there already and sound is done. What cannot be had so is looked
// for in extents that earlier repairs have replaced: a drive that has come back may still hold it.
import type { Drive } from '../../drive/drive.ts';
import { chunkName, DIRECTORY_PACK_NAME } from '../../format/object-names.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { conflict, isKind, isPocketfulError } from '../../foundation/errors.ts';
import { bucketId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import { REPAIR_READ_BYTES_MAX, REPAIR_WINDOW_BYTES, REPAIRED_CHUNKS_AT_ONCE } from '../../limits/reads.ts';
import type { DamagedPart } from '../../panda/rows/damage-row.ts';
import { type Extent, extentText, type VolumeRow } from '../../panda/rows/volume-row.ts';
import { checkColumn, checkDirectoryObject, checkPack, readSoundChunk } from '../check/check-object.ts';
import { type ColumnListing, listColumns } from '../check/listing.ts';
import { type MustExist, mustExist } from '../check/named-parts.ts';
import { placeText } from '../check/part-look.ts';
import { ColumnFaults } from '../read/column-faults.ts';
import { chunkNameOf, extentOf, type GroupPlace, readableFirst, readObject } from '../read/read-column.ts';
import type { RebuildStore } from '../read/reconstruct.ts';
import { RecordLost } from '../read/record-lost.ts';
import { directoryColumns } from '../rows/directory-room.ts';
import { storageClassOf } from '../rows/storage-class.ts';
import { remakeChunk } from './remake-chunk.ts';
import { remakePack } from './remake-pack.ts';
import { type ReplacedExtent, replacedExtents } from './replaced-extents.ts';

/** A part that cannot be made again now, and why. */
export interface PartLeft {
  readonly column: number;
  readonly part: DamagedPart;
  readonly reason: Reason;
}

/** What the place that the column has says of it; nothing if its drive does not answer. */
export type InOldPlace = 'absent' | 'there' | undefined;

export interface Copied {
  /** By column: bytes of the objects that it holds now. */
  readonly madeBytes: ReadonlyMap<number, number>;
  readonly objects: number;
  /** Written, not found there already. */
  readonly writtenBytes: number;
  readonly left: readonly (PartLeft & { readonly old: InOldPlace })[];
}

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** After each object: its bytes. */
  readonly onObject?: ((bytes: number) => void) | undefined;
}

/**
 * The columns of `targets`, each to its extent. Where that is the one it has, only what is not there, and what is in
 * `noted` (column and part), is made: the rest of it was not found wanting.
 */
export async function copyColumns(
  store: RebuildStore,
  volume: VolumeRow,
  targets: ReadonlyMap<number, Extent>,
  options: CopyOptions & { readonly noted?: ReadonlySet<string> } = {},
): Promise<Copied> {
  const parts = await mustExist(store, volume);
  // No directory can be read, and the rows do not lead to all groups: nobody knows what would have to be copied.
  if (!parts.isComplete) return { ...NOTHING, left: [...targets.keys()].map((column) => unknownParts(volume, column)) };
  const made = { ...volume, extents: volume.extents.map((extent, column) => targets.get(column) ?? extent) };
  const there = await listColumns(store, made, [...targets.keys()], parts.listings);
  return new Copy(store, { volume, made, targets, options, listings: parts.listings, there }).run(parts);
}

const NOTHING = { madeBytes: new Map<number, number>(), objects: 0, writtenBytes: 0 };

const unknownParts = ({ id }: VolumeRow, column: number): Copied['left'][number] => ({
  column,
  part: 'pack',
  old: undefined,
  reason: { code: 'RECORD_LOST', text: `no directory of volume ${id} can be read, so nothing says what it must hold` },
});

interface Task {
  readonly volume: VolumeRow;
  /** The volume as it will be: what lies at the targets is read through it. */
  readonly made: VolumeRow;
  readonly targets: ReadonlyMap<number, Extent>;
  readonly options: CopyOptions & { readonly noted?: ReadonlySet<string> };
  /** What lies in the places that the columns have, and in those they are to have. */
  readonly listings: readonly ColumnListing[];
  readonly there: readonly ColumnListing[];
}

/** An object that a column must have; of a group's chunk its token. */
interface Wanted {
  readonly column: number;
  readonly part: DamagedPart;
  readonly token?: number;
}

type WantedInVain = Wanted & { readonly reason: Reason };

class Copy {
  readonly #store: RebuildStore;
  readonly #task: Task;
  readonly #madeBytes = new Map<number, number>();
  /** Made anew once, for all columns: what dies meanwhile may be listed. */
  #pack: readonly Uint8Array[] | undefined;
  #objects = 0;
  #writtenBytes = 0;

  constructor(store: RebuildStore, task: Task) {
    this.#store = store;
    this.#task = task;
    for (const column of task.targets.keys()) this.#madeBytes.set(column, 0);
  }

  async run({ groups, directories }: MustExist): Promise<Copied> {
    const { volume, targets } = this.#task;
    const stored = directoryColumns(volume).filter((column) => targets.has(column));
    const wanted: Wanted[] = [
      ...groups.flatMap(({ seq: part, token }) => [...targets.keys()].map((column) => ({ column, part, token }))),
      ...directories.flatMap((part) => stored.map((column) => ({ column, part }))),
    ].filter((one) => this.#isWanted(one));
    const atOnce = this.#chunksAtOnce(groups.length);
    let left = await this.#tryEach(wanted, atOnce, (one) => this.#make(one));
    const replaced = left.length === 0 ? [] : await replacedExtents(this.#store, volume);
    // What one of them gives back may be what was missing of the others.
    for (let before = Number.POSITIVE_INFINITY; replaced.length > 0 && 0 < left.length && left.length < before; ) {
      before = left.length;
      left = await this.#tryEach(left, atOnce, (one) => this.#makeFrom(one, replaced));
    }
    return {
      madeBytes: this.#madeBytes,
      objects: this.#objects,
      writtenBytes: this.#writtenBytes,
      left: left.map((one) => ({ column: one.column, part: one.part, reason: one.reason, old: this.#old(one) })),
    };
  }

  #isWanted(wanted: Wanted): boolean {
    const { volume, targets, options, there } = this.#task;
    const { column, part } = wanted;
    if (extentText(targets.get(column) as Extent) !== extentText(extentOf(volume, column))) return true;
    const isThere = there[column]?.objects?.has(this.#nameOf(wanted)) ?? false;
    return !isThere || options.noted === undefined || options.noted.has(placeText(column, part));
  }

  #nameOf({ part, token }: Wanted): string {
    if (typeof part === 'number') return chunkName(part, token as number);
    return part === 'pack' ? DIRECTORY_PACK_NAME : part;
  }

  #old(wanted: Wanted): InOldPlace {
    const objects = this.#task.listings[wanted.column]?.objects;
    if (objects === undefined) return undefined;
    return objects.has(this.#nameOf(wanted)) ? 'there' : 'absent';
  }

  /** Those that cannot be had, and why; a drive that does not take anything ends it. Directories one by one. */
  async #tryEach(
    wanted: readonly Wanted[],
    atOnce: number,
    make: (one: Wanted) => Promise<number>,
  ): Promise<WantedInVain[]> {
    const left: WantedInVain[] = [];
    const tryOne = async (one: Wanted): Promise<void> => {
      this.#task.options.signal?.throwIfAborted();
      try {
        const bytes = await make(one);
        if (bytes === 0) return;
        this.#objects += 1;
        this.#madeBytes.set(one.column, (this.#madeBytes.get(one.column) ?? 0) + bytes);
        this.#task.options.onObject?.(bytes);
      } catch (error) {
        if (!(error instanceof RecordLost)) throw error;
        left.push({ ...one, reason: reasonOf(error) });
      }
    };
    const isChunk = ({ part }: Wanted): boolean => typeof part === 'number';
    await mapLimit(wanted.filter(isChunk), atOnce, tryOne);
    for (const one of wanted) if (!isChunk(one)) await tryOne(one);
    return left;
  }

  /**
   * While one is written durably the next ones are read and decoded; each is in memory, with a window of every column.
   */
  #chunksAtOnce(groups: number): number {
    const { extentUsedBytes } = this.#task.volume;
    const chunkBytes = Math.max(...extentUsedBytes) / Math.max(1, groups);
    const bytes = chunkBytes + extentUsedBytes.length * Math.min(chunkBytes, REPAIR_WINDOW_BYTES);
    return Math.max(1, Math.min(REPAIRED_CHUNKS_AT_ONCE, Math.floor(REPAIR_READ_BYTES_MAX / Math.max(1, bytes))));
  }

  #make(wanted: Wanted): Promise<number> {
    const { column, part, token } = wanted;
    if (typeof part === 'number')
      return this.#chunk({ volume: this.#task.volume, sequence: part, token: token as number }, column);
    return this.#directory(part, column);
  }

  /** From an extent that was replaced, or from what is in the new places by now. */
  async #makeFrom(wanted: Wanted, replaced: readonly ReplacedExtent[]): Promise<number> {
    const { column, part, token } = wanted;
    const { made } = this.#task;
    const name = this.#nameOf(wanted);
    for (const other of replaced) {
      if (other.column !== column && typeof part === 'number') continue;
      const was = { ...made, extents: made.extents.with(other.column, other) };
      const read = async (): Promise<Uint8Array> => {
        if (typeof part === 'number')
          return (await readSoundChunk(this.#store, { volume: was, sequence: part, token: token as number }, column))
            .bytes;
        const bytes = await readObject(this.#store, was, other.column, name);
        await this.#checkCopy(was, part, other.column, bytes.length);
        return bytes;
      };
      const found = await ifSound(read);
      if (found !== undefined) return this.#put(column, name, [found]);
    }
    if (typeof part !== 'number') return this.#directory(part, column);
    const parts = await remakeChunk(this.#store, { volume: made, sequence: part, token: token as number }, column);
    return parts === undefined ? 0 : this.#put(column, name, parts);
  }

  async #chunk(place: GroupPlace, column: number): Promise<number> {
    const { made, there, listings } = this.#task;
    const name = chunkNameOf(place);
    const bytes = there[column]?.objects?.get(name);
    const isDone = (): Promise<unknown> => checkColumn(this.#store, { ...place, volume: made }, column);
    if (bytes !== undefined && (await isSound(isDone))) return bytes;
    // As it lies in the old place, if it is sound there; else from the others.
    const mayBeThere = listings[column]?.objects?.has(name) ?? false;
    const sound = mayBeThere ? await ifSound(() => readSoundChunk(this.#store, place, column)) : undefined;
    const parts = sound === undefined ? await remakeChunk(this.#store, place, column) : [sound.bytes];
    return parts === undefined ? 0 : this.#put(column, name, parts);
  }

  /** Copies may differ in what has died since: any that is sound will do. If none is, a pack is made anew. */
  async #directory(part: DamagedPart, column: number): Promise<number> {
    const { volume, made, there, listings } = this.#task;
    const name = part === 'pack' ? DIRECTORY_PACK_NAME : String(part);
    const bytes = there[column]?.objects?.get(name);
    if (bytes !== undefined && (await isSound(() => this.#checkCopy(made, part, column, bytes)))) return bytes;
    const faults = new ColumnFaults(volume, this.#store.components.drives);
    for (const other of [column, ...readableFirst(this.#store, volume, directoryColumns(volume))]) {
      const listed = listings[other]?.objects?.get(name);
      if (listed === undefined) continue;
      try {
        await this.#checkCopy(volume, part, other, listed);
        const copy = await readObject(this.#store, volume, other, name);
        return await this.#put(column, name, [copy]);
      } catch (error) {
        if (isKind(error, 'conflict', 'denied', 'retry')) throw error;
        faults.add(other, error);
      }
    }
    if (part !== 'pack') throw faults.lost(`${name} of volume ${volume.id}`);
    // Whatever the columns have by now is read where it was made: all chunks come before.
    this.#pack ??= await remakePack(this.#store, made);
    return this.#put(column, name, this.#pack);
  }

  async #checkCopy(volume: VolumeRow, part: DamagedPart, column: number, bytes: number): Promise<void> {
    if (part === 'pack') await checkPack(this.#store, volume, column, bytes);
    else await checkDirectoryObject(this.#store, volume, column, bucketId(String(part).slice('dir-'.length)));
  }

  async #put(column: number, name: string, parts: readonly Uint8Array[]): Promise<number> {
    const { made } = this.#task;
    const { drive: id, zone, zoneGeneration } = extentOf(made, column);
    const drive = this.#store.components.drives[id] as Drive;
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    try {
      const storageClass = storageClassOf(this.#store.components, made);
      await drive.append({ zone, generation: zoneGeneration }, name, parts, undefined, storageClass);
      this.#writtenBytes += bytes;
      return bytes;
    } catch (error) {
      this.#store.health.failed(id, error);
      if (!isKind(error, 'conflict')) throw error;
    }
    // It was not sound a moment ago: a torn or foreign object, or one that another repairer has just stored.
    const there = await readObject(this.#store, made, column, name);
    if (Buffer.compare(there, Buffer.concat(parts)) === 0) return bytes;
    const why = `${drive.label}: ${name} holds something else, and cannot be overwritten`;
    throw conflict('CHUNK_TAKEN', why);
  }
}

const isSound = async (check: () => Promise<unknown>): Promise<boolean> =>
  (await ifSound(async () => [await check()])) !== undefined;

async function ifSound<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return undefined;
  }
}
