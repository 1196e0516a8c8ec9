// Conditions on a volume's row, and changes of it, by name. Which step needs which, and why, is in docs/protocols.md.
import type { BucketId, RunId } from '../../foundation/ids.ts';
import type { Clause } from '../panda.ts';
import { type Change, together } from './change.ts';
import {
  type Extent,
  extentText,
  type NextGeneration,
  type RepairInMaking,
  replacementText,
  type VolumeRow,
  type VolumeState,
} from './volume-row.ts';

// Conditions: who may act

/** Nobody has leased it since: what an older token wants to write is refused. */
export const tokenIs = (token: number): Clause => ({ attribute: 't', equals: token });

/** Nobody has raised the token to this one or above. */
export const tokenIsBelow = (token: number): Clause => ({ attribute: 't', atMost: token - 1 });

/** The run still has it: nobody took it over, gave it back or retired it. */
export const ownedBy = (run: RunId): Clause => ({ attribute: 'r', equals: run });

/** No run has it. */
export const hasNoRun: Clause = { attribute: 'r', missing: true };

// Conditions: what it is

export const stateIs = (state: VolumeState): Clause => ({ attribute: 's', equals: state });

export const stateIsOneOf = (...states: readonly VolumeState[]): Clause => ({ attribute: 's', oneOf: states });

/** draining under this run. */
export const drainsUnder = (run: RunId): Clause[] => [stateIs('draining'), ownedBy(run)];

/** It was not flipped: its extents are those that were read. */
export const generationIs = (generation: number): Clause => ({ attribute: 'g', equals: generation });

/** The flip in the making is the one to this generation. */
export const nextGenerationIs = (generation: number): Clause => ({ attribute: 'ng', equals: generation });

/** No flip is in the making. */
export const hasNoNext: Clause = { attribute: 'ng', missing: true };

/** No group was added since it was read: this sequence number is free. */
export const nextSeqIs = (seq: number): Clause => ({ attribute: 'n', equals: seq });

/** The group is committed and nobody has settled it. */
export const pendingIs = (seq: number): Clause => ({ attribute: 'p', equals: seq });

/** Every committed group is settled. */
export const nothingPending: Clause = { attribute: 'p', missing: true };

/** Every bucket was moved away, or dropped as empty. */
export const holdsNoBuckets: Clause = { attribute: 'b', missing: true };

/** Sealed, and nobody has written all its directories yet. */
export const directoriesPending: Clause = { attribute: 'dp', equals: 1 };

/** Its seal has not come to its end since it was read. */
export const directoriesAreAs = ({ directoriesPending: arePending }: Pick<VolumeRow, 'directoriesPending'>): Clause =>
  arePending ? directoriesPending : { attribute: 'dp', missing: true };

/** Retired at this time: its grace did not begin anew. */
export const trashedAt = (trashedAtMs: number): Clause => ({ attribute: 'd', equals: trashedAtMs });

/** No repair has replaced an extent since it was read. */
export const revisionIs = (revision: number): Clause =>
  revision === 0 ? { attribute: 'rv', missing: true } : { attribute: 'rv', equals: revision };

/** No repair is in the making. */
export const hasNoRepair: Clause = { attribute: 'rx', missing: true };

/** The repair in the making is of this generation; there is one of a generation at a time. */
export const repairIsOf = (generation: number): Clause => ({ attribute: 'rg', equals: generation });

// Changes: leases and groups

/** `token` is one larger than the one in the condition. */
export const giveLease = (token: number, owner: string, expiresAtMs: number): Change => ({
  set: { t: token, o: owner, e: expiresAtMs },
});

/** The next to come need not wait for its expiry. */
export const endLease: Change = { remove: ['o', 'e'] };

/** Whoever has a lease under a smaller token has lost it. */
export const setToken = (token: number): Change => ({ set: { t: token } });

/** One more group, pending until its index transactions are done. */
export const addGroup = (seq: number): Change => ({ set: { n: seq + 1, p: seq } });

/** A lease that begins with the commit under the one before it: its token is one larger. */
export interface NextLease {
  readonly token: number;
  readonly owner: string;
  readonly expiresAtMs: number;
}

