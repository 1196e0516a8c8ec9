// The trash inspector as a verifier: emptied volumes are inspected while their grace goes on, not only at its end, so
// that there is time left when something of what they held is not safe elsewhere.
import { isKind, isPocketfulError } from '../foundation/errors.ts';
import type { VolumeId } from '../foundation/ids.ts';
import { type Reason, reasonOf } from '../foundation/reason.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import { listVolumes } from '../volume/rows/read-rows.ts';
import { inspect } from '../volume/runs/inspect.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import type { Findings } from './findings.ts';
import { keepFindings } from './keep-findings.ts';

export interface TrashOptions {
  readonly findings: Findings;
  /** Asked before every volume. */
  readonly isOver?: (() => boolean) | undefined;
}

export interface TrashReport {
  /** Emptied volumes that were inspected, and buckets that had been in them. */
  readonly volumes: number;
  readonly buckets: number;
  readonly kept: readonly { readonly volume: VolumeId; readonly reason: Reason }[];
  /** False: the pass was cut. */
  readonly done: boolean;
}

export async function inspectTrash(store: VolumeStore, { findings, isOver }: TrashOptions): Promise<TrashReport> {
  const { components } = store;
  const all = await listVolumes(components.panda, components.settings.cell, components.badRow);
  const trash = all.filter(({ state }) => state === 'trash');
  const kept: { volume: VolumeId; reason: Reason }[] = [];
  const looked = new Set<string>();
  let buckets = 0;
  for (const volume of trash) {
    if (isOver?.()) break;
    looked.add(volume.id);
    buckets += volume.moved.size;
    const reason = await inspected(store, volume);
    if (reason === undefined) continue;
    kept.push({ volume: volume.id, reason });
    findings.add('degraded', 'trash', `volume ${volume.id} in trash is still needed: ${reason.text}`);
  }
  const inTrash = new Set<string>(trash.map(({ id }) => id));
  const found = new Map<string, string>(kept.map(({ volume, reason }) => [volume, reason.code]));
  await keepFindings(components, 'trash', ALL, found, (id) => looked.has(id) || !inTrash.has(id));
  return { volumes: looked.size, buckets, kept, done: looked.size === trash.length };
}

const ALL = { from: '', to: '~' };

/** Waiting for a drive says nothing about what it holds. */
async function inspected(store: VolumeStore, volume: VolumeRow): Promise<Reason | undefined> {
  try {
    return await inspect(store, volume);
  } catch (error) {
    if (!isPocketfulError(error) || isKind(error, 'denied')) throw error;
    return isKind(error, 'corrupt') ? reasonOf(error) : undefined;
  }
}
