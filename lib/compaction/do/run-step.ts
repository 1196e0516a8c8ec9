// One step of one journalled run, for workers whose time is short: lease or take over what is left of its volumes, copy, commit, clean up.
// A step that runs out of time gives the leases back and parks the run; whoever comes next goes on with what has not moved yet.
import { dollarsOf } from '../../cost/cost-of.ts';
import { PRICE_BOOK } from '../../cost/price-book.ts';
import { isPocketfulError, retryLater } from '../../foundation/errors.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { readVolume } from '../../volume/rows/read-rows.ts';
import { endSource } from '../../volume/runs/drain-source.ts';
import { adoptRun, newRunId, ownerOf, parkedRunId, takeRun } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { planSettingsFor } from '../facts/snapshot.ts';
import { dropUnflipped, finishHost, topOff } from '../move/l1-flip.ts';
import { type Moved, moveSources, nothingMoved } from '../move/l2-move.ts';
import { pricingOf, workOf } from '../plan/work.ts';
import {
  advance,
  endJournal,
  isDeadRun,
  type JournalRow,
  readJournal,
  STEP_TIME_UP,
  volumesOf,
} from '../run/journal.ts';
import { adoptVolumes, type Skipped } from '../run/leases.ts';
import type { MakeTarget } from './drain.ts';
import type { Actors } from './executor.ts';
import { resumeMerge } from './merge-now.ts';

export interface StepReport {
  readonly run: RunId;
  /** False: call again, there is more to move and nothing stands in the way. */
  readonly done: boolean;
  readonly movedBuckets: number;
  readonly movedBytes: number;
  readonly storedBytes: number;
  /** Live bytes of an L1 host, copied although they stay in it. */
  readonly hostBytes: number;
  readonly retired: number;
  readonly destinations: readonly VolumeId[];
  readonly skipped: readonly Skipped[];
  readonly metadataWrites: number;
  readonly dollars: number;
  readonly stalled: Reason | undefined;
}

/** Throws `retry` RUN_HELD while somebody else who may be alive works on it. A run that is not there is done. */
export async function stepRun(actors: Actors, id: RunId, signal: AbortSignal): Promise<StepReport> {
  const { store } = actors;
  const held = await takeOver(store, id);
  if (held === undefined) return reportOf(store, id, nothingMoved(), true);
  const volumes = await leaseRest(store, held);
  if (await finishHost(store, held, volumes)) {
    const moved = nothingMoved();
    for (const volume of volumes) if (await endSource(store, volume, held.run)) moved.retired += 1;
    await endJournal(store.c, held);
    return reportOf(store, id, moved, true);
  }
  if (held.task.strategy === 'merge') {
    const merged = await resumeMerge(store, held, volumes, signal);
    return reportOf(store, id, { ...nothingMoved(), ...merged, buckets: merged.remnants }, true);
  }
  const copying = held.phase === 'COPY' ? held : ((await advance(store.c, held, { phase: 'COPY' })) ?? held);
  if (held.task.host !== null) return topOffStep(store, copying, volumes, signal);
  const moved = await moveSources(store, inTime(actors.makeTarget, signal), held.run, volumes, signal);
  // Time alone is no reason to give up, unless not even one group could be moved in it.
  const isCut = moved.stalled === undefined ? signal.aborted : moved.stalled.code === STEP_TIME_UP;
  const isLeft = moved.retired < volumes.length - moved.skipped.length;
  if (isCut && isLeft && moved.groups > 0) {
    await advance(store.c, copying, { run: parkedRunId(store.c, held.task.strategy) });
    return reportOf(store, id, { ...moved, stalled: undefined }, false);
  }
  await endJournal(store.c, copying);
  return reportOf(store, id, moved, true);
}