/** One more group, indexed in the same transaction, after which the next to come may lease, or has leased already. */
export const addSettledGroup = (seq: number, next?: NextLease): Change =>
  together(
    { set: { n: seq + 1 } },
    next === undefined ? endLease : giveLease(next.token, next.owner, next.expiresAtMs),
  );

/** The pending group is done with. */
export const settleGroup: Change = { remove: ['p'] };

/** The sequence number is used up though no group has it; strays may take room on the extents. */
export const skipSeq = (seq: number, extentUsedBytes: readonly number[]): Change => ({
  set: { n: seq + 1, u: extentUsedBytes },
});

/** What its extents hold now, and what the directories will take at seal, if that is counted. */
export const fillExtents = ({
  extentUsedBytes,
  directoryBytes,
}: Pick<VolumeRow, 'extentUsedBytes' | 'directoryBytes'>): Change => ({
  set: { u: extentUsedBytes, ...(directoryBytes === undefined ? {} : { db: directoryBytes }) },
});

// Changes: buckets

/** The bucket takes the next append. */
export const appendTo = (bucket: BucketId): Change => ({ set: { ob: bucket } });

export const addBuckets = (buckets: readonly BucketId[]): Change => ({ insert: { b: buckets } });

/** They are no more, or were moved. */
export const dropBuckets = (buckets: readonly BucketId[]): Change => ({ discard: { b: buckets } });

/** Whoever erases its zones must see these readable elsewhere first. */
export const noteMoved = (buckets: readonly BucketId[]): Change => ({ insert: { mv: buckets } });

// Changes: states

/** open -> sealed. */
export const seal = (sealedAtMs: number, areDirectoriesPending: boolean): Change => ({
  set: { s: 'sealed', z: sealedAtMs, ...(areDirectoriesPending ? { dp: 1 } : {}) },
  remove: ['o', 'e', 'ob'],
});

/** Its directories are written, and counted among what the extents hold. */
export const endSeal = (extentUsedBytes: readonly number[]): Change => ({
  set: { u: extentUsedBytes },
  remove: ['dp', 'db'],
});

/** sealed -> draining. */
export const startDraining = (run: RunId): Change => ({ set: { s: 'draining', r: run } });

/** It goes on draining under another run. */
export const handOver = (run: RunId): Change => ({ set: { r: run } });

/** draining -> sealed. */
export const stopDraining: Change = { set: { s: 'sealed' }, remove: ['r'] };

/** draining -> trash. */
export const retire = (trashedAtMs: number): Change => ({ set: { s: 'trash', d: trashedAtMs }, remove: ['r', 'dp'] });

/** Its time in trash begins anew. */
export const retireAnew = (trashedAtMs: number): Change => ({ set: { d: trashedAtMs } });

/** trash -> erasing. */
export const startErasing: Change = { set: { s: 'erasing' } };

// Changes: flips

/** Where the next generation is written. */
export const beginNext = ({ generation, extents }: NextGeneration): Change => ({
  set: { ng: generation, nx: extents.map(extentText) },
});

/** No flip is in the making any more. */
export const endNext: Change = { remove: ['ng', 'nx'] };

/** The volume is its next generation; for its age it is as if it had been sealed now. */
export const flipTo = (
  next: Pick<VolumeRow, 'generation' | 'extents' | 'extentUsedBytes' | 'token' | 'nextSeq'>,
  sealedAtMs: number,
): Change => ({
  set: {
    g: next.generation,
    x: next.extents.map(extentText),
    u: next.extentUsedBytes,
    t: next.token,
    n: next.nextSeq,
    z: sealedAtMs,
  },
  ...endNext,
});

// Changes: repairs

/** Where columns are made again. */
export const beginRepair = ({ generation, extents }: RepairInMaking): Change => ({
  set: { rg: generation, rx: [...extents].map(([column, extent]) => replacementText(column, extent)) },
});

/** No repair is in the making any more. */
export const endRepair: Change = { remove: ['rg', 'rx'] };

/** The columns are where they were made again; `rest` is still in the making. */
export const replaceExtents = (
  revision: number,
  extents: readonly Extent[],
  extentUsedBytes: readonly number[],
  rest: RepairInMaking,
): Change => {
  const set = { x: extents.map(extentText), u: extentUsedBytes, rv: revision };
  return rest.extents.size === 0 ? { set, ...endRepair } : { set: { ...set, ...beginRepair(rest).set } };
};
