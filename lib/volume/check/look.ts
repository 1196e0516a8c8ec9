// A look at one volume: every object that must exist, against the listings of its drives and, if asked, read whole.
// Rows are read before the drives are listed, and the volume's row again at the end: what a volume that has moved on
// left behind is no damage.
import { chunkName, DIRECTORY_PACK_NAME } from '../../format/object-names.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import type { DamagedPart, DamageRow } from '../../panda/rows/damage-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { ReadPorts } from '../read/read-column.ts';
import { type DamageFound, readDamage } from '../rows/damage.ts';
import { hasDirectories } from '../rows/directory-room.ts';
import { readBucket, readVolume } from '../rows/read-rows.ts';
import type { Fault } from './check-object.ts';
import type { ColumnListing } from './listing.ts';
import { lookAtGroup } from './look-at-group.ts';
import type { NamedGroup } from './must-exist.ts';
import { namedParts } from './named-parts.ts';
import { type LookOptions, type PartLook, placeText } from './part-look.ts';
import { LOST, packSpare, spareOf } from './redundancy.ts';

export interface VolumeLook {
  readonly volume: VolumeRow;
  /** Damage of this look, for its rows. */
  readonly found: readonly DamageFound[];
  /** Rows that this look has found to be true no longer. */
  readonly healed: readonly DamageRow[];
  /** Damage that holds now: this look's, and earlier findings that a listing cannot refute. */
  readonly damage: readonly DamageFound[];
  /** How many more columns it certainly survives losing; LOST if some of it cannot be read now. */
  readonly spare: number;
  /** Parts that cannot be had back now. */
  readonly lostParts: readonly DamagedPart[];
  readonly groups: number;
  readonly objects: number;
  /** Bytes of those of them that are there, as listed. */
  readonly bytes: number;
  /** Where a look that was told to end there stopped: groups beyond this sequence were not looked at. */
  readonly cutAfterSeq: number | undefined;
  /** Objects that a busy or failing drive kept from being looked at. */
  readonly unread: number;
  /** Columns whose drive gave no listing: nothing of theirs was looked at. */
  readonly unlisted: number;
  readonly strays: { readonly objects: number; readonly bytes: number };
  /** Of a volume whose seal is pending: on how many of its columns the directories are already. */
  readonly pendingPack: { readonly sound: number; readonly of: number } | undefined;
}

/**
 * Undefined if the volume is gone, in trash, or has changed meanwhile: its generation, where its columns are, or what
 * names its groups.
 */
export async function lookAtVolume(
  ports: ReadPorts,
  volume: VolumeRow,
  options: LookOptions = {},
): Promise<VolumeLook | undefined> {
  if (!holdsData(volume)) return undefined;
  const known = await readDamage(ports.components, volume.id);
  const { afterSeq = 0, skipDirectories = false, isOver = () => false, signal } = options;
  const read = options.read === true && !skipDirectories;
  const { named, listings, directories, areFound } = await namedParts(ports, volume, { ...options, read });
  const look = new Look(volume, listings, known, options.read ?? false);
  if (!skipDirectories) for (const part of directories.parts) look.add(part);
  if (directories.pending !== undefined && !skipDirectories) look.addPending(directories.pending);
  const groups = [...named.values()].filter(({ seq }) => seq > afterSeq).sort((a, b) => a.seq - b.seq);
  let cutAfterSeq: number | undefined;
  for (const [i, group] of groups.entries()) {
    signal?.throwIfAborted();
    look.add(await lookAtGroup(ports, volume, group, listings, options), group);
    if (i === groups.length - 1 || !isOver()) continue;
    cutAfterSeq = group.seq;
    break;
  }
  const now = await readVolume(ports.components.panda, ports.components.settings.cell, volume.id);
  if (now === undefined || !holdsData(now)) return undefined;
  if (now.generation !== volume.generation || now.revision !== volume.revision) return undefined;
  // Group rows go when a seal ends: what was read of them may have been the rest.
  const { components } = ports;
  if (hasDirectories(components, now) !== hasDirectories(components, volume)) return undefined;
  const isWhole = cutAfterSeq === undefined && afterSeq === 0 && !skipDirectories;
  const result = look.result({ areFound, areComplete: directories.areComplete, isWhole, cutAfterSeq });
  if (result.spare !== LOST || (await holdsLive(ports, volume))) return result;
  return { ...result, spare: 0, lostParts: [] };
}

/** What is dead already is not lost with what held it. A row that cannot be read may be of something alive. */
async function holdsLive({ components }: ReadPorts, volume: VolumeRow): Promise<boolean> {
  const { panda, settings } = components;
  for (const id of volume.buckets) {
    try {
      const bucket = await readBucket(panda, settings.cell, id);
      if (bucket?.volume === volume.id && bucket.liveBytes > 0) return true;
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      return true;
    }
  }
  return false;
}

/** Volumes in trash and beyond hold nothing that is needed. */
export const holdsData = ({ state }: Pick<VolumeRow, 'state'>): boolean => state !== 'trash' && state !== 'erasing';

interface LookEnd {
  /** Its directories, or the rows of its buckets, name all groups. */
  readonly areFound: boolean;
  /** Its directories do. */
  readonly areComplete: boolean;
  /** All that must exist was looked at. */
  readonly isWhole: boolean;
  readonly cutAfterSeq: number | undefined;
}

/** Gathers what was seen of one volume. */
class Look {
  readonly #volume: VolumeRow;
  readonly #listings: readonly ColumnListing[];
  readonly #read: boolean;
  readonly #known = new Map<string, DamageRow>();
  readonly #stale: DamageRow[] = [];
  readonly #found: DamageFound[] = [];
  readonly #damage: DamageFound[] = [];
  readonly #seen = new Set<string>();
  readonly #expected: readonly Set<string>[];
  readonly #lost: DamagedPart[] = [];
  #spare: number;
  #groups = 0;
  #objects = 0;
  #bytes = 0;
  #unread = 0;
  #packCopies: { copies: number; sound: number } | undefined;
  #pendingPack: VolumeLook['pendingPack'];

