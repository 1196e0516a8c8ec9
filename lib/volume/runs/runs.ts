// Runs: the one owner a sealed volume has while its buckets are moved (protocol 9). A run id names its strategy and the
// process, so that anyone can tell whether it is dead and take over.
import { isKind } from '../../foundation/errors.ts';
import { hexOf, type RunId, type VolumeId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import { unlistedAtLast } from '../../panda/rows/open-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { readVolume } from '../rows/read-rows.ts';
import { transact } from '../rows/transact.ts';
import { adoptRunWrite, releaseRunWrite, retireWrite, takeRunWrite } from '../steps/volume-steps.ts';

export function newRunId(components: Components, strategy: string): RunId {
  return `${strategy}/${components.owner}/${hexOf(components.randomness.bytes(6))}` as RunId;
}

/** Owner of runs nobody works on: whoever comes takes them over. */
export const PARKED_OWNER = 'parked';

/** The same run, given up to whoever goes on with it. */
export const parkedRunId = (components: Components, strategy: string): RunId =>
  `${strategy}/${PARKED_OWNER}/${hexOf(components.randomness.bytes(6))}` as RunId;

export const ownerOf = (run: RunId): string => run.split('/')[1] ?? '';

/** The row under the run, or undefined when somebody else was first. */
export function takeRun(components: Components, id: VolumeId, run: RunId): Promise<VolumeRow | undefined> {
  return change(components, id, [takeRunWrite(components.settings.cell, id, run)], (v) => v?.run === run);
}

/** A draining volume whose run died goes on under `run`. */
export function adoptRun(
  components: Components,
  id: VolumeId,
  dead: RunId,
  run: RunId,
): Promise<VolumeRow | undefined> {
  return change(components, id, [adoptRunWrite(components.settings.cell, id, dead, run)], (v) => v?.run === run);
}

export function releaseRun(components: Components, id: VolumeId, run: RunId): Promise<VolumeRow | undefined> {
  const isDone = (v: VolumeRow | undefined): boolean => v !== undefined && v.run !== run;
  return change(components, id, [releaseRunWrite(components.settings.cell, id, run)], isDone);
}

/** It makes no put wait any longer: what is hot is no longer listed. */
export async function retireVolume(
  components: Components,
  { id, class: cls }: Pick<VolumeRow, 'id' | 'class'>,
  run: RunId,
): Promise<boolean> {
  const { cell } = components.settings;
  const retire = retireWrite(cell, id, run, Math.max(0, components.clock.nowMs()));
  const writes = [retire, ...unlistedAtLast(cell, { id, class: cls })];
  return (await change(components, id, writes, (v) => v === undefined || v.state === 'trash')) !== undefined;
}

async function change(
  components: Components,
  id: VolumeId,
  writes: readonly Write[],
  isDone: (now: VolumeRow | undefined) => boolean,
): Promise<VolumeRow | undefined> {
  const now = (): Promise<VolumeRow | undefined> => readVolume(components.panda, components.settings.cell, id);
  try {
    await transact(components, writes, async () => isDone(await now()));
  } catch (error) {
    if (isKind(error, 'conflict')) return undefined;
    throw error;
  }
  return now();
}
