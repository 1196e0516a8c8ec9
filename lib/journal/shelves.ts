// The shelves of a store's drives together: an object goes onto as many as are asked for, of different domains where
// there are enough, and is read from whichever has it sound.
import type { Shelf } from '../drive/shelf.ts';
import { isPocketfulError, type PocketfulError, retryLater } from '../foundation/errors.ts';
import { SEGMENT_PARTS_MAX } from '../limits/journal.ts';
import { type PartName, parsePartName, stemOf } from './points.ts';
import type { Segment } from './way.ts';

export interface ShelfPlace {
  readonly drive: number;
  readonly shelf: Shelf;
  /** What fails together with it. */
  readonly domain: string;
  /** Takes new objects. */
  readonly isActive: boolean;
}

/** An object of the ladder that belongs to no segment that is whole. */
export interface LooseObject {
  readonly epoch: number;
  readonly name: string;
  readonly drive: number;
  readonly atMs: number;
}

export interface Ladder {
  readonly segments: readonly Segment[];
  readonly loose: readonly LooseObject[];
  /** The highest epoch seen, 0 if there is none. */
  readonly epoch: number;
  /** Bytes of all copies. */
  readonly bytes: number;
  /** Drives that did not answer. */
  readonly silent: readonly { readonly label: string; readonly error: PocketfulError }[];
}

export class Shelves {
  readonly places: readonly ShelfPlace[];
  /** How many drives have each object; all that there are, if they are fewer. */
  readonly copies: number;

  constructor(places: readonly ShelfPlace[], copies: number) {
    this.places = places;
    this.copies = Math.min(copies, places.filter(({ isActive }) => isActive).length);
  }

  /** Throws `retry` JOURNAL_UNSHIPPED: fewer drives took it than must have it. */
  async put(epoch: number, name: string, parts: readonly Uint8Array[], turn: number): Promise<number[]> {
    const order = inTurn(
      this.places.filter(({ isActive }) => isActive),
      turn,
    );
    const took: number[] = [];
    let last: PocketfulError | undefined;
    while (took.length < this.copies && order.length > 0) {
      const chosen = order.splice(0, this.copies - took.length);
      const outcomes = await Promise.allSettled(chosen.map(({ shelf }) => shelf.put(epoch, name, parts)));
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') took.push((chosen[i] as ShelfPlace).drive);
        else if (isPocketfulError(outcome.reason)) last = outcome.reason;
        else throw outcome.reason;
      }
    }
    if (took.length >= Math.max(1, this.copies)) return took;
    // Fewer copies are better than none, but not where they take the room that others want.
    if (last?.code === 'DRIVE_FULL') await this.remove(took.map((drive) => ({ epoch, name, drive })));
    throw this.unshipped(took.length, last);
  }

  /** Why fewer drives have it than must. */
  unshipped(took: number, last?: PocketfulError): PocketfulError {
    const why = last === undefined ? '' : `: ${last.message}`;
    const of = Math.max(1, this.copies);
    return retryLater('JOURNAL_UNSHIPPED', `${took} of ${of} drives took what changed in the metadata${why}`, last);
  }

  /** The first answer that `use` takes; it throws for what is damaged. Throws the last error. */
  async read<T>(
    epoch: number,
    name: string,
    drives: readonly number[],
    use: (bytes: Uint8Array) => T | Promise<T>,
  ): Promise<T> {
    let last: unknown;
    for (const drive of drives) {
      const place = this.places.find((one) => one.drive === drive);
      if (place === undefined) continue;
      try {
        return await use(await place.shelf.read(epoch, name));
      } catch (error) {
        if (!isPocketfulError(error)) throw error;
        last = error;
      }
    }
    throw last;
  }

  async list(): Promise<Ladder> {
    const silent: { label: string; error: PocketfulError }[] = [];
    const objects = new Map<string, FoundObject>();
    let epoch = 0;
    let all = 0;
    const listed = await Promise.all(
      this.places.map(async ({ shelf, drive }) => {
        try {
          return { drive, entries: await shelf.list() };
        } catch (error) {
          if (!isPocketfulError(error)) throw error;
          silent.push({ label: shelf.label, error });
          return { drive, entries: [] };
        }
      }),
    );
    for (const { drive, entries } of listed)
      for (const { epoch: of, name, bytes } of entries) {
        const parsed = parsePartName(name);
        if (parsed === undefined) continue;
        epoch = Math.max(epoch, of);
        all += bytes;
        const found = objects.get(`${of}/${name}`) ?? { epoch: of, name, parsed, drives: [], bytes: 0 };
        // A file system without hard links leaves an empty file of a writer that died.
        if (bytes > 0) found.drives.push(drive);
        found.bytes = Math.max(found.bytes, bytes);
        objects.set(`${of}/${name}`, found);
      }
    return { ...wholeSegments([...objects.values()]), epoch, bytes: all, silent };
  }

  /** What cannot be deleted now is by a later one. */
  async remove(objects: readonly Pick<LooseObject, 'epoch' | 'name' | 'drive'>[]): Promise<void> {
    const byPlace = Map.groupBy(objects, ({ drive, epoch }) => `${drive}/${epoch}`);
    await Promise.all(
      [...byPlace.values()].map(async (some) => {
        const [{ drive, epoch } = { drive: -1, epoch: 0 }] = some;
        const place = this.places.find((one) => one.drive === drive);
        try {
          await place?.shelf.remove(
            epoch,
            some.map(({ name }) => name),
          );
        } catch (error) {
          if (!isPocketfulError(error)) throw error;
        }
      }),
    );
  }
}

interface FoundObject {
  readonly epoch: number;
  readonly name: string;
  readonly parsed: PartName;
  readonly drives: number[];
  bytes: number;
}

function wholeSegments(objects: readonly FoundObject[]): Pick<Ladder, 'segments' | 'loose'> {
  const segments: Segment[] = [];
  const loose: LooseObject[] = [];
  for (const parts of Map.groupBy(objects, ({ epoch, parsed }) => `${epoch}/${stemOf(parsed)}`).values()) {
    parts.sort((a, b) => a.parsed.part - b.parsed.part);
    const first = parts[0] as FoundObject;
    const isWhole =
      parts.length <= SEGMENT_PARTS_MAX &&
      parts.every(({ parsed, drives }, i) => parsed.part === i && drives.length > 0) &&
      parts.filter(({ parsed }) => parsed.isLast).length === 1 &&
      parts.at(-1)?.parsed.isLast === true;
    if (isWhole) {
      const { level, from, to, atMs, id } = first.parsed;
      segments.push({
        ...{ level, from, to, atMs, id, epoch: first.epoch },
        bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
        parts: parts.map(({ name, drives }) => ({ name, drives })),
      });
    } else
      for (const { epoch, name, drives, parsed } of parts)
        for (const drive of drives) loose.push({ epoch, name, drive, atMs: parsed.atMs });
  }
  return { segments, loose };
}

/** Beginning with another one each time, domains before drives of one that had its turn. */
function inTurn(places: readonly ShelfPlace[], turn: number): ShelfPlace[] {
  const from = places.length === 0 ? 0 : turn % places.length;
  const rotated = [...places.slice(from), ...places.slice(0, from)];
  const seen = new Map<string, number>();
  const rounds = rotated.map((place) => {
    const round = seen.get(place.domain) ?? 0;
    seen.set(place.domain, round + 1);
    return { place, round };
  });
  return rounds.sort((a, b) => a.round - b.round).map(({ place }) => place);
}
