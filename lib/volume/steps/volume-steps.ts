// The steps on a volume's row (docs/protocols.md), pure: leases, runs, sealing, retiring, erasing. Rows that were read
// go in, writes with their conditions come out. Those who act send them; the models in test/model search their
// interleavings.
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import {
  drainsUnder,
  generationIs,
  giveLease,
  handOver,
  hasNoNext,
  hasNoRun,
  holdsNoBuckets,
  nothingPending,
  retire,
  seal,
  startDraining,
  startErasing,
  stateIs,
  stopDraining,
  tokenIs,
} from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import { eraseWrite } from '../rows/zones.ts';

/** LEASE (1): the token grows by one. */
export const leaseWrite = (
  cell: string,
  { id, token }: Pick<VolumeRow, 'id' | 'token'>,
  owner: string,
  expiresAtMs: number,
): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  ...giveLease(token + 1, owner, expiresAtMs),
  if: [tokenIs(token), stateIs('open')],
});

/** SEAL (6): closed for good, if nothing is pending. */
export const sealWrite = (
  cell: string,
  id: VolumeId,
  token: number,
  sealedAtMs: number,
  directoriesPending: boolean,
): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  ...seal(sealedAtMs, directoriesPending),
  if: [tokenIs(token), stateIs('open'), nothingPending],
});

/** (9): sealed, no run -> draining under `run`. */
export const takeRunWrite = (cell: string, id: VolumeId, run: RunId): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  ...startDraining(run),
  if: [stateIs('sealed'), hasNoRun],
});

/** A draining volume whose run died goes on under `run`. */
export const adoptRunWrite = (cell: string, id: VolumeId, dead: RunId, run: RunId): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  ...handOver(run),
  if: drainsUnder(dead),
});

/**
 * RELEASE (9): draining -> sealed, whatever was moved stays moved. Extents that were claimed for a flip are dropped
 * before: nobody would know of them.
 */
export const releaseRunWrite = (cell: string, id: VolumeId, run: RunId): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  ...stopDraining,
  if: [...drainsUnder(run), hasNoNext],
});

/** RETIRE (12): draining and empty -> trash; nothing is claimed for a flip, as its zones would stay in use for good. */
export const retireWrite = (cell: string, id: VolumeId, run: RunId, nowMs: number): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  ...retire(nowMs),
  if: [...drainsUnder(run), holdsNoBuckets, hasNoNext],
});

/** FREE (12), after the inspector: its zones are garbage from now on. */
export const eraseVolumeWrites = (cell: string, volume: VolumeRow): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, volume.id),
    ...startErasing,
    if: [stateIs('trash'), generationIs(volume.generation)],
  },
  ...volume.extents.map((extent) => eraseWrite(extent, volume.id)),
];
