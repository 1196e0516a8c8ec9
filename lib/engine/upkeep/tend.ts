// The tasks of maintenance beside compaction. What each does, in which order, and where it stops when its time is up is
// decided here, for both engines: the embedded one runs them by command and by its daemon, a stage by its schedules.
//
//   gc      what dead processes left (end-dead-work.ts), SHRED with the rows of removed objects, FREE
//   encode  leases of the dead, with `all` the open hot volumes sealed, ENCODE, rewriting what is mostly dead, FREE
//
// A pass may be cut off anywhere, and the next one goes on. What was done is in its report and in the day's tally.
import { endLostLeases } from '../../compaction/do/end-runs.ts';
import { writersHeld } from '../../compaction/move/l3/hold.ts';
import { given } from '../../foundation/given.ts';
import type { Reason } from '../../foundation/reason.ts';
import { type CollectOptions, collectGarbage, type GarbageReport } from '../../gc/collect-garbage.ts';
import { type EncodeOptions, type EncodeReport, encodeHot } from '../../live-coder/encode-hot.ts';
import type { Stream } from '../../stream/stream.ts';
import type { Components } from '../../volume/rows/components.ts';
import { type FreeReport, freeTrash } from '../../volume/runs/free.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { Portions } from '../ship/portions.ts';
import { addTally } from '../status/tally.ts';
import { rewriteWasteful } from './rewrite-wasteful.ts';
import { collectInPortions, type PortionedReport } from './shred-in-portions.ts';

/** What maintenance needs of a store. */
export interface Tended {
  readonly volumes: VolumeStore;
  /** Of L3: whether it is so full that writers have to wait. */
  readonly queue: Stream;
}

type Signal = { readonly signal?: AbortSignal | undefined };

export const NOTHING_FREED: FreeReport = { freedVolumes: 0, freedZones: 0, kept: [] };

/** ENCODE, tallied, and what deletes left in volumes too few to be compacted. */
export async function encodeStore({ volumes, queue }: Tended, options: EncodeOptions = {}): Promise<EncodeReport> {
  const heldBy = (): Promise<Reason | undefined> => writersHeld(volumes.components, queue);
  const encoded = await encodeHot(volumes, { ...options, heldBy });
  const { force = false, signal } = options;
  const rewritten = signal?.aborted ? undefined : await rewriteWasteful(volumes, { force, ...given({ signal }) });
  await addTally(volumes.components, {
    encodedBytes: encoded.recordBytes,
    encodedStoredBytes: encoded.storedBytes,
    encodedGroups: encoded.groups,
    encodedVolumes: encoded.sources,
  });
  return { ...encoded, stalled: encoded.stalled ?? rewritten?.stalled };
}

export interface EncodePassOptions extends Pick<EncodeOptions, 'onProgress'>, Signal {
  /** Whatever is hot, however young and however little. */
  readonly all?: boolean | undefined;
  /** Emptied volumes are erased without their grace. */
  readonly ignoreGrace?: boolean;
}

export interface EncodePassReport extends EncodeReport {
  readonly free: FreeReport;
}

/** The task `encode`. */
export async function encodePass(store: Tended, options: EncodePassOptions = {}): Promise<EncodePassReport> {
  const { all = false, ignoreGrace = false, signal, onProgress } = options;
  const { volumes } = store;
  await endLostLeases(volumes);
  const sealed = all ? await volumes.open.sealAll('hot') : 0;
  const report = await encodeStore(store, { force: all, flush: all, ...given({ signal, onProgress }) });
  const free = signal?.aborted ? NOTHING_FREED : await freeTrash(volumes, { ignoreGrace });
  return { ...report, sealed: sealed + report.sealed, free };
}

export interface ShredOptions extends Signal {
  readonly onProgress?: ((slots: number) => void) | undefined;
}

/** SHRED, tallied. `portions`: as much of it as there is room for. */
export async function shredStore(
  { volumes }: Pick<Tended, 'volumes'>,
  options: ShredOptions = {},
  portions?: Portions,
): Promise<PortionedReport> {
  const report = await collected(volumes.components, given(options), portions);
  await addTally(volumes.components, { shreddedBytes: report.recordBytes });
  return report;
}

const collected = async (
  components: Components,
  options: CollectOptions,
  portions: Portions | undefined,
): Promise<PortionedReport> =>
  portions === undefined
    ? { ...(await collectGarbage(components, options)), isCut: false }
    : collectInPortions(components, portions, options);

export interface EmptyReport {
  /** They cannot be restored any more. */
  readonly objects: number;
  readonly slots: number;
  readonly recordBytes: number;
}

/** All that could be restored, and every block in trash, whatever is left of its grace. */
export async function emptyTrash(
  { volumes }: Pick<Tended, 'volumes'>,
  options: ShredOptions = {},
  portions?: Portions,
): Promise<EmptyReport> {
  let objects = 0;
  const onForgotten = (some: number): void => {
    objects += some;
  };
  const garbage = await collected(volumes.components, { ...given(options), ignoreGrace: true, onForgotten }, portions);
  await addTally(volumes.components, { shreddedBytes: garbage.recordBytes });
  return { objects, slots: garbage.slots, recordBytes: garbage.recordBytes };
}

export interface GcReport extends GarbageReport {
  readonly free: FreeReport;
}

/** SHRED and FREE: the task `gc` after what dead processes left. */
export async function shredAndFree(
  store: Pick<Tended, 'volumes'>,
  { ignoreGrace = false, ...options }: ShredOptions & { readonly ignoreGrace?: boolean } = {},
): Promise<GcReport> {
  const { isCut: _, ...garbage } = await shredStore(store, options);
  const free = options.signal?.aborted ? NOTHING_FREED : await freeTrash(store.volumes, { ignoreGrace });
  return { ...garbage, free };
}
