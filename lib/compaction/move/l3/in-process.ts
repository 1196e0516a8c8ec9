// An L3 run in one process: drainer and worker in turns over the stream, as far apart as flow control lets them be.
// Other runs' messages in the same queue are worked off, too; their volumes are their own drainer's to end.
import { isPocketfulError } from '../../../foundation/errors.ts';
import type { RunId, VolumeId } from '../../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../../foundation/reason.ts';
import { DRAIN_RECEIVE_MAX, DRAIN_ROUNDS_MAX } from '../../../limits/compaction.ts';
import type { VolumeRow } from '../../../panda/rows/volume-row.ts';
import type { Stream } from '../../../stream/stream.ts';
import { endSource } from '../../../volume/runs/drain-source.ts';
import { freeTrash } from '../../../volume/runs/free.ts';
import { retireVolume } from '../../../volume/runs/runs.ts';
import type { VolumeStore } from '../../../volume/volume-store.ts';
import type { MoveResult } from '../../../volume/write/move.ts';
import type { MakeTarget } from '../../run/actors.ts';
import { noteCoder } from '../../run/coder-state.ts';
import { metadataWritesLeft } from '../../run/period.ts';
import { type Moved, noteMove, nothingMoved } from '../l2-move.ts';
import { FLOW_LIMITS, type Flow, type FlowCode, flowOf } from './flow.ts';
import { DrainWorker, deadBuckets, sendDraining } from './stream-runs.ts';

export interface StreamActors {
  readonly store: VolumeStore;
  readonly stream: Stream;
  readonly makeTarget: MakeTarget;
}

/** Drains leased volumes through the stream, and ends their leases. */
export async function streamSources(
  actors: StreamActors,
  run: RunId,
  volumes: readonly VolumeRow[],
  signal?: AbortSignal,
): Promise<Moved> {
  const draining = new StreamedRun(actors, run, volumes, signal);
  try {
    await draining.run();
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    draining.moved.stalled = reasonOf(error);
  }
  await draining.end();
  return draining.moved;
}

class StreamedRun {
  readonly moved = nothingMoved();
  readonly #actors: StreamActors;
  readonly #run: RunId;
  readonly #worker: DrainWorker;
  readonly #open: Map<VolumeId, VolumeRow>;
  readonly #signal: AbortSignal | undefined;
  #stopped: Reason | undefined;

  constructor(actors: StreamActors, run: RunId, volumes: readonly VolumeRow[], signal: AbortSignal | undefined) {
    this.#actors = actors;
    this.#run = run;
    this.#signal = signal;
    this.#open = new Map(volumes.map((volume) => [volume.id, volume]));
    this.#worker = new DrainWorker(actors.store, actors.stream, actors.makeTarget, {
      onMoved: (of, result) => this.#note(of, result),
    });
  }

  async run(): Promise<void> {
    // Its own dead letters, if it leaves any, are for the run after it.
    if (await this.#isStopped('DEAD_LETTERS')) {
      this.moved.stalled = this.#stopped;
      return;
    }
    for (let round = 0; round < DRAIN_ROUNDS_MAX && this.#open.size > 0 && !this.#isOver(); round++) {
      for (const volume of [...this.#open.values()]) {
        if (this.#isOver()) break;
        if (await this.#isStopped('METADATA_SPENT')) break;
        await this.#makeRoomFor(volume.buckets.size);
        const { store, stream } = this.#actors;
        const dead = await deadBuckets(stream, await stream.figures());
        await sendDraining(store, stream, volume, FLOW_LIMITS.depthMax, dead);
        await this.#work();
      }
      if (this.#isOver()) break;
      await this.#worker.flush();
      await this.#retireEmpty();
    }
    this.moved.stalled = this.#worker.stalled ?? this.#stopped;
    await noteCoder(this.#actors.store.components, this.#worker.stalled);
  }

  /** Dead letters and a spent budget stop it, as they stop a stage's drainer. */
  async #isStopped(code: FlowCode): Promise<boolean> {
    const { reason } = await this.#flow();
    if (reason.code === code) this.#stopped = reason;
    return this.#stopped !== undefined;
  }

  async end(): Promise<void> {
    await this.#worker.discard();
    for (const volume of this.#open.values())
      if (await endSource(this.#actors.store, volume, this.#run)) this.moved.retired += 1;
    this.#open.clear();
  }

  #isOver(): boolean {
    return this.#signal?.aborted === true || this.#worker.stalled !== undefined || this.#stopped !== undefined;
  }

  #note(run: RunId, result: MoveResult): void {
    if (run === this.#run) noteMove(this.moved, result);
  }

  async #flow(): Promise<Flow> {
    return flowOf({
      stream: await this.#actors.stream.figures(),
      coderWaitingBytes: this.#worker.waitingBytes,
      coderStalled: this.#worker.stalled,
      metadataWritesLeft: await this.#metadataWritesLeft(),
    });
  }

  /** Of the period, less what this run has moved and nobody has charged yet. */
  async #metadataWritesLeft(): Promise<number | null> {
    const left = await metadataWritesLeft(this.#actors.store.components);
    return left === null ? null : Math.max(0, left - this.moved.buckets * FLOW_LIMITS.writesPerMessage);
  }

  /** Works off what is queued until another source's messages may be sent. */
  async #makeRoomFor(messages: number): Promise<void> {
    if ((await this.#flow()).send >= Math.min(messages, FLOW_LIMITS.depthMax)) return;
    await this.#work();
    if ((await this.#flow()).send >= Math.min(messages, FLOW_LIMITS.depthMax)) return;
    await this.#worker.flush();
  }

  /**
   * Receives until nothing is visible. When the store is full, what was drained is erased at once, and the work goes on
   * once.
   */
  async #work(): Promise<void> {
    for (;;) {
      while (!this.#isOver() && (await this.#step()) > 0);
      if (this.#worker.stalled?.code !== 'STORE_FULL' || !(await this.#makeSpace())) return;
    }
  }

  /** As many as flow control lets it take: none while the budget is spent. */
  async #step(): Promise<number> {
    const { receive } = await this.#flow();
    return receive === 0 ? 0 : this.#worker.step(Math.min(DRAIN_RECEIVE_MAX, receive));
  }

  async #makeSpace(): Promise<boolean> {
    await this.#retireEmpty();
    const { freedZones } = await freeTrash(this.#actors.store, { ignoreGrace: true });
    if (freedZones > 0) this.#worker.resume();
    return freedZones > 0;
  }

  /** Space comes back while the run goes on. */
  async #retireEmpty(): Promise<void> {
    for (const [id, volume] of [...this.#open]) {
      if (!(await retireVolume(this.#actors.store.components, volume, this.#run))) continue;
      this.#open.delete(id);
      this.moved.retired += 1;
    }
  }
}
