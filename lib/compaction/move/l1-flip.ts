// L1 carried out: the live slots of a host and as many of its donors' buckets as fit go into new extents of the host;
// the flip makes them the host's, then the donors' buckets are committed one by one. Until the flip everything can be
// dropped without a trace, or gone on with after the last group that the journal names.
import { isPocketfulError, retryLater } from '../../foundation/errors.ts';
import type { BucketId } from '../../foundation/ids.ts';
import { reasonOf } from '../../foundation/reason.ts';
import { extentText, type VolumeRow } from '../../panda/rows/volume-row.ts';
import { finishSeal } from '../../volume/open/seal.ts';
import type { BucketContent } from '../../volume/read/collect-bucket.ts';
import { dropGroupRowsOf } from '../../volume/rows/drop-groups.ts';
import { readBucket, readVolume } from '../../volume/rows/read-rows.ts';
import { liveContentsOf } from '../../volume/runs/collect-or-drop.ts';
import { endSource } from '../../volume/runs/drain-source.ts';
import { claimNext, commitArrivals, dropNext, NextExtents } from '../../volume/runs/flip.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { noteCrowded } from '../facts/crowded.ts';
import { advance, STEP_TIME_UP } from '../run/journal.ts';
import type { Copied, CopiedGroup, JournalRow } from '../run/journal-row.ts';
import { type Moved, nothingMoved } from './l2-move.ts';

export interface TopOff extends Moved {
  /** Live bytes of the host that were copied although they stay in it. */
  hostBytes: number;
}

export interface TopOffEnd {
  readonly moved: TopOff;
  readonly journal: JournalRow;
  /** True if it was stopped, and there is something to go on with: no lease has ended. */
  readonly kept: boolean;
}

/**
 * Tops off a leased host from leased donors; ends all their leases and leaves the journal to the caller, as far as it
 * came. Goes on after the groups that an earlier try has stored, if the journal says so. Told to stop after a group was
 * copied, it keeps that for whoever goes on, and so the leases.
 */
export async function topOff(
  store: VolumeStore,
  journal: JournalRow,
  host: VolumeRow,
  donors: readonly VolumeRow[],
  signal: AbortSignal,
): Promise<TopOffEnd> {
  const moved: TopOff = { ...nothingMoved(), hostBytes: 0 };
  let row = journal;
  try {
    const { ready, next, groups } = await readyHost(store, journal, host);
    const copying = new Copying(store, row, next, groups, moved);
    try {
      await copying.copy(ready, donors, signal);
    } finally {
      row = copying.journal;
    }
    // To rewrite a host that nothing can be added to would free nothing, and the next plan would do it again.
    if (next.arriving.length === 0) throw tooFull(`no bucket of the donors fits beside what is live in it`);
    await next.writeDirectories();
    const committing = await advance(store.components, row, { phase: 'COMMIT', copied: copying.copied });
    if (committing === undefined) throw lost(host);
    row = committing;
    if (!(await next.flip(ready))) throw lost(host);
    const flipped = { id: host.id, generation: next.generation, token: next.token };
    const arrived = await commitArrivals(store, row.run, flipped, next.arriving);
    moved.buckets = arrived.length;
    moved.destinations.add(host.id);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    if (error.code === TOO_FULL) await skipHost(store, host, moved, error.message);
    else if (error.code !== STEP_TIME_UP || moved.groups === 0) moved.stalled = reasonOf(error);
    else return { moved, journal: row, kept: true };
  }
  await endTopOff(store, row, host, donors, moved);
  return { moved, journal: row, kept: false };
}

const lost = (host: VolumeRow) => retryLater('RUN_LOST', `another worker took over volume ${host.id}`);

const TOO_FULL = 'HOST_TOO_FULL';
const UNEVEN = 'its records are too uneven, it does not fit its own extents once more';
const tooFull = (why: string) => retryLater(TOO_FULL, why);

/**
 * Waiting does not help it: the run ends, the volume is told of, and plans leave it out as a host until more of it has
 * died.
 */
async function skipHost(store: VolumeStore, host: VolumeRow, moved: TopOff, reason: string): Promise<void> {
  const { panda, settings } = store.components;
  let liveBytes = 0;
  for (const id of host.buckets) {
    const bucket = await readBucket(panda, settings.cell, id);
    if (bucket?.volume === host.id) liveBytes += bucket.liveBytes;
  }
  await noteCrowded(store.components, host, liveBytes);
  moved.skipped.push({ volume: host.id, reason: { code: TOO_FULL, text: `it cannot be topped off: ${reason}` } });
  moved.hostBytes = 0;
  moved.recordBytes = 0;
}

interface ReadyHost {
  readonly ready: VolumeRow;
  readonly next: NextExtents;
  /** Those that are in it already. */
  readonly groups: readonly CopiedGroup[];
}

/** The host with extents to write: those of an earlier try as far as it came, or else fresh ones. */
async function readyHost(store: VolumeStore, { run, copied }: JournalRow, host: VolumeRow): Promise<ReadyHost> {
  const { components } = store;
  if (host.directoriesPending) await finishSeal(store, host);
  const sealed = await readVolume(components.panda, components.settings.cell, host.id);
  if (sealed?.run !== run) throw lost(host);
  if (copied?.groups !== undefined && isOf(sealed.next, copied)) {
    const next = new NextExtents(store, run, sealed);
    if (await resumed(next, copied.groups, copied)) return { ready: sealed, next, groups: copied.groups };
  }
  const clean = await dropNext(store, run, sealed);
  if (clean === undefined) throw lost(host);
  await dropGroupRowsOf(components, clean);
  const ready = await claimNext(store, run, clean);
  if (ready?.next === undefined) throw lost(host);
  return { ready, next: new NextExtents(store, run, ready), groups: [] };
}

