// How many more columns a group, or a volume, certainly survives losing: from what its code promises and what is gone
// already. Pure.
import { codecOf } from '../../codec/codecs.ts';
import { codecShape } from '../../codec/shape.ts';
import { CODE_COLUMNS_MAX } from '../../limits/bytes.ts';
import type { DamagePlace, DamageRow } from '../../panda/rows/damage-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';

type CodecName = VolumeRow['codec'];

/** What the code cannot give back any more. */
export const LOST = -1;

const known = new Map<string, number>();

/**
 * Further losses, whichever they are, that leave everything readable while the columns in `lost` are gone; LOST if it
 * is too late.
 */
export function spareOf(codec: CodecName, lost: readonly number[] = []): number {
  const sorted = [...new Set(lost)].sort((a, b) => a - b);
  const key = `${codec}/${sorted.join()}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const spare = reckonSpare(codec, sorted);
  known.set(key, spare);
  return spare;
}

function reckonSpare(name: CodecName, lost: readonly number[]): number {
  const codec = codecOf(name);
  const { dataColumns, parityColumns } = codecShape(name);
  if (!codec.canReconstruct(lost)) return LOST;
  const left = Array.from({ length: dataColumns + parityColumns }, (_, i) => i).filter((i) => !lost.includes(i));
  for (let more = 1; more <= parityColumns - lost.length; more++)
    for (const some of combinations(left, more)) if (!codec.canReconstruct([...lost, ...some])) return more - 1;
  return Math.max(0, parityColumns - lost.length);
}

function* combinations(of: readonly number[], count: number, from = 0): Generator<number[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let i = from; i <= of.length - count; i++)
    for (const rest of combinations(of, count - 1, i + 1)) yield [of[i] as number, ...rest];
}

/** Columns that may lie in one domain: as many as may be lost with it, and one of what survives no loss. */
export const domainColumnsMax = (codec: CodecName): number => Math.max(1, spareOf(codec));

/** Of the directory pack: one copy is enough. `copies` are those still to be had, `full` what there should be. */
export const packSpare = (codec: CodecName, copies: number): number => Math.min(spareOf(codec), copies - 1);

/** Columns of a volume that lie on drives which are away. */
export const columnsOn = ({ extents }: Pick<VolumeRow, 'extents'>, drives: ReadonlySet<number>): number[] =>
  extents.flatMap(({ drive }, column) => (drives.has(drive) ? [column] : []));

/**
 * Of the volume as far as its damage rows and the drives that are away tell; rows of other generations count for
 * nothing.
 */
export function volumeSpare(
  volume: Pick<VolumeRow, 'id' | 'codec' | 'generation' | 'extents' | 'directoriesPending'>,
  damage: readonly DamageRow[],
  away: ReadonlySet<number>,
): number {
  const gone = columnsOn(volume, away);
  const byPart = new Map<DamagePlace['part'], number[]>();
  for (const { volume: id, generation, part, column } of damage)
    if (id === volume.id && generation === volume.generation && column < CODE_COLUMNS_MAX)
      byPart.set(part, [...(byPart.get(part) ?? []), column]);
  let spare = spareOf(volume.codec, gone);
  const { dataColumns, parityColumns } = codecShape(volume.codec);
  const packColumns = Array.from({ length: parityColumns + 1 }, (_, i) => dataColumns - 1 + i);
  for (const [part, columns] of byPart) {
    // The group rows lead to everything as yet.
    if (part === 'pack' && volume.directoriesPending) continue;
    const lost = new Set([...gone, ...columns]);
    const copies = packColumns.filter((column) => !lost.has(column)).length;
    // Without any directory the bucket rows and the groups still lead to what was moved there: not lost, but nothing is
    // left to spare.
    const its =
      typeof part === 'number' ? spareOf(volume.codec, [...lost]) : Math.max(0, packSpare(volume.codec, copies));
    spare = Math.min(spare, its);
  }
  return spare;
}

export interface Redundancy {
  /** Volumes that hold something that lives. */
  readonly volumes: number;
  /** Volumes of which every column is there. */
  readonly full: number;
  /** The others, by how many more columns they certainly survive losing; `of`: how many when nothing is missing. */
  readonly reduced: readonly { readonly spare: number; readonly of: number; readonly volumes: number }[];
  /** Volumes some of which cannot be read now. */
  readonly lost: number;
}

/** Counts volumes one by one. */
export class RedundancyCount {
  #volumes = 0;
  #full = 0;
  #lost = 0;
  readonly #reduced = new Map<string, { spare: number; of: number; volumes: number }>();

  add(codec: CodecName, spare: number): void {
    const of = spareOf(codec);
    this.#volumes += 1;
    if (spare === LOST) this.#lost += 1;
    else if (spare >= of) this.#full += 1;
    else {
      const entry = this.#reduced.get(`${spare}/${of}`) ?? { spare, of, volumes: 0 };
      entry.volumes += 1;
      this.#reduced.set(`${spare}/${of}`, entry);
    }
  }

  get result(): Redundancy {
    const reduced = [...this.#reduced.values()].sort((a, b) => a.spare - b.spare || a.of - b.of);
    return { volumes: this.#volumes, full: this.#full, reduced, lost: this.#lost };
  }
}
