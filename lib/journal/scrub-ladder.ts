// The ladder read whole, each copy of each object: one that is damaged is written anew from a sound one. What no drive
// has sound is counted, for whoever can take a snapshot instead.
import { isKind, isPocketfulError, type PocketfulError } from '../foundation/errors.ts';
import { stemOf } from './points.ts';
import { checkPart, type SegmentPorts } from './segments.ts';
import type { ShelfPlace } from './shelves.ts';
import type { Segment } from './way.ts';

export interface LadderScrubOptions {
  /** Where a look that was cut goes on: its `cursor`. */
  readonly after?: string | undefined;
  readonly isOver?: (() => boolean) | undefined;
  readonly onProgress?: ((looked: number, bytes: number) => void) | undefined;
  /** `place`: the drive's name; `error`: what is wrong with its copy. */
  readonly onDamage?: ((damage: LadderDamage) => void) | undefined;
}

export interface LadderDamage {
  readonly place: string;
  readonly name: string;
  readonly error: PocketfulError;
  readonly isReplaced: boolean;
}

export interface LadderScrub {
  /** Copies read, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  readonly damaged: number;
  readonly replaced: number;
  /** Segments of which an object is sound nowhere. */
  readonly lostSegments: number;
  /** Copies on drives that did not answer. */
  readonly unread: number;
  /** False: it was cut short, and goes on after `cursor` (undefined: at the beginning). */
  readonly done: boolean;
  readonly cursor?: string | undefined;
}

/** What was looked at besides, or in the call before: how far `next` came is how far both came. */
export const addedScrubs = (one: LadderScrub, next: LadderScrub): LadderScrub => ({
  ...next,
  objects: one.objects + next.objects,
  bytes: one.bytes + next.bytes,
  damaged: one.damaged + next.damaged,
  replaced: one.replaced + next.replaced,
  lostSegments: one.lostSegments + next.lostSegments,
  unread: one.unread + next.unread,
});

type Sums = { -readonly [name in keyof LadderScrub]: LadderScrub[name] };

export async function scrubLadder(ports: SegmentPorts, options: LadderScrubOptions = {}): Promise<LadderScrub> {
  const sums: Sums = { objects: 0, bytes: 0, damaged: 0, replaced: 0, lostSegments: 0, unread: 0, done: true };
  const { segments, silent } = await ports.shelves.list();
  sums.unread += silent.length;
  let cursor = options.after;
  for (const { segment, at } of inOrder(segments)) {
    if (cursor !== undefined && at <= cursor) continue;
    let isLost = false;
    for (const [part] of segment.parts.entries()) {
      if (options.isOver?.()) return { ...sums, done: false, cursor };
      isLost = !(await scrubPart(ports, segment, part, options, sums)) || isLost;
      options.onProgress?.(sums.objects, sums.bytes);
    }
    if (isLost) sums.lostSegments += 1;
    cursor = at;
  }
  return sums;
}

/** By names, which stay as they are while segments come and go. */
const inOrder = (segments: readonly Segment[]): { readonly segment: Segment; readonly at: string }[] =>
  segments
    .map((segment) => ({ segment, at: `${segment.epoch}/${stemOf(segment)}` }))
    .sort((a, b) => (a.at < b.at ? -1 : 1));

/** False: no copy is sound. */
async function scrubPart(
  ports: SegmentPorts,
  segment: Segment,
  part: number,
  { onDamage }: LadderScrubOptions,
  sums: Sums,
): Promise<boolean> {
  const { name = '', drives = [] } = segment.parts[part] ?? {};
  let sound: Uint8Array | undefined;
  let mayBeSound = false;
  const damaged: { place: ShelfPlace; error: PocketfulError }[] = [];
  for (const place of ports.shelves.places.filter(({ drive }) => drives.includes(drive))) {
    try {
      const bytes = await place.shelf.read(segment.epoch, name);
      sums.objects += 1;
      sums.bytes += bytes.byteLength;
      await checkPart(ports, segment, part, bytes);
      sound ??= bytes;
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      if (isKind(error, 'corrupt')) damaged.push({ place, error });
      // Deleted meanwhile, or under a key that was destroyed: neither is damage.
      else mayBeSound = true;
      if (isKind(error, 'retry')) sums.unread += 1;
    }
  }
  for (const { place, error } of damaged) {
    const isReplaced = sound !== undefined && (await replaced(place, segment.epoch, name, sound));
    sums.damaged += 1;
    if (isReplaced) sums.replaced += 1;
    onDamage?.({ place: place.shelf.label, name, error, isReplaced });
  }
  return sound !== undefined || mayBeSound || damaged.length === 0;
}

/** Names are written once: the damaged one goes first. Whoever dies in between leaves a copy less, which is noticed. */
export async function replaced(
  { shelf }: ShelfPlace,
  epoch: number,
  name: string,
  sound: Uint8Array,
): Promise<boolean> {
  try {
    await shelf.remove(epoch, [name]);
    await shelf.put(epoch, name, [sound]);
    return true;
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return false;
  }
}