  constructor(volume: VolumeRow, listings: readonly ColumnListing[], known: readonly DamageRow[], read: boolean) {
    this.#volume = volume;
    this.#listings = listings;
    this.#read = read;
    this.#spare = spareOf(volume.codec);
    this.#expected = volume.extents.map(() => new Set());
    for (const row of known)
      if (row.generation === volume.generation) this.#known.set(placeText(row.column, row.part), row);
      else this.#stale.push(row);
  }

  add(look: PartLook, group?: NamedGroup): void {
    const { part, stored, faults, unread } = look;
    const gone = new Set(unread);
    const name = group === undefined ? nameOfPart(part) : chunkName(group.seq, group.token);
    if (group !== undefined) this.#groups += 1;
    for (const column of stored) {
      this.#objects += 1;
      this.#bytes += this.#listings[column]?.objects?.get(name) ?? 0;
      const text = placeText(column, part);
      const fault = faults.get(column);
      if (unread.includes(column)) {
        this.#unread += this.#listings[column]?.objects === undefined ? 0 : 1;
        const before = this.#known.get(text);
        if (before !== undefined) this.#damage.push(before);
        continue;
      }
      this.#seen.add(text);
      const damage = fault === undefined ? this.#stillWrong(text) : this.#note(column, part, fault);
      if (damage !== undefined) {
        this.#damage.push(damage);
        gone.add(column);
      }
    }
    this.#reckon(look, gone);
    for (const column of stored) this.#expected[column]?.add(name);
  }

  /**
   * What is not there is no damage, and what is not sound costs no copy of anything: the group rows say the same. A
   * sound pack that was found not to lead to everything is that still: whoever seals compares, a look does not.
   */
  addPending({ part, stored, faults, unread }: PartLook): void {
    let sound = 0;
    for (const column of stored) {
      const text = placeText(column, part);
      const fault = faults.get(column);
      const before = this.#known.get(text);
      const isUnread = unread.includes(column);
      if (fault !== undefined && fault.kind !== 'missing') this.#damage.push(this.#note(column, part, fault));
      else if (before !== undefined && (isUnread || (fault === undefined && before.kind === 'foreign')))
        this.#damage.push(before);
      else if (!isUnread) {
        this.#seen.add(text);
        if (fault === undefined) sound += 1;
      }
      this.#expected[column]?.add(nameOfPart(part));
    }
    this.#pendingPack = { sound, of: stored.length };
  }

  #note(column: number, part: DamagedPart, { kind, reason }: Fault): DamageFound {
    const { id, generation } = this.#volume;
    const damage: DamageFound = { volume: id, generation, column, part, kind, reason };
    this.#found.push(damage);
    return damage;
  }

  /** A listing does not refute that bytes were found to be wrong. */
  #stillWrong(text: string): DamageRow | undefined {
    const before = this.#known.get(text);
    return !this.#read && (before?.kind === 'wrong' || before?.kind === 'foreign') ? before : undefined;
  }

  #reckon({ part, stored }: PartLook, gone: ReadonlySet<number>): void {
    const lost = stored.filter((column) => gone.has(column));
    const { codec } = this.#volume;
    if (typeof part !== 'number') {
      const copies = stored.length - lost.length;
      this.#spare = Math.min(this.#spare, Math.max(0, packSpare(codec, copies)));
      if (part === 'pack') this.#packCopies = { copies: stored.length, sound: copies };
      return;
    }
    const spare = spareOf(codec, lost);
    if (spare === LOST) this.#lost.push(part);
    this.#spare = Math.min(this.#spare, spare);
  }

  result({ areFound, areComplete, isWhole, cutAfterSeq }: LookEnd): VolumeLook {
    const healed = [...this.#known]
      .filter(([text, row]) => this.#isHealed(text, row, isWhole && areComplete))
      .map(([, row]) => row);
    const packs = this.#packCopies;
    if (packs !== undefined && packs.sound === 0 && packs.copies > 0 && !areFound) {
      this.#lost.push('pack');
      this.#spare = LOST;
    }
    return {
      volume: this.#volume,
      found: this.#found,
      healed: [...this.#stale, ...healed],
      damage: this.#damage,
      spare: this.#spare,
      lostParts: this.#lost,
      groups: this.#groups,
      objects: this.#objects,
      bytes: this.#bytes,
      cutAfterSeq,
      unread: this.#unread,
      unlisted: this.#listings.filter(({ objects }) => objects === undefined).length,
      strays: isWhole ? this.#strays() : { objects: 0, bytes: 0 },
      pendingPack: this.#pendingPack,
    };
  }

  /** `isAll`: everything that must exist was looked at, so that a row of anything else is of what need not exist. */
  #isHealed(text: string, row: DamageRow, isAll: boolean): boolean {
    if (this.#damage.some(({ column, part }) => placeText(column, part) === text)) return false;
    if (this.#seen.has(text)) return true;
    return isAll && this.#listings[row.column]?.objects !== undefined;
  }

  #strays(): VolumeLook['strays'] {
    let objects = 0;
    let bytes = 0;
    for (const [column, { objects: listed }] of this.#listings.entries())
      for (const [name, size] of listed ?? []) {
        if (this.#expected[column]?.has(name)) continue;
        objects += 1;
        bytes += size;
      }
    return { objects, bytes };
  }
}

const nameOfPart = (part: DamagedPart): string => (part === 'pack' ? DIRECTORY_PACK_NAME : String(part));
