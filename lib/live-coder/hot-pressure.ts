// Which sealed hot volumes are encoded for want of room, however young: from half of what hot volumes may allocate on
// the oldest, until less is left. Pure; whoever encodes goes by it, on a schedule, by a command, or asked by a put that
// saw it. What is in trash is no longer hot, and what is on its way out need not be chosen.
import type { VolumeId } from '../foundation/ids.ts';
import { HOT_PRESSURE_SHARE, HOT_RELIEVED_SHARE } from '../limits/frontend.ts';
import { isListedIn } from '../panda/rows/open-row.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import type { Settings } from '../settings/settings.ts';
import { hotShareOf, hotVolumesWithin } from '../volume/rows/hot-share.ts';
import { ownerOf } from '../volume/runs/runs.ts';
import { putClass } from '../volume/write/append.ts';

export interface HotPressure {
  /** Part of `hotBytesMax` that hot volumes allocate. */
  readonly share: number;
  readonly isHigh: boolean;
  /** Whoever is encoding now, as far as volumes say. */
  readonly encoders: ReadonlySet<string>;
  /** To be encoded whatever their age. */
  readonly pressed: ReadonlySet<VolumeId>;
}

export function hotPressureOf(volumes: readonly VolumeRow[], settings: Settings): HotPressure {
  const hot = putClass(settings) === 'hot' ? volumes.filter((volume) => isListedIn('hot', volume)) : [];
  const share = hotShareOf(hot.length, settings);
  const isHigh = share >= HOT_PRESSURE_SHARE;
  const leaving = hot.filter(({ run }) => run !== undefined);
  const encoders = new Set(leaving.flatMap(({ run }) => (run?.startsWith('encode/') ? [ownerOf(run)] : [])));
  const wanted = isHigh ? hot.length - leaving.length - hotVolumesWithin(HOT_RELIEVED_SHARE, settings) : 0;
  const oldest = hot
    .filter(({ state, run }) => state === 'sealed' && run === undefined)
    .sort((a, b) => (a.sealedAtMs ?? 0) - (b.sealedAtMs ?? 0) || (a.id < b.id ? -1 : 1));
  return { share, isHigh, encoders, pressed: new Set(oldest.slice(0, Math.max(0, wanted)).map(({ id }) => id)) };
}