/** Gives back whatever leases a run has, and forgets it: what it moved stays moved. No harm if it is gone, or somebody works on it. */
export async function releaseJournalled(store: VolumeStore, id: RunId): Promise<StepReport> {
  const moved = nothingMoved();
  try {
    const held = await takeOver(store, id);
    if (held === undefined) return reportOf(store, id, moved, true);
    const volumes = await adoptVolumes(store, held.run, volumesOf(held.task));
    if (!(await finishHost(store, held, volumes))) await dropUnflipped(store, held.run, volumes);
    for (const volume of volumes) if (await endSource(store, volume, held.run)) moved.retired += 1;
    await endJournal(store.c, held);
  } catch (error) {
    if (!isPocketfulError(error) || error.code !== 'RUN_HELD') throw error;
    return reportOf(store, id, { ...moved, stalled: reasonOf(error) }, true);
  }
  return reportOf(store, id, moved, true);
}

async function takeOver(store: VolumeStore, id: RunId): Promise<JournalRow | undefined> {
  const { c } = store;
  const journal = await readJournal(c, id);
  if (journal === undefined) return undefined;
  const held = retryLater('RUN_HELD', `run ${id} is worked on by ${ownerOf(journal.run)}`);
  if (!isFree(store, journal)) throw held;
  const taken = await advance(c, journal, { run: newRunId(c, journal.task.strategy) });
  if (taken === undefined) throw held;
  return taken;
}

/** Whether nobody who may be alive works on it. */
export const isFree = ({ c }: VolumeStore, { run }: JournalRow): boolean =>
  ownerOf(run) === c.owner || isDeadRun(c, run);

/** Its volumes under this run: those a dead step held, and those that were given back and are still free. */
async function leaseRest(store: VolumeStore, { run, task }: JournalRow): Promise<VolumeRow[]> {
  const { panda, settings } = store.c;
  const ids = volumesOf(task);
  const adopted = new Map((await adoptVolumes(store, run, ids)).map((volume) => [volume.id, volume]));
  const volumes: VolumeRow[] = [];
  for (const id of ids) {
    const known = adopted.get(id);
    if (known !== undefined) volumes.push(known);
    else if ((await readVolume(panda, settings.cell, id))?.state === 'sealed') {
      const taken = await takeRun(store.c, id as VolumeId, run);
      if (taken !== undefined) volumes.push(taken);
    }
  }
  return volumes;
}

/** As many groups of the copy as there is time for. With some of it done the run is parked with its leases, for the next step to go on with. */
async function topOffStep(
  store: VolumeStore,
  journal: JournalRow,
  volumes: readonly VolumeRow[],
  signal: AbortSignal,
): Promise<StepReport> {
  const { c } = store;
  const host = volumes.find(({ id }) => id === journal.task.host);
  const donors = volumes.filter((volume) => volume !== host);
  if (host === undefined || donors.length === 0) {
    await dropUnflipped(store, journal.run, volumes);
    for (const volume of volumes) await endSource(store, volume, journal.run);
    await endJournal(c, journal);
    return reportOf(store, journal.id, nothingMoved(), true);
  }
  const { moved, journal: row, kept } = await topOff(store, journal, host, donors, { signal, keep: true });
  if (!kept) {
    await endJournal(c, row);
    return reportOf(store, journal.id, moved, true);
  }
  const parked = parkedRunId(c, 'l1');
  if ((await advance(c, row, { run: parked })) !== undefined)
    for (const { id } of volumes) await adoptRun(c, id, row.run, parked);
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
  const settings = planSettingsFor(store.c.settings);
  const work = workOf(
    {
      codec: store.c.settings.warmCodec,
      copiedBytes: moved.recordBytes + hostBytes,
      copiedBuckets: moved.buckets,
      movedBuckets: moved.buckets,
      freedVolumes: moved.retired,
      newVolumes: moved.destinations.size,
      queued: false,
    },
    settings,
  );
  return {
    run,
    done,
    movedBuckets: moved.buckets,
    movedBytes: moved.recordBytes,
    storedBytes: moved.storedBytes,
    hostBytes,
    retired: moved.retired,
    destinations: [...moved.destinations] as VolumeId[],
    skipped: moved.skipped,
    metadataWrites: work.metadataWrites,
    dollars: dollarsOf(work, pricingOf(settings, PRICE_BOOK)).total,
    stalled: moved.stalled,
  };
}
