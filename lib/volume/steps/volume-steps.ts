// The steps on a volume's row (docs/protocols.md), pure: leases, runs, sealing, retiring, erasing. Rows that were read
// go in, writes with their conditions come out. Those who act send them; the models in test/model search their
// interleavings.
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import type { Clause, Write } from '../../panda/panda.ts';
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
  set: { t: token + 1, o: owner, e: expiresAtMs },
  if: [
    { attribute: 't', equals: token },
    { attribute: 's', equals: 'open' },
  ],
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
  set: { s: 'sealed', z: sealedAtMs, ...(directoriesPending ? { dp: 1 } : {}) },
  remove: ['o', 'e', 'ob'],
  if: [
    { attribute: 't', equals: token },
    { attribute: 's', equals: 'open' },
    { attribute: 'p', missing: true },
  ],
});

/** (9): sealed, no run -> draining under `run`. */
export const takeRunWrite = (cell: string, id: VolumeId, run: RunId): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  set: { s: 'draining', r: run },
  if: [
    { attribute: 's', equals: 'sealed' },
    { attribute: 'r', missing: true },
  ],
});

const drainingUnder = (run: RunId): Clause[] => [
  { attribute: 's', equals: 'draining' },
  { attribute: 'r', equals: run },
];

/** A draining volume whose run died goes on under `run`. */
export const adoptRunWrite = (cell: string, id: VolumeId, dead: RunId, run: RunId): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  set: { r: run },
  if: drainingUnder(dead),
});

/** RELEASE (9): draining -> sealed, whatever was moved stays moved. */
export const releaseRunWrite = (cell: string, id: VolumeId, run: RunId): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  set: { s: 'sealed' },
  remove: ['r'],
  if: drainingUnder(run),
});

/** RETIRE (12): draining and empty -> trash. */
export const retireWrite = (cell: string, id: VolumeId, run: RunId, nowMs: number): Write => ({
  kind: 'update',
  ...volumeKey(cell, id),
  set: { s: 'trash', d: nowMs },
  remove: ['r', 'dp'],
  if: [...drainingUnder(run), { attribute: 'b', missing: true }],
});

/** FREE (12), after the inspector: its zones are garbage from now on. */
export const eraseVolumeWrites = (cell: string, volume: VolumeRow): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, volume.id),
    set: { s: 'erasing' },
    if: [
      { attribute: 's', equals: 'trash' },
      { attribute: 'g', equals: volume.generation },
    ],
  },
  ...volume.extents.map((extent) => eraseWrite(extent, volume.id)),
];
