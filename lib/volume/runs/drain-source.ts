// One source volume of a move: its buckets read one after the other and handed on, the empty ones dropped, the volume
// retired when nothing is left in it. Encode and compaction differ only in which sources they take.
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { BucketContent } from '../read/collect-bucket.ts';
import { readBucket, readVolume } from '../rows/read-rows.ts';
import type { VolumeStore } from '../volume-store.ts';
import { dropEmptyBucket } from '../write/drop-bucket.ts';
import type { MoveResult } from '../write/move.ts';
import { liveContentsOf } from './collect-or-drop.ts';
import { dropNext } from './flip.ts';
import { releaseRun, retireVolume } from './runs.ts';

/**
 * The sources of one run: each is retired as soon as the last of its buckets has moved, so that space comes back while
 * the run goes on.
 */
export class DrainingSources {
  readonly #store: VolumeStore;
  readonly #run: RunId;
  readonly #open = new Map<VolumeId, { source: VolumeRow; waiting: Set<BucketId>; isFed: boolean }>();
  #retired = 0;

  constructor(store: VolumeStore, run: RunId) {
    this.#store = store;
    this.#run = run;
  }

  get retired(): number {
    return this.#retired;
  }

  /** Reads a source that is draining under this run, bucket by bucket, into `push`; retires what is drained by then. */
  async feed(source: VolumeRow, push: (content: BucketContent) => Promise<void>): Promise<void> {
    const entry = { source, waiting: new Set<BucketId>(), isFed: false };
    this.#open.set(source.id, entry);
    for await (const content of liveContentsOf(this.#store, source, this.#run)) {
      entry.waiting.add(content.bucket.id);
      await push(content);
    }
    entry.isFed = true;
    await this.retireDrained();
  }

  /** A source whose run died is to be ended, without reading it. */
  adopt(source: VolumeRow): void {
    this.#open.set(source.id, { source, waiting: new Set(), isFed: true });
  }

  /** To be told of every move. */
  moved(result: MoveResult): void {
    for (const { waiting } of this.#open.values())
      for (const id of [...result.moved, ...result.skipped]) waiting.delete(id);
  }

  async retireDrained(): Promise<void> {
    for (const [id, { source, waiting, isFed }] of this.#open) {
      if (!isFed || waiting.size > 0) continue;
      this.#open.delete(id);
      if (await endSource(this.#store, source, this.#run)) this.#retired += 1;
    }
  }

  /** Ends the run: what is not drained goes back to sealed. */
  async end(): Promise<void> {
    for (const [id, { source }] of this.#open) {
      this.#open.delete(id);
      if (await endSource(this.#store, source, this.#run)) this.#retired += 1;
    }
  }
}

/** As `feed`; a source that cannot be read stays as it is, and is in the way of no other. Why, or undefined. */
export async function feedOrSkip(
  sources: DrainingSources,
  source: VolumeRow,
  push: (content: BucketContent) => Promise<void>,
): Promise<Reason | undefined> {
  try {
    await sources.feed(source, push);
    return undefined;
  } catch (error) {
    const isOfSource = isPocketfulError(error) && isKind(error, 'corrupt') && !error.code.startsWith('PANDA_');
    if (!isOfSource) throw error;
    return reasonOf(error);
  }
}

/**
 * After the moves: retired if it is empty; otherwise it goes back to sealed. True if it was retired. Extents claimed
 * for a flip go first, whoever claimed them: a claim may also be done after its run has given it up, so it is looked
 * for again if neither can be done.
 */
export async function endSource(store: VolumeStore, source: VolumeRow, run: RunId): Promise<boolean> {
  const { components } = store;
  if (await retireVolume(components, source, run)) return true;
  for (let attempt = 0; attempt < CONFLICT_ATTEMPTS_MAX; attempt++) {
    const left = await readVolume(components.panda, components.settings.cell, source.id);
    if (left?.run !== run) return false;
    await dropNext(store, run, left);
    const isDrained = await dropRemaining(store, left, run);
    if (isDrained && (await retireVolume(components, source, run))) return true;
    if ((await releaseRun(components, source.id, run)) !== undefined) return false;
  }
  return false;
}

/** Buckets whose last slots died while they were copied. False: others are left, and nobody could retire it. */
async function dropRemaining(store: VolumeStore, source: VolumeRow, run: RunId): Promise<boolean> {
  let isDrained = true;
  for (const id of source.buckets) {
    const bucket = await readBucket(store.components.panda, store.components.settings.cell, id);
    if (bucket?.volume !== source.id) continue;
    if (bucket.liveBytes > 0) isDrained = false;
    else await dropEmptyBucket(store.components, source, run, bucket);
  }
  return isDrained;
}
