// What the loss of one more drive, or of one more domain, would cost now: beside the drives that are gone and what was
// found damaged. Pure.
import type { VolumeId } from '../../foundation/ids.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { LOST, volumeSpare } from './redundancy.ts';

export interface Loss {
  /** The drive's label, or the domain. */
  readonly of: string;
  /** Volumes some of which could not be read any more, and can be now. */
  readonly lostVolumes: number;
  /** Others that would be read by their code alone, and how many more columns the worst of them certainly survives. */
  readonly reducedVolumes: number;
  readonly spareLeft: number | null;
}

/** Null where there is none: no drive holds anything; no drive was said to be of a domain. */
export interface WorstLosses {
  readonly drive: Loss | null;
  readonly domain: Loss | null;
}

export interface LossFacts {
  readonly volumes: readonly LosableVolume[];
  readonly damage: readonly DamageRow[];
  /** Drives that are there. */
  readonly drives: readonly { readonly drive: number; readonly label: string; readonly domain?: string | undefined }[];
  /** Drives that are lost, or do not answer. */
  readonly gone: ReadonlySet<number>;
}

type LosableVolume = Pick<VolumeRow, 'id' | 'codec' | 'generation' | 'extents' | 'directoriesPending'>;

export function worstLosses({ volumes, damage, drives, gone }: LossFacts): WorstLosses {
  const losses = new Losses(volumes, damage, gone);
  const domains = Map.groupBy(
    drives.filter(({ domain }) => domain !== undefined),
    ({ domain }) => domain as string,
  );
  return {
    drive: worst(drives.map(({ drive, label }) => losses.of(label, [drive]))),
    domain: worst(
      [...domains].map(([domain, of]) =>
        losses.of(
          domain,
          of.map(({ drive }) => drive),
        ),
      ),
    ),
  };
}

class Losses {
  readonly #damage: ReadonlyMap<VolumeId, readonly DamageRow[]>;
  readonly #gone: ReadonlySet<number>;
  /** Of each drive, the volumes that have a column there; those that are lost already are nobody's. */
  readonly #on = new Map<number, LosableVolume[]>();

  constructor(volumes: readonly LosableVolume[], damage: readonly DamageRow[], gone: ReadonlySet<number>) {
    this.#damage = Map.groupBy(damage, ({ volume }) => volume);
    this.#gone = gone;
    for (const volume of volumes) {
      if (this.#spare(volume, gone) === LOST) continue;
      for (const { drive } of volume.extents) {
        const on = this.#on.get(drive);
        if (on === undefined) this.#on.set(drive, [volume]);
        else on.push(volume);
      }
    }
  }

  of(name: string, drives: readonly number[]): Loss {
    const gone = new Set([...this.#gone, ...drives]);
    const touched = new Set(drives.flatMap((drive) => this.#on.get(drive) ?? []));
    const spares = [...touched].map((volume) => this.#spare(volume, gone));
    const left = spares.filter((spare) => spare !== LOST);
    return {
      of: name,
      lostVolumes: spares.length - left.length,
      reducedVolumes: left.length,
      spareLeft: left.length === 0 ? null : left.reduce((least, spare) => Math.min(least, spare)),
    };
  }

  #spare(volume: LosableVolume, gone: ReadonlySet<number>): number {
    return volumeSpare(volume, this.#damage.get(volume.id) ?? [], gone);
  }
}

/** More that is lost; then less that is spare; then more that is reduced. */
const byHarm = (a: Loss, b: Loss): number =>
  b.lostVolumes - a.lostVolumes ||
  (a.spareLeft ?? Number.POSITIVE_INFINITY) - (b.spareLeft ?? Number.POSITIVE_INFINITY) ||
  b.reducedVolumes - a.reducedVolumes;

function worst(losses: readonly Loss[]): Loss | null {
  const [first] = losses.filter((loss) => loss.lostVolumes + loss.reducedVolumes > 0).sort(byHarm);
  return first ?? null;
}
