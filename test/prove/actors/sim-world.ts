// One run's store and its processes: each process sees the shared disks, rows, queue and keys through ports of its own.

import { knownLanes } from '../../../lib/compaction/run/known-lanes.ts';
import { operatingKey } from '../../../lib/compaction/run/operating-row.ts';
import type { Shelf } from '../../../lib/drive/shelf.ts';
import type { EngineStore } from '../../../lib/engine/wire/engine-store.ts';
import { present } from '../../../lib/foundation/assert.ts';
import type { StoreId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { Frontend } from '../../../lib/frontend/frontend.ts';
import type { KekStore } from '../../../lib/keys/keys.ts';
import { KEPT_LEASE_MS } from '../../../lib/limits/volume.ts';
import { BulkCoder } from '../../../lib/live-coder/bulk-coder.ts';
import type { JournalSource } from '../../../lib/panda/journal-source.ts';
import type { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import { JOURNAL_PARTITION } from '../../../lib/panda/rows/journal-rows.ts';
import { storeAttributes, storeKey } from '../../../lib/panda/rows/store-row.ts';
import type { Settings } from '../../../lib/settings/settings.ts';
import { MemoryStream } from '../../../lib/stream/memory-stream.ts';
import type { Stream } from '../../../lib/stream/stream.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { Coverage } from '../checkers/coverage.ts';
import { Watch } from '../checkers/watch.ts';
import { Injector } from '../faults/injector.ts';
import { type Commit, CommitLog, changesOf } from '../journal/commit-log.ts';
import { SimShelf, SimSource } from '../journal/sim-source.ts';
import { TableStream } from '../journal/table-stream.ts';
import { History } from '../model/history.ts';
import type { Plan } from '../plan/plan.ts';
import { keksOf, type Template } from '../plan/templates.ts';
import { VARIANTS } from '../plan/variants.ts';
import type { Disk } from '../ports/disk.ts';
import { PandaServer } from '../ports/panda-server.ts';
import type { CallContext } from '../ports/port-call.ts';
import { RunColumns } from '../ports/run-columns.ts';
import { SimDrive } from '../ports/sim-drive.ts';
import { SimKeys } from '../ports/sim-keys.ts';
import { SimPanda } from '../ports/sim-panda.ts';
import { SimStream } from '../ports/sim-stream.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { EPOCH_MS, SimProcess } from '../scheduler/sim-process.ts';
import type { Trace } from '../scheduler/trace.ts';
import { NAMESPACE } from './names.ts';

/** A function that should be over is believed dead only then. */
const MOURNING_MS = 70_000;
/** Lives of a process, by which its draws differ. */
const LIVES_MAX = 20;
/** A little more: longer than any quarantine. */
const WEEK_MS = 7.1 * 24 * 3_600_000;
/** One that stands still for so long may be taken for dead. */
const MISJUDGED_US = 20_000_000;
/** Two blocks of the templates' stores, and what a record adds. */
const BULK_FROM_BYTES = 300;

export interface Acting {
  readonly process: SimProcess;
  readonly components: Components;
  readonly volumes: VolumeStore;
  readonly frontend: Frontend;
  readonly queue: Stream;
}

/** As the operator's use-cases see a store. */
export const engineOf = ({ components, volumes, frontend, queue }: Acting): EngineStore => ({
  components,
  volumes,
  frontend,
  queue,
});

export class SimWorld {
  readonly plan: Plan;
  readonly settings: Settings;
  readonly scheduler = new Scheduler();
  readonly columns = new RunColumns();
  readonly coverage = new Coverage();
  readonly history = new History();
  readonly injector: Injector;
  readonly trace: Trace;
  readonly disks: readonly Disk[];
  server: PandaServer;
  readonly keks: KekStore;
  readonly queue: Stream;
  readonly processes: SimProcess[] = [];
  watch: Watch;
  /** What is shipped, where somebody does. */
  readonly commits: CommitLog | undefined;
  /** Of a stage's table, where its journal is shipped. */
  readonly stream: TableStream | undefined;
  /** Panda is one of before, restored or rebuilt. */
  wasPutBack = false;
  /** Told of what the watch finds wrong. */
  onWrong: (error: unknown) => void = () => {};
  readonly #storeId: StoreId;
  readonly #context: CallContext;
  #passedMs = 0;
  #isOver = false;

  constructor(plan: Plan, template: Template, trace: Trace) {
    this.plan = plan;
    this.trace = trace;
    this.settings = (VARIANTS[plan.variant] as (typeof VARIANTS)[number]).settings;
    this.injector = new Injector(plan.rates, plan.targets, plan);
    this.disks = template.disks.map((disk) => disk.clone());
    this.watch = new Watch(this);
    this.server = this.#serverOf(rowsOf(plan, template));
    this.keks = keksOf(template.seed);
    this.#storeId = template.storeId;
    const { scheduler } = this;
    this.queue = new MemoryStream({
      nowMs: () => EPOCH_MS + scheduler.nowMs,
      monotonicMs: () => scheduler.nowMs,
      sleep: () => Promise.reject(new Error('a queue does not sleep')),
    });
    if (plan.ships !== undefined) this.commits = this.#journalled();
    if (plan.ships === 'stream') this.stream = new TableStream(this.settings.cell);
    for (const [key, body] of template.objects) this.history.given(key, body);
    this.#context = {
      injector: this.injector,
      trace,
      onCall: ({ steps }, outcome) => {
        for (const step of steps) this.coverage.point(step, outcome);
      },
    };
  }

  /** A new process on the store; what it draws depends on its number in the plan and on how often it was begun, and on nothing else. */
  start(role: string, number: number): Acting {
    const life = this.processes.filter(({ owner }) => owner.startsWith(`p${number}-`)).length;
    const seed = this.plan.seed * 1000 + number * LIVES_MAX + life;
    const process = new SimProcess(this.scheduler, `p${number}-${role}-${life}`, seed);
    process.wallOffsetMs = this.#passedMs;
    this.processes.push(process);
    const queue = new SimStream(this.queue, process, this.#context);
    const panda = new SimPanda(this.server, process, this.#context, this.plan.paysByWrite);
    const components: Components = {
      settings: this.settings,
      storeId: this.#storeId,
      clock: process.clock,
      randomness: process.randomness,
      columns: this.columns,
      drives: this.disks.map((disk) => new SimDrive(disk, process, this.#context)),
      panda,
      ...(this.plan.keepsApart ? { laneOf: knownLanes({ panda, clock: process.clock }) } : {}),
      keks: new SimKeys(this.keks, process, this.#context),
      owner: process.owner,
      isOwnerGone: (owner) => this.#isGone(owner),
    };
    const volumes = new VolumeStore(components);
    // As a server does, in every second run.
    if (role === 'client' && this.plan.seed % 2 === 1) volumes.open.keepLeases(KEPT_LEASE_MS);
    const bulk = this.plan.putsBulk ? new BulkCoder(volumes, BULK_FROM_BYTES) : undefined;
    return { process, components, volumes, frontend: new Frontend(volumes, undefined, bulk), queue };
  }

  /** The same store with nothing in between: for checks, once all is still. */
  direct(): Acting {
    const process = new SimProcess(this.scheduler, 'checker', this.plan.seed);
    const components: Components = {
      settings: this.settings,
      storeId: this.#storeId,
      clock: process.clock,
      randomness: process.randomness,
      columns: this.columns,
      drives: this.disks,
      panda: this.server.rows,
      keks: this.keks,
      owner: process.owner,
      isOwnerGone: () => true,
    };
    const volumes = new VolumeStore(components);
    return { process, components, volumes, frontend: new Frontend(volumes), queue: this.queue };
  }

  /** Drives on which something was lost or rotted, or that came back older. */
  readonly lossyDrives = new Set<number>();

  /** Where repairs have put columns, as `extentText` writes them. */
  readonly movedExtents = new Set<string>();

  /** More than the code promises to survive: what is lost then is to be told loudly, and nothing else. */
  get mayHaveLost(): boolean {
    return this.plan.isBeyondPromise && this.lossyDrives.size > 0;
  }

  /** Other rows have come in the place of those there were; whoever is left of before writes to what nobody reads. */
  restored(rows: MemoryPanda): void {
    this.watch = new Watch(this);
    this.server = this.#serverOf(rows);
    this.wasPutBack = true;
  }

  #serverOf(rows: MemoryPanda): PandaServer {
    const server = new PandaServer(rows, this.coverage);
    const { watch } = this;
    server.onDone = (writes, before) => watch.done(writes, before).catch((error: unknown) => this.onWrong(error));
    return server;
  }

  /** As a process sees it. */
  journalOf(process: SimProcess): { readonly source: JournalSource; readonly shelves: readonly Shelf[] } {
    const commits = present(this.commits, 'of a plan in which somebody ships');
    const source = new SimSource(commits, process, this.#context);
    return { source, shelves: this.shelvesOf(process) };
  }

  shelvesOf(process: SimProcess): readonly Shelf[] {
    return this.disks.map((disk) => new SimShelf(disk, process, this.#context));
  }

  #journalled(): CommitLog {
    const log = new CommitLog(new SeededRandomness(this.plan.seed));
    this.journalInto(log, (commit) => this.stream?.note(commit));
    return log;
  }

  /** From now on, and first what is there. */
  journalInto(log: CommitLog, told: (commit: Commit) => void = () => {}): void {
    const note: NonNullable<PandaServer['onCommit']> = (writes, rows) => {
      const changes = changesOf(writes, rows).filter(({ partition }) => partition !== JOURNAL_PARTITION);
      if (changes.length === 0) return;
      const atMs = EPOCH_MS + this.scheduler.nowMs + this.#passedMs;
      told(log.note(changes, atMs, this.scheduler.steps));
    };
    const rows = [...this.server.rows.snapshot()];
    note(
      rows.map((row) => ({ kind: 'put', ...row })),
      rows,
    );
    this.server.onCommit = note;
  }

  weekPasses(): void {
    this.#passedMs += WEEK_MS;
    this.server.week += 1;
    for (const process of this.processes) process.wallOffsetMs += WEEK_MS;
  }

  /** From now on it is known of all processes that died that they did. */
  end(): void {
    this.#isOver = true;
  }

  #isGone(owner: string): boolean {
    if (owner === 'before') return true;
    const process = this.processes.find((one) => one.owner === owner);
    if (process === undefined) return false;
    if (process.isDead)
      return this.#isOver || this.plan.mourning === 'at once' || this.scheduler.nowMs > process.diedAtMs + MOURNING_MS;
    return this.plan.misjudges && process.frozenUntilUs > this.scheduler.nowUs + MISJUDGED_US;
  }
}

/** Whoever ships asks the store's row for the epoch; whoever puts asks which namespaces are kept apart. */
function rowsOf({ ships, variant, keepsApart }: Plan, { panda, storeId, disks }: Template): MemoryPanda {
  const rows = panda.clone();
  const { inRow: settings } = VARIANTS[variant] as (typeof VARIANTS)[number];
  const store = { storeId, settings, drives: disks.map(({ label }) => label), createdAtMs: EPOCH_MS };
  // Done when it is called: a Panda in memory only answers later.
  if (ships !== undefined) void rows.transact([{ kind: 'put', ...storeKey, attributes: storeAttributes(store) }]);
  const j = JSON.stringify({ namespacesApart: NAMESPACE });
  if (keepsApart) void rows.transact([{ kind: 'put', ...operatingKey, attributes: { v: 1, j } }]);
  return rows;
}