/** What cannot be read of it, because a drive is away, is begun anew. */
async function resumed(
  next: NextExtents,
  groups: readonly CopiedGroup[],
  { token, buckets }: Copied,
): Promise<boolean> {
  if (token !== next.token) return false;
  try {
    return await next.resume(groups, buckets);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return false;
  }
}

/** Extents and generation are those that a journal speaks of: another run of the same host has others. */
const isOf = (
  now: Pick<VolumeRow, 'generation' | 'extents'> | undefined,
  { generation, extents }: Pick<Copied, 'generation' | 'extents'>,
): boolean =>
  now?.generation === generation && (extents === undefined || extents.join() === now.extents.map(extentText).join());

/** The copying of one run into the next extents: a group at a time, each noted in the journal once it is stored. */
class Copying {
  journal: JournalRow;
  readonly #store: VolumeStore;
  readonly #next: NextExtents;
  readonly #moved: TopOff;
  readonly #groups: CopiedGroup[];
  readonly #done: Set<BucketId>;
  #waiting: BucketContent[] = [];

  constructor(
    store: VolumeStore,
    journal: JournalRow,
    next: NextExtents,
    groups: readonly CopiedGroup[],
    moved: TopOff,
  ) {
    this.journal = journal;
    this.#store = store;
    this.#next = next;
    this.#moved = moved;
    this.#groups = [...groups];
    this.#done = new Set([...groups.flatMap(({ own }) => own), ...next.arriving.map(({ bucket }) => bucket)]);
  }

  get copied(): Copied {
    const { generation, token, arriving, extents } = this.#next;
    return { generation, token, buckets: arriving, extents, groups: this.#groups };
  }

  async copy(host: VolumeRow, donors: readonly VolumeRow[], signal: AbortSignal): Promise<void> {
    const { run } = this.journal;
    const { groupBytesMin } = this.#store.components.settings;
    const keptBackBytes = groupBytesMin / 2;
    for (const volume of [host, ...donors]) {
      for await (const content of liveContentsOf(this.#store, volume, run, this.#done)) {
        if (signal.aborted) throw retryLater(STEP_TIME_UP, 'it was stopped before all was copied');
        if (!this.#next.fits([...this.#waiting, content])) {
          if (volume.id === host.id) throw tooFull(UNEVEN);
          return this.#finish(host);
        }
        this.#waiting.push(content);
        if (sumOf(this.#waiting) >= groupBytesMin + keptBackBytes) await this.#flush(host, this.#wholeGroup());
      }
    }
    await this.#finish(host);
  }

  /** As many of those waiting as a group has, the first at least: what is left makes a group again, not a splinter. */
  #wholeGroup(): number {
    let count = 1;
    while (sumOf(this.#waiting.slice(0, count + 1)) <= this.#store.components.settings.groupBytesMin) count += 1;
    return count;
  }

  /**
   * The last group. It was found to fit together with what went before it, which says nearly but not quite that it fits
   * now.
   */
  async #finish(host: VolumeRow): Promise<void> {
    while (this.#waiting.length > 0 && !this.#next.fits(this.#waiting))
      if (this.#waiting.pop()?.source.id === host.id) throw tooFull(UNEVEN);
    await this.#flush(host, this.#waiting.length);
  }

  async #flush(host: VolumeRow, count: number): Promise<void> {
    const contents = this.#waiting.slice(0, count);
    if (contents.length === 0) return;
    const seq = await this.#next.add(contents);
    const own = contents.filter(({ source }) => source.id === host.id);
    this.#groups.push({ seq, own: own.map(({ bucket }) => bucket.id) });
    const noted = await advance(this.#store.components, this.journal, { copied: this.copied });
    if (noted === undefined) throw lost(host);
    this.journal = noted;
    this.#moved.groups += 1;
    this.#moved.storedBytes = this.#next.storedBytes;
    for (const content of contents) {
      if (content.source.id === host.id) this.#moved.hostBytes += bytesOf(content);
      else this.#moved.recordBytes += bytesOf(content);
    }
    this.#waiting = this.#waiting.slice(count);
  }
}

const bytesOf = ({ records }: BucketContent): number => records.reduce((sum, { record }) => sum + record.length, 0);
const sumOf = (contents: readonly BucketContent[]): number =>
  contents.reduce((sum, content) => sum + bytesOf(content), 0);

async function endTopOff(
  store: VolumeStore,
  row: JournalRow,
  host: VolumeRow,
  donors: readonly VolumeRow[],
  moved: TopOff,
): Promise<void> {
  const now = await readVolume(store.components.panda, store.components.settings.cell, host.id);
  if (now?.run === row.run) {
    await dropNext(store, row.run, now);
    await endSource(store, now, row.run);
  }
  for (const donor of donors) if (await endSource(store, donor, row.run)) moved.retired += 1;
}

/** What was copied and will not be flipped to is dropped. Of leased volumes whose run ends. */
export async function dropUnflipped(
  store: VolumeStore,
  run: JournalRow['run'],
  volumes: readonly VolumeRow[],
): Promise<void> {
  for (const volume of volumes) await dropNext(store, run, volume);
}

/**
 * What a dead process left of an L1 run whose volumes were taken over: if the flip took effect, the buckets that came
 * with it are committed, and nothing is left to copy. The leases stay.
 */
export async function finishHost(
  store: VolumeStore,
  journal: JournalRow,
  volumes: readonly VolumeRow[],
): Promise<boolean> {
  const host = volumes.find(({ id }) => id === journal.task.host);
  const { copied } = journal;
  if (host === undefined || copied === undefined || !isOf(host, copied)) return false;
  await commitArrivals(store, journal.run, { id: host.id, ...copied }, copied.buckets);
  return true;
}
