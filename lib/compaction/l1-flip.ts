// L1 carried out: the live slots of a host and as many of its donors' buckets as fit go into new extents of the host; the flip makes
// them the host's, then the donors' buckets are committed one by one. Until the flip everything can be dropped without a trace.
import { isPocketfulError, retryLater } from '../foundation/errors.ts';
import { deadFromRow, deadKey } from '../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import { type BucketContent, collectBucket } from '../volume/collect-bucket.ts';
import { endSource } from '../volume/drain-source.ts';
import { claimNext, commitArrivals, dropGroupRowsOf, dropNext, NextExtents } from '../volume/flip.ts';
import { dropEmptyBucket } from '../volume/move.ts';
import { finishSeal } from '../volume/seal.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { readBucket, readVolume } from '../volume/volumes.ts';
import { noteCrowded } from './crowded.ts';
import { advance, type JournalRow } from './journal.ts';
import { type Moved, nothingMoved, reasonOf } from './move-sources.ts';

export interface TopOff extends Moved {
  /** Live bytes of the host that were copied although they stay in it. */
  hostBytes: number;
}

/** Tops off a leased host from leased donors; ends all their leases and leaves the journal to the caller, as far as it came. */
export async function topOff(
  store: VolumeStore,
  journal: JournalRow,
  host: VolumeRow,
  donors: readonly VolumeRow[],
): Promise<{ readonly moved: TopOff; readonly journal: JournalRow }> {
  const moved: TopOff = { ...nothingMoved(), hostBytes: 0 };
  let row = journal;
  try {
    const ready = await readyHost(store, journal, host);
    const next = new NextExtents(store, journal.run, ready);
    await copy(store, journal, ready, donors, next, moved);
    // To rewrite a host that nothing can be added to would free nothing, and the next plan would do it again.
    if (next.arriving.length === 0) throw tooFull(`no bucket of the donors fits beside what is live in it`);
    await next.writeDirectories();
    const copied = { generation: next.generation, token: next.token, buckets: next.arriving };
    const committing = await advance(store.c, row, { phase: 'COMMIT', copied });
    if (committing === undefined) throw lost(host);
    row = committing;
    if (!(await next.flip(ready))) throw lost(host);
    const arrived = await commitArrivals(store, row.run, { id: host.id, ...copied }, next.arriving);
    moved.buckets = arrived.length;
    moved.groups = next.groups;
    moved.storedBytes = next.storedBytes;
    moved.destinations.add(host.id);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    if (error.code === TOO_FULL) await skipHost(store, host, moved, error.message);
    else moved.stalled = reasonOf(error);
  }
  await endTopOff(store, row, host, donors, moved);
  return { moved, journal: row };
}

const lost = (host: VolumeRow) => retryLater('RUN_LOST', `another worker took over volume ${host.id}`);

const TOO_FULL = 'HOST_TOO_FULL';
const tooFull = (why: string) => retryLater(TOO_FULL, why);

/** Waiting does not help it: the run ends, the volume is told of, and plans leave it out as a host until more of it has died. */
async function skipHost(store: VolumeStore, host: VolumeRow, moved: TopOff, reason: string): Promise<void> {
  const { panda, settings } = store.c;
  let liveBytes = 0;
  for (const id of host.buckets) {
    const bucket = await readBucket(panda, settings.cell, id);
    if (bucket?.volume === host.id) liveBytes += bucket.liveBytes;
  }
  await noteCrowded(store.c, host, liveBytes);
  moved.skipped.push({ volume: host.id, reason: `it cannot be topped off: ${reason}` });
  moved.hostBytes = 0;
  moved.recordBytes = 0;
}

/** The host with fresh extents to write, and nothing of an earlier try. */
async function readyHost(store: VolumeStore, { run }: JournalRow, host: VolumeRow): Promise<VolumeRow> {
  const { c } = store;
  if (host.directoriesPending) await finishSeal(store, host);
  const sealed = await readVolume(c.panda, c.settings.cell, host.id);
  if (sealed?.run !== run) throw lost(host);
  const clean = await dropNext(store, run, sealed);
  if (clean === undefined) throw lost(host);
  await dropGroupRowsOf(c, clean);
  const ready = await claimNext(store, run, clean);
  if (ready?.next === undefined) throw lost(host);
  return ready;
}

async function copy(
  store: VolumeStore,
  { run }: JournalRow,
  host: VolumeRow,
  donors: readonly VolumeRow[],
  next: NextExtents,
  moved: TopOff,
): Promise<void> {
  const { groupBytesMin } = store.c.settings;
  let waiting: BucketContent[] = [];
  let waitingBytes = 0;
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await next.add(waiting);
    waiting = [];
    waitingBytes = 0;
  };
  for (const volume of [host, ...donors]) {
    for await (const content of contentsOf(store, volume, run)) {
      const bytes = content.records.reduce((sum, { record }) => sum + record.length, 0);
      if (!next.fits([...waiting, content])) {
        if (volume === host) throw tooFull('its records are too uneven, it does not fit its own extents once more');
        return flush();
      }
      waiting.push(content);
      waitingBytes += bytes;
      if (volume === host) moved.hostBytes += bytes;
      else moved.recordBytes += bytes;
      if (waitingBytes >= groupBytesMin) await flush();
    }
  }
  await flush();
}

/** Buckets with live slots; those without are dropped on the way. */
async function* contentsOf(
  store: VolumeStore,
  volume: VolumeRow,
  run: JournalRow['run'],
): AsyncGenerator<BucketContent> {
  const { panda, settings } = store.c;
  for (const id of volume.buckets) {
    const bucket = await readBucket(panda, settings.cell, id);
    if (bucket === undefined || bucket.volume !== volume.id) continue;
    if (bucket.liveBytes === 0 && (await dropEmptyBucket(store.c, volume, run, bucket))) continue;
    const content = await collectBucket(
      store,
      volume,
      bucket,
      deadFromRow(await panda.get(deadKey(settings.cell, id))),
    );
    if (content.records.length > 0) yield content;
  }
}

async function endTopOff(
  store: VolumeStore,
  row: JournalRow,
  host: VolumeRow,
  donors: readonly VolumeRow[],
  moved: TopOff,
): Promise<void> {
  const now = await readVolume(store.c.panda, store.c.settings.cell, host.id);
  if (now?.run === row.run) {
    await dropNext(store, row.run, now);
    await endSource(store, now, row.run);
  }
  for (const donor of donors) if (await endSource(store, donor, row.run)) moved.retired += 1;
}

/**
 * What a dead process left of an L1 run whose volumes were taken over: if the flip took effect, the buckets that came with it are
 * committed; if not, the new extents are dropped. The leases stay.
 */
export async function finishHost(
  store: VolumeStore,
  journal: JournalRow,
  volumes: readonly VolumeRow[],
): Promise<boolean> {
  const host = volumes.find(({ id }) => id === journal.task.host);
  if (host === undefined) return false;
  await dropNext(store, journal.run, host);
  const { copied } = journal;
  if (copied === undefined || host.generation !== copied.generation) return false;
  await commitArrivals(store, journal.run, { id: host.id, ...copied }, copied.buckets);
  return true;
}
