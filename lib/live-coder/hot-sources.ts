// Which hot volumes a pass of ENCODE takes, and which open ones it seals for that:
//
//   sealed ones, once they are old enough, or the hot tier is half full (hot-pressure.ts);
//   what is mostly dead, open volumes too: it goes as it is;
//   what is aged, i.e. begun so long ago, open volumes too: if it makes a full group, or if it is worth a small one
//   (rest.ts). A small one takes along what is half as old, so that the next cannot follow for as long: groups are as
//   large as there is, and never one a pass.
//
// Each lane is judged by itself, as if it were a store: what waits in it makes no group with others.
//
// GC asks for those of which nothing lives, at any age: there is nothing to encode, and what they take is the most a
// store in a directory gives back at once.
//
// A volume that was sealed and then not taken, as the pass was cut off, is taken by the next: what is aged stays so.
import { mapLimit } from '../foundation/concurrency.ts';
import { isKind } from '../foundation/errors.ts';
import type { VolumeId } from '../foundation/ids.ts';
import { byLane } from '../foundation/lane.ts';
import { isAhead } from '../limits/clock-skew.ts';
import { AGED_MS_MIN } from '../limits/compaction.ts';
import { PARTITIONS_AT_ONCE } from '../limits/volume.ts';
import type { BucketRow } from '../panda/rows/bucket-row.ts';
import { laneOf, type VolumeRow } from '../panda/rows/volume-row.ts';
import { directoryColumns, packRoomBytes } from '../volume/rows/directory-room.ts';
import { listBuckets, listVolumes, readBucket } from '../volume/rows/read-rows.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { contentsOf, isWasteful, neededBytes } from '../volume/write/waste.ts';
import { groupTargetBytes } from './choose-group.ts';
import { hotPressureOf } from './hot-pressure.ts';
import { restGoes } from './rest.ts';

export interface HotChoice {
  /** Encode whatever is sealed, however young. */
  readonly force: boolean;
  /** Only so many of those that are sealed, and with the least that lives. */
  readonly sparsest: number | undefined;
  /** Only those of which nothing lives, open ones too. */
  readonly dead: boolean;
}

export interface HotSource {
  readonly volume: VolumeRow;
  readonly liveBytes: number;
  /** On the drives once what lives of it is coded: with parity and directories. */
  readonly codedBytes: number;
}

export interface HotSources {
  /** Open volumes sealed on the way. */
  readonly sealed: number;
  readonly totalBytes: number;
  readonly lanes: readonly LaneSources[];
}

/** Those of one lane. */
export interface LaneSources {
  /** In the order in which they go. */
  readonly ripe: readonly HotSource[];
  readonly totalBytes: number;
  /** What makes no full group goes, too. */
  readonly flush: boolean;
}

type Buckets = ReadonlyMap<string, BucketRow>;
type Test = (volume: VolumeRow) => boolean;

export async function hotSources(store: VolumeStore, choice: HotChoice): Promise<HotSources> {
  const { panda, settings, badRow } = store.components;
  const { all, hot } = await hotVolumes(store);
  if (choice.dead) return deadSources(store, hot);
  const { pressed } = hotPressureOf(all, settings);
  const ages = agesOf(store, choice.force, pressed);
  const due = hot.filter((v) => ages.isRipe(v) || ages.isAged(v));
  if (due.length === 0) return { sealed: 0, totalBytes: 0, lanes: [] };
  const buckets = new Map((await listBuckets(panda, settings.cell, badRow)).map((bucket) => [bucket.id, bucket]));
  // Whoever asks for more than what is old decides what is sealed, and flushed.
  const isAsked = choice.force || choice.sparsest !== undefined;
  const judged = new Map(
    byLane(due, laneOf).map(([lane, its]) => {
      const isWaste = isWasteOf(store, its.filter(ages.isRipe), buckets);
      const whole = all.filter((v) => laneOf(v) === lane);
      return [lane, { isWaste, aged: isAsked ? 'waits' : judgeAged(store, its.filter(ages.isAged), whole, buckets) }];
    }),
  );
  const isTaken: Test = (v) => {
    const { isWaste = false, aged = 'waits' } = judged.get(laneOf(v)) ?? {};
    return (
      (isWaste && ages.isRipe(v)) || (aged === 'full' && ages.isAged(v)) || (aged === 'small' && ages.isHalfAged(v))
    );
  };
  const { sealed, volumes } = await seal(store, hot, isTaken);
  const taken = volumes.filter(
    (v) => v.state === 'sealed' && (ages.isRipe(v) || ages.isAged(v) || sealed.has(v.id) || isTaken(v)),
  );
  const chosen = inOrder(store, taken, buckets, choice.sparsest);
  const lanes = byLane(chosen, ({ volume }) => laneOf(volume)).map(([lane, ripe]) => ({
    ripe,
    totalBytes: liveBytesOf(ripe),
    flush:
      judged.get(lane)?.aged === 'small' ||
      isWasteOf(
        store,
        taken.filter((v) => laneOf(v) === lane),
        buckets,
      ),
  }));
  return { sealed: sealed.size, totalBytes: liveBytesOf(chosen), lanes };
}

