// Runs: the one owner a sealed volume has while its buckets are moved (DESIGN 6a, 9). A run id names its strategy and the process, so
// that anyone can tell whether it is dead and take over.
import { isKind } from '../foundation/errors.ts';
import { hexOf, type RunId, type VolumeId } from '../foundation/ids.ts';
import type { Clause, Update } from '../panda/panda.ts';
import { type VolumeRow, volumeKey } from '../panda/rows/volume-row.ts';
import type { Components } from './components.ts';
import { transact } from './transact.ts';
import { readVolume } from './volumes.ts';

export function newRunId(c: Components, strategy: string): RunId {
  return `${strategy}/${c.owner}/${hexOf(c.randomness.bytes(6))}` as RunId;
}

/** Owner of runs nobody works on: whoever comes takes them over. */
export const PARKED_OWNER = 'parked';

/** The same run, given up to whoever goes on with it. */
export const parkedRunId = (c: Components, strategy: string): RunId =>
  `${strategy}/${PARKED_OWNER}/${hexOf(c.randomness.bytes(6))}` as RunId;

export const ownerOf = (run: RunId): string => run.split('/')[1] ?? '';

/** sealed, no run -> draining under `run`. The row as it is then, or undefined when somebody else was first. */
export function takeRun(c: Components, id: VolumeId, run: RunId): Promise<VolumeRow | undefined> {
  const free: Clause[] = [
    { attribute: 's', equals: 'sealed' },
    { attribute: 'r', missing: true },
  ];
  return change(c, id, { set: { s: 'draining', r: run } }, free, (v) => v?.run === run);
}

/** A draining volume whose run died goes on under `run`. */
export function adoptRun(c: Components, id: VolumeId, dead: RunId, run: RunId): Promise<VolumeRow | undefined> {
  const held: Clause[] = [
    { attribute: 's', equals: 'draining' },
    { attribute: 'r', equals: dead },
  ];
  return change(c, id, { set: { r: run } }, held, (v) => v?.run === run);
}

/** RELEASE: draining -> sealed, whatever was moved stays moved. */
export function releaseRun(c: Components, id: VolumeId, run: RunId): Promise<VolumeRow | undefined> {
  const held: Clause[] = [
    { attribute: 's', equals: 'draining' },
    { attribute: 'r', equals: run },
  ];
  return change(c, id, { set: { s: 'sealed' }, remove: ['r'] }, held, (v) => v !== undefined && v.run !== run);
}

/** RETIRE (12): draining and empty -> trash. */
export async function retireVolume(c: Components, id: VolumeId, run: RunId): Promise<boolean> {
  const done: Clause[] = [
    { attribute: 's', equals: 'draining' },
    { attribute: 'r', equals: run },
    { attribute: 'b', missing: true },
  ];
  const set = { s: 'trash', d: Math.max(0, c.clock.nowMs()) };
  const row = await change(c, id, { set, remove: ['r', 'dp'] }, done, (v) => v === undefined || v.state === 'trash');
  return row !== undefined;
}

async function change(
  c: Components,
  id: VolumeId,
  update: Pick<Update, 'set' | 'remove'>,
  condition: readonly Clause[],
  isDone: (now: VolumeRow | undefined) => boolean,
): Promise<VolumeRow | undefined> {
  const key = volumeKey(c.settings.cell, id);
  const now = (): Promise<VolumeRow | undefined> => readVolume(c.panda, c.settings.cell, id);
  try {
    await transact(c, [{ kind: 'update', ...key, ...update, if: condition }], async () => isDone(await now()));
  } catch (error) {
    if (isKind(error, 'conflict')) return undefined;
    throw error;
  }
  return now();
}
