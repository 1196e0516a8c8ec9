// What dead processes left of their runs, brought to an end without copying anything: leases given back, empty volumes
// retired, a flip that took effect finished, one that did not undone. Resuming them instead is executor.ts.

import { listVolumes } from '../../volume/rows/read-rows.ts';
import { DrainingSources } from '../../volume/runs/drain-source.ts';
import { adoptRun, newRunId, ownerOf } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { dropUnflipped, finishHost } from '../move/l1-flip.ts';
import {
  advance,
  DRAINER_OWNER,
  endJournal,
  hasForeignJournal,
  isDeadRun,
  listJournal,
  volumesOf,
} from '../run/journal.ts';
import { adoptVolumes } from '../run/leases.ts';

/**
 * Volumes left draining by a dead process go back to sealed, what it moved stays moved; empty ones are retired. How
 * many.
 */
export async function endDeadRuns(store: VolumeStore): Promise<number> {
  let ended = 0;
  for (const journal of await listJournal(store.components)) {
    if (!isDeadRun(store.components, journal.run)) continue;
    const run = newRunId(store.components, journal.task.strategy);
    const taken = await advance(store.components, journal, { run });
    if (taken === undefined) continue;
    const volumes = await adoptVolumes(store, run, volumesOf(taken.task));
    if (!(await finishHost(store, taken, volumes))) await dropUnflipped(store, run, volumes);
    const sources = new DrainingSources(store, run);
    for (const volume of volumes) sources.adopt(volume);
    await sources.end();
    await endJournal(store.components, taken);
    ended += volumes.length;
  }
  return ended + (await endLostLeases(store));
}

/**
 * Leases without a journal: an encode, a run of an earlier release, or a lease that took effect when its run had ended
 * already (an answer that got lost, or a pass of the drainer that stood still meanwhile). Those with one are their
 * run's to end; while there is a journal of another release, nobody here knows which those are.
 */
export async function endLostLeases(store: VolumeStore): Promise<number> {
  if (await hasForeignJournal(store.components)) return 0;
  let ended = 0;
  // Journals are read after the volumes: a run is journalled before it leases anything.
  const volumes = await listVolumes(store.components.panda, store.components.settings.cell, store.components.badRow);
  const journalled = new Set((await listJournal(store.components)).flatMap(({ task }) => volumesOf(task)));
  for (const volume of volumes) {
    if (volume.state !== 'draining' || volume.run === undefined || journalled.has(volume.id)) continue;
    if (!isDeadRun(store.components, volume.run) && ownerOf(volume.run) !== DRAINER_OWNER) continue;
    const run = newRunId(store.components, 'recover');
    const adopted = await adoptRun(store.components, volume.id, volume.run, run);
    if (adopted === undefined) continue;
    const sources = new DrainingSources(store, run);
    sources.adopt(adopted);
    await sources.end();
    ended += 1;
  }
  return ended;
}
