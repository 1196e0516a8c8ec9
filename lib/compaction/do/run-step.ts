// One step of one journalled run, the same on every engine: take it over, lease what is left of its volumes, copy,
// commit, clean up. Its phases are PREPARE (leases), COPY, COMMIT (the flip, for L1), CLEANUP, DONE. A step that runs
// out of time parks the run; whoever comes next goes on with what has not moved yet. Doing a run twice does nothing the
// second time, as its sources are gone by then.
import { isPocketfulError, retryLater } from '../../foundation/errors.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import { reasonOf } from '../../foundation/reason.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { readVolume } from '../../volume/rows/read-rows.ts';
import { endSource } from '../../volume/runs/drain-source.ts';
import { adoptRun, newRunId, ownerOf, parkedRunId, takeRun } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { dropUnflipped, finishHost, topOff } from '../move/l1-flip.ts';
import { type Moved, moveSources, nothingMoved } from '../move/l2-move.ts';
import { streamSources } from '../move/l3/in-process.ts';
import { type MergeTally, mergeSources } from '../move/merge.ts';
import type { Actors, MakeTarget } from '../run/actors.ts';
import { advance, endJournal, isDeadRun, progressed, readJournal, STEP_TIME_UP, volumesOf } from '../run/journal.ts';
import type { JournalRow, JournalTask } from '../run/journal-row.ts';
import { adoptVolumes, isSkipped, leasePlanned, type Skipped } from '../run/leases.ts';
import { NO_OUTCOME, type StepReport, spentOn } from '../run/reports.ts';

/** Throws `retry` RUN_HELD while somebody else who may be alive works on it. A run that is not there is done. */
export async function stepRun(actors: Actors, id: RunId, signal: AbortSignal): Promise<StepReport> {
  const { store } = actors;
  const held = await takeOver(store, id);
  if (held === undefined) return reportOf(store, id, nothingMoved(), true);
  const { volumes, skipped } = await leaseRest(store, held);
  if (await finishHost(store, held, volumes)) return endWith(store, held, volumes);
  const copying = held.phase === 'COPY' ? held : ((await advance(store.components, held, { phase: 'COPY' })) ?? held);
  const report = await copied(actors, copying, volumes, signal);
  return { ...report, skipped: [...skipped, ...report.skipped] };
}

/**
 * Gives back whatever leases a run has, and forgets it: what it moved stays moved. No harm if it is gone, or somebody
 * works on it.
 */
export async function releaseJournalled(store: VolumeStore, id: RunId): Promise<StepReport> {
  try {
    const held = await takeOver(store, id);
    if (held === undefined) return reportOf(store, id, nothingMoved(), true);
    const volumes = await adoptVolumes(store, held.run, volumesOf(held.task));
    if (!(await finishHost(store, held, volumes))) await dropUnflipped(store, held.run, volumes);
    return await endWith(store, held, volumes);
  } catch (error) {
    if (!isPocketfulError(error) || error.code !== 'RUN_HELD') throw error;
    return reportOf(store, id, { ...nothingMoved(), stalled: reasonOf(error) }, true);
  }
}

async function copied(
  actors: Actors,
  journal: JournalRow,
  volumes: readonly VolumeRow[],
  signal: AbortSignal,
): Promise<StepReport> {
  const { store, makeTarget, stream } = actors;
  const { task, run, id } = journal;
  if (task.strategy === 'merge') {
    const tally = await mergeSources(store, run, volumes, remnantsOf(task), signal);
    await endJournal(store.components, journal);
    return mergeReport(store, id, tally);
  }
  if (task.host !== null) return topOffStep(store, journal, volumes, signal);
  const moved =
    stream !== undefined && task.strategy === 'l3'
      ? await streamSources({ store, makeTarget, stream }, run, volumes, signal)
      : await moveSources(store, inTime(makeTarget, signal), run, volumes, signal);
  // Time alone is no reason to give up, unless not even one group could be moved in it.
  const isCut = moved.stalled === undefined ? signal.aborted : moved.stalled.code === STEP_TIME_UP;
  const isLeft = moved.retired < volumes.length - moved.skipped.length;
  if (isCut && isLeft && moved.groups > 0) {
    const parked = parkedRunId(store.components, task.strategy);
    await advance(store.components, journal, { run: parked, ...progressed(store.components) });
    return reportOf(store, id, { ...moved, stalled: undefined }, false);
  }
  await endJournal(store.components, journal);
  return reportOf(store, id, moved, true);
}

/** Those of an earlier release name none: merging is never urgent, and the next plan has them again. */
const remnantsOf = ({ merges = [], sources }: JournalTask) =>
  merges.map((task) => task.map(([bucket, place]) => ({ bucket, volume: sources[place] ?? '' })));

async function endWith(store: VolumeStore, held: JournalRow, volumes: readonly VolumeRow[]): Promise<StepReport> {
  const moved = nothingMoved();
  for (const volume of volumes) if (await endSource(store, volume, held.run)) moved.retired += 1;
  await endJournal(store.components, held);
  return reportOf(store, held.id, moved, true);
}

