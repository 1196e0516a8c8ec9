// The kinds of stores that are tried, all of them tiny: a few dozen objects fill, seal, encode, drain, top off and merge volumes.
import { codecShape } from '../../../lib/codec/shape.ts';
import { type Settings, settingsOf } from '../../../lib/settings/settings.ts';

const KIB = 1024;

export interface Variant {
  readonly name: string;
  readonly settings: Settings;
  /** As the store's row may have them: with extents that are large enough. */
  readonly inRow: Settings;
  readonly drives: number;
  /** Drives of which at once something may be lost, rotten or away without anybody noticing in what is read. */
  readonly tolerated: number;
}

function variant(name: string, drives: number, changes: Partial<Settings>): Variant {
  const settings = settingsOf('demo', {
    preset: 'custom',
    blockBytesMax: 128,
    extentBytes: 64 * KIB,
    bucketBytes: 2 * KIB,
    slotsPerBucketMax: 64,
    groupBytesMin: 4 * KIB,
    warmCodec: 'xor-2-1',
    openVolumes: 1,
    ...changes,
  });
  // Smaller than a real store may be: few operations fill a volume.
  const tiny = { ...settings, extentBytes: 10 * KIB };
  return { name, settings: tiny, inRow: settings, drives, tolerated: codecShape(settings.warmCodec).parityColumns };
}

export const VARIANTS: readonly Variant[] = [
  variant('xor', 6, {}),
  variant('graces', 6, { deleteGraceMs: 40_000, trashGraceMs: 40_000, openVolumes: 2 }),
  variant('rs', 10, { warmCodec: 'rs-6-3', groupBytesMin: 8 * KIB }),
  variant('single-tier', 5, { hotCodec: 'xor-2-1', openVolumes: 2 }),
];
