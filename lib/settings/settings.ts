// The immutable settings of a store: one schema, four presets, contradictions refused. Settings are plain data; ports
// are passed in beside them, never inside.

import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { CODEC_NAMES } from '../codec/codec.ts';
import { codecShape } from '../codec/shape.ts';
import { HOUR_MS } from '../foundation/durations.ts';
import { invalid, notMet } from '../foundation/errors.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

// zod/mini, here and in whatever else every command loads: its schemas are made in a tenth of the time.
z.config(en());
const bytes = z.int().check(z.positive());
const durationMs = z.int().check(z.nonnegative());
const between = (least: number, most: number) => z.int().check(z.minimum(least), z.maximum(most));

const schema = z.strictObject({
  /** Which bundle these settings began as; only for people. */
  preset: z.enum(['demo', 'personal', 'thrifty', 'cell', 'custom']),
  /** Longest plaintext of a block; files are cut at multiples of it. */
  blockBytesMax: bytes.check(z.maximum(4 * MIB)),
  /** Size of a volume's column on one drive, i.e. of an SMR zone. */
  extentBytes: bytes.check(z.minimum(64 * KIB), z.maximum(16 * GIB)),
  /** A bucket is closed once it holds this many record bytes. */
  bucketBytes: bytes,
  slotsPerBucketMax: between(16, 65_536),
  /** The Live Coder waits for this many record bytes before it codes a group. */
  groupBytesMin: bytes,
  hotCodec: z.enum(CODEC_NAMES),
  warmCodec: z.enum(CODEC_NAMES),
  /** Age at which a hot volume is encoded: since its seal (0 = at seal), or since it was begun, whatever is in it. */
  encodeAfterMs: durationMs,
  zonesPerDrive: between(4, 1_000_000),
  /** How long a deleted block can come back before GC shreds it. */
  deleteGraceMs: durationMs,
  /** How long a drained volume is kept before its zones are erased. */
  trashGraceMs: durationMs,
  /** Open hot volumes to begin with; the pool grows to four times as many under contention. */
  openVolumes: between(1, 64),
  /** Puts answer `retry` once hot volumes allocate this much. */
  hotBytesMax: bytes,
  cell: z
    .string()
    .check(z.regex(/^[a-z][a-z0-9]{0,15}$/, 'a cell name is 1 to 16 lower-case letters and digits, a letter first')),
});

export type Settings = Readonly<z.infer<typeof schema>>;
export type PresetName = 'demo' | 'personal' | 'thrifty' | 'cell';

const personal: Settings = {
  preset: 'personal',
  blockBytesMax: 4 * MIB,
  extentBytes: 64 * MIB,
  bucketBytes: 16 * MIB,
  slotsPerBucketMax: 65_536,
  groupBytesMin: 96 * MIB,
  hotCodec: 'replica-4',
  warmCodec: 'rs-6-3',
  encodeAfterMs: 24 * HOUR_MS,
  zonesPerDrive: 65_536,
  deleteGraceMs: 24 * HOUR_MS,
  trashGraceMs: 24 * HOUR_MS,
  openVolumes: 8,
  hotBytesMax: 256 * GIB,
  cell: 'c0',
};

export const PRESETS: Readonly<Record<PresetName, Settings>> = {
  demo: {
    ...personal,
    preset: 'demo',
    blockBytesMax: 64 * KIB,
    extentBytes: 512 * KIB,
    bucketBytes: 256 * KIB,
    slotsPerBucketMax: 4096,
    groupBytesMin: 3 * MIB,
    warmCodec: 'lrc-12-2-2',
    encodeAfterMs: 0,
    zonesPerDrive: 4096,
    deleteGraceMs: 0,
    trashGraceMs: 0,
    hotBytesMax: 4 * GIB,
  },
  personal,
  thrifty: {
    ...personal,
    preset: 'thrifty',
    extentBytes: 512 * MIB,
    hotCodec: 'single',
    warmCodec: 'single',
  },
  cell: {
    ...personal,
    preset: 'cell',
    extentBytes: GIB,
    bucketBytes: 512 * MIB,
    groupBytesMin: 192 * MIB,
    warmCodec: 'lrc-12-2-2',
    hotBytesMax: 16 * 1024 * GIB,
  },
};

/** Record bytes a volume of this codec can hold. */
export const capacityBytes = (settings: Settings, codec: Settings['warmCodec']): number =>
  codecShape(codec).dataColumns * settings.extentBytes;

/** Drives a store with these settings needs at the least. */
export const drivesMin = (settings: Settings): number =>
  Math.max(
    ...[settings.hotCodec, settings.warmCodec].map((c) => codecShape(c).dataColumns + codecShape(c).parityColumns),
  );

/**
 * Settings read back from a row, a file or a flag. Throws `invalid` SETTINGS_INVALID naming the key, or the
 * contradiction.
 */
export function parseSettings(input: unknown): Settings {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw notMet('SETTINGS_INVALID', 'settings', parsed.error);
  const settings = parsed.data;
  const contradiction = contradictionIn(settings);
  if (contradiction !== undefined) throw invalid('SETTINGS_INVALID', `settings: ${contradiction}`);
  return Object.freeze(settings);
}

/** A preset with some settings changed. */
export function settingsOf(preset: PresetName, changes: Partial<Settings> = {}): Settings {
  return parseSettings({ ...PRESETS[preset], ...changes });
}

function contradictionIn(s: Settings): string | undefined {
  const warm = codecShape(s.warmCodec);
  if (s.blockBytesMax * 4 > s.bucketBytes)
    return `blockBytesMax ${s.blockBytesMax} is over a quarter of bucketBytes ${s.bucketBytes}`;
  if (s.blockBytesMax * 4 * warm.dataColumns > s.groupBytesMin && s.warmCodec !== s.hotCodec)
    return `blockBytesMax ${s.blockBytesMax} is over groupBytesMin/(4k) = ${s.groupBytesMin / (4 * warm.dataColumns)}`;
  if (s.bucketBytes * 24 > capacityBytes(s, s.warmCodec))
    return `bucketBytes ${s.bucketBytes} is over 1/24 of a warm volume (${capacityBytes(s, s.warmCodec)})`;
  if (s.bucketBytes > capacityBytes(s, s.hotCodec)) return `bucketBytes ${s.bucketBytes} does not fit a hot volume`;
  if (s.groupBytesMin > capacityBytes(s, s.warmCodec))
    return `groupBytesMin ${s.groupBytesMin} does not fit a warm volume`;
  return undefined;
}