async function takeOver(store: VolumeStore, id: RunId): Promise<JournalRow | undefined> {
  const { components } = store;
  const journal = await readJournal(components, id);
  if (journal === undefined) return undefined;
  const held = retryLater('RUN_HELD', `run ${id} is worked on by ${ownerOf(journal.run)}`);
  if (ownerOf(journal.run) !== components.owner && !isDeadRun(components, journal.run)) throw held;
  const taken = await advance(components, journal, { run: newRunId(components, journal.task.strategy) });
  if (taken === undefined) throw held;
  return taken;
}

interface Leased {
  readonly volumes: readonly VolumeRow[];
  readonly skipped: readonly Skipped[];
}

/**
 * Its volumes under this run: those a dead step held, and those that are free and still what they were when it was
 * planned.
 */
async function leaseRest(store: VolumeStore, { run, task, phase }: JournalRow): Promise<Leased> {
  const ids = volumesOf(task);
  // Before its first step nothing is leased under it, whatever an earlier release may have done.
  const adopted = new Map((await adoptVolumes(store, run, ids)).map((volume) => [volume.id, volume]));
  const volumes: VolumeRow[] = [];
  const skipped: Skipped[] = [];
  for (const [at, id] of ids.entries()) {
    const taken = adopted.get(id) ?? (await leased(store, run, id, task.planned?.[at]));
    if (taken === undefined) continue;
    if (!isSkipped(taken)) volumes.push(taken);
    else if (phase === 'PREPARE') skipped.push(taken);
  }
  return { volumes, skipped };
}

async function leased(
  store: VolumeStore,
  run: RunId,
  id: VolumeId,
  planned: readonly [number, number] | undefined,
): Promise<VolumeRow | Skipped | undefined> {
  if (planned !== undefined)
    return leasePlanned(store, run, { volume: id, generation: planned[0], buckets: planned[1] });
  const now = await readVolume(store.components.panda, store.components.settings.cell, id);
  return now?.state === 'sealed' ? takeRun(store.components, id, run) : undefined;
}

/**
 * As many groups of the copy as there is time for. With some of it done the run is parked with its leases, for the next
 * step to go on with.
 */
async function topOffStep(
  store: VolumeStore,
  journal: JournalRow,
  volumes: readonly VolumeRow[],
  signal: AbortSignal,
): Promise<StepReport> {
  const { components } = store;
  const host = volumes.find(({ id }) => id === journal.task.host);
  const donors = volumes.filter((volume) => volume !== host);
  if (host === undefined || donors.length === 0) {
    // Nothing to top off, or nothing to do it with: the leases end, and the donors' buckets stay.
    await dropUnflipped(store, journal.run, volumes);
    return { ...(await endWith(store, journal, volumes)), retired: 0 };
  }
  const { moved, journal: row, kept } = await topOff(store, journal, host, donors, signal);
  if (!kept) {
    await endJournal(components, row);
    return reportOf(store, journal.id, moved, true);
  }
  const parked = parkedRunId(components, 'l1');
  if ((await advance(components, row, { run: parked, ...progressed(components) })) !== undefined)
    for (const { id } of volumes) await adoptRun(components, id, row.run, parked);
  return reportOf(store, journal.id, moved, false);
}

/** A target that takes nothing more once the time is up: what waits in it stays where it is. */
function inTime(makeTarget: MakeTarget, signal: AbortSignal): MakeTarget {
  return (run, onMoved) => {
    const target = makeTarget(run, onMoved);
    return {
      push: async (content) => {
        if (signal.aborted) throw retryLater(STEP_TIME_UP, 'the time of this step is used up');
        await target.push(content);
      },
      flush: () => target.flush(),
      discard: () => target.discard(),
    };
  };
}

function reportOf(store: VolumeStore, run: RunId, moved: Moved & { hostBytes?: number }, done: boolean): StepReport {
  const hostBytes = moved.hostBytes ?? 0;
  return {
    ...NO_OUTCOME,
    run,
    done,
    movedBuckets: moved.buckets,
    movedBytes: moved.recordBytes,
    storedBytes: moved.storedBytes,
    hostBytes,
    retired: moved.retired,
    destinationVolumes: [...moved.destinations],
    skipped: moved.skipped,
    spent: spentOn(store.components.settings, {
      copiedBytes: moved.recordBytes + hostBytes,
      storedBytes: moved.storedBytes,
      copiedBuckets: moved.buckets,
      retired: moved.retired,
      destinations: moved.destinations.size,
      queued: run.startsWith('l3/'),
    }),
    stalled: moved.stalled,
  };
}

function mergeReport(store: VolumeStore, run: RunId, tally: MergeTally): StepReport {
  const { buckets, remnants, blockRows, rowsDropped } = tally;
  return {
    ...NO_OUTCOME,
    run,
    done: true,
    movedBuckets: remnants,
    movedBytes: tally.recordBytes,
    storedBytes: tally.storedBytes,
    retired: tally.retired,
    destinationVolumes: [...tally.destinations],
    skipped: tally.skipped,
    spent: spentOn(store.components.settings, {
      copiedBytes: tally.recordBytes,
      storedBytes: tally.storedBytes,
      copiedBuckets: remnants,
      retired: tally.retired,
      destinations: tally.destinations.size,
      queued: false,
      metadataWrites: tally.metadataWrites,
    }),
    stalled: tally.stalled,
    merged: { buckets, remnants, blockRows, rowsDropped },
  };
}