async function deadSources(store: VolumeStore, hot: readonly VolumeRow[]): Promise<HotSources> {
  const isDead = await mapLimit(hot, PARTITIONS_AT_ONCE, (volume) => nothingLivesIn(store, volume));
  const dead = new Set(hot.flatMap(({ id }, i) => (isDead[i] === true ? [id] : [])));
  const { sealed, volumes } = await seal(store, hot, ({ id }) => dead.has(id));
  const ripe = volumes.filter(({ id, state }) => dead.has(id) && state === 'sealed');
  const lane = { ripe: ripe.map((volume) => ({ volume, liveBytes: 0, codedBytes: 0 })), totalBytes: 0, flush: false };
  return { sealed: sealed.size, totalBytes: 0, lanes: [lane] };
}

/** Mostly the first bucket tells. One that is damaged may hold anything. */
async function nothingLivesIn(store: VolumeStore, { id, buckets }: VolumeRow): Promise<boolean> {
  const { panda, settings } = store.components;
  try {
    for (const one of buckets) {
      const bucket = await readBucket(panda, settings.cell, one);
      if (bucket?.volume === id && bucket.liveBytes > 0) return false;
    }
    return true;
  } catch (error) {
    if (isKind(error, 'corrupt')) return false;
    throw error;
  }
}

const liveBytesOf = (sources: readonly HotSource[]): number =>
  sources.reduce((sum, { liveBytes }) => sum + liveBytes, 0);

interface Volumes {
  readonly all: readonly VolumeRow[];
  /** Hot, runless, with a content. */
  readonly hot: readonly VolumeRow[];
}

async function hotVolumes({ components: { panda, settings, badRow } }: VolumeStore): Promise<Volumes> {
  if (settings.hotCodec === settings.warmCodec) return { all: [], hot: [] };
  const all = await listVolumes(panda, settings.cell, badRow);
  const hot = all
    .filter((v) => v.class === 'hot' && v.run === undefined)
    .filter((v) => v.state === 'sealed' || (v.state === 'open' && v.nextSeq > 1));
  return { all, hot };
}

interface Ages {
  /** Sealed so long ago that it may be encoded; of an open one, begun. */
  readonly isRipe: Test;
  /** Begun so long ago that it should be. */
  readonly isAged: Test;
  readonly isHalfAged: Test;
}

function agesOf(
  { components: { settings, clock } }: VolumeStore,
  force: boolean,
  pressed: ReadonlySet<VolumeId>,
): Ages {
  const nowMs = clock.nowMs();
  const isPast = (atMs: number, ageMs: number): boolean => atMs <= nowMs - ageMs || isAhead(atMs, nowMs);
  const isAnyAge = force || settings.encodeAfterMs === 0;
  const agedMs = Math.max(settings.encodeAfterMs, AGED_MS_MIN);
  return {
    isRipe: (v) =>
      isAnyAge ||
      pressed.has(v.id) ||
      isPast(v.state === 'open' ? v.createdAtMs : (v.sealedAtMs ?? 0), settings.encodeAfterMs),
    isAged: (v) => isPast(v.createdAtMs, agedMs),
    isHalfAged: (v) => isPast(v.createdAtMs, agedMs / 2),
  };
}

/** Whether what is aged of a whole lane makes a full group, or is to go as a small one. */
function judgeAged(
  { components: { settings } }: VolumeStore,
  aged: readonly VolumeRow[],
  whole: readonly VolumeRow[],
  buckets: Buckets,
): 'full' | 'small' | 'waits' {
  const contents = contentsOf(aged, buckets);
  if (restGoes(contents, contentsOf(whole, buckets).liveBytes, settings)) return 'small';
  return contents.liveBytes >= groupTargetBytes(settings) ? 'full' : 'waits';
}

/** Seals what is taken and open; a volume that somebody appends to right now is left for the next pass. */
async function seal(
  store: VolumeStore,
  hot: readonly VolumeRow[],
  isTaken: Test,
): Promise<{ readonly sealed: ReadonlySet<VolumeId>; readonly volumes: readonly VolumeRow[] }> {
  const open = new Set(hot.filter((v) => v.state === 'open' && isTaken(v)).map(({ id }) => id));
  if (open.size === 0 || (await store.open.sealAll('hot', open)) === 0) return { sealed: new Set(), volumes: hot };
  const { hot: volumes } = await hotVolumes(store);
  // They are old enough, although their seal is young.
  const sealed = new Set(volumes.filter((v) => v.state === 'sealed' && open.has(v.id)).map(({ id }) => id));
  return { sealed, volumes };
}

const isWasteOf = (
  { components: { settings } }: VolumeStore,
  volumes: readonly VolumeRow[],
  buckets: Buckets,
): boolean => isWasteful(contentsOf(volumes, buckets), settings.hotCodec, settings.warmCodec);

function inOrder(
  { components: { settings } }: VolumeStore,
  volumes: readonly VolumeRow[],
  buckets: Buckets,
  sparsest: number | undefined,
): readonly HotSource[] {
  const codec = settings.warmCodec;
  const packs = directoryColumns({ codec }).length;
  const all = [...volumes]
    .sort((a, b) => (a.sealedAtMs ?? 0) - (b.sealedAtMs ?? 0) || (a.id < b.id ? -1 : 1))
    .map((volume) => {
      const contents = contentsOf([volume], buckets);
      return {
        volume,
        liveBytes: contents.liveBytes,
        codedBytes: neededBytes(codec, contents) + packs * (packRoomBytes(volume) ?? 0),
      };
    });
  return sparsest === undefined ? all : all.sort((a, b) => a.liveBytes - b.liveBytes).slice(0, sparsest);
}
