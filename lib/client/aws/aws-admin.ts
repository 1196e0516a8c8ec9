// The operator's commands on a deployed stage. What moves bytes is done by the stage's functions (lambda:Invoke); what
// reads or writes rows and keys is done from here, with the user's own rights on the table, the drives, the queues and
// the key.
import { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { parsePlan } from '../../compaction/plan/plan.ts';
import type { ThresholdStep } from '../../compaction/threshold/law.ts';
import { STORAGE_CLASSES, type StorageClass } from '../../cost/price-book.ts';
import { S3Shelf } from '../../drive/s3-shelf.ts';
import { changeDrive } from '../../engine/drives/change-drive.ts';
import { stageJournal } from '../../engine/journal/verify-stage-journal.ts';
import type { Status } from '../../engine/status/status.ts';
import { compactStore } from '../../engine/upkeep/compaction.ts';
import { type TendReport, together } from '../../engine/upkeep/reclaim.ts';
import { STAGE_VERIFIERS } from '../../engine/upkeep/stage-tasks.ts';
import { readTuning } from '../../engine/upkeep/tune.ts';
import { joined, type VerifyReport, verifyStore } from '../../engine/upkeep/verify.ts';
import { newFunctionOwner, openParts, storeOf } from '../../engine/wire/deployed.ts';
import type { EngineStore } from '../../engine/wire/engine-store.ts';
import type { Clock } from '../../foundation/clock.ts';
import { invalid } from '../../foundation/errors.ts';
import { given } from '../../foundation/given.ts';
import { Frontend } from '../../frontend/frontend.ts';
import { parseSettings } from '../../settings/settings.ts';
import { newSqsClient, SqsStream } from '../../stream/sqs-stream.ts';
import type { VerifierName } from '../../verify/verifier-row.ts';
import type { DrainPass, EncodePass, GcReport, StoreAdmin } from '../admin.ts';
import { EngineAdmin, watchedBy } from '../engine-admin.ts';
import { onStage } from './aws-batches.ts';
import type { Invoker } from './aws-invoke.ts';
import type { StageOutputs } from './aws-stage.ts';
import { StageTasks } from './aws-tasks.ts';

const optionsSchema = z.object({ warmClass: z.enum(STORAGE_CLASSES).optional() });

const warmClassIn = (options: string | undefined): { readonly warmClass?: StorageClass | undefined } =>
  options === undefined ? {} : given({ warmClass: optionsSchema.parse(JSON.parse(options)).warmClass });

/** Opened at the first command that needs it. */
export class StageEngine {
  readonly #outputs: StageOutputs;
  readonly #clock: Clock;
  #opened: Promise<EngineStore> | undefined;
  #s3: S3Client | undefined;

  constructor(outputs: StageOutputs, clock: Clock) {
    this.#outputs = outputs;
    this.#clock = clock;
  }

  readonly open = (): Promise<EngineStore> => {
    this.#opened ??= this.#make();
    return this.#opened;
  };

  async #make(): Promise<EngineStore> {
    const { stage, table, drives, key, settings, drainQueue, drainDlq, stateMachine, options } = this.#outputs;
    // arn:aws:states:REGION:ACCOUNT:stateMachine:NAME
    const account = stateMachine.split(':')[4];
    const known = { stage, table, drives: drives.split(','), key, account };
    const deployed = { ...known, ...warmClassIn(options), settings: parseSettings(JSON.parse(settings)) };
    const parts = await openParts(deployed, this.#clock);
    const volumes = storeOf(parts, newFunctionOwner(parts.randomness));
    const queue = new SqsStream({
      client: newSqsClient(),
      queueUrl: drainQueue,
      dlqUrl: drainDlq,
      clock: this.#clock,
    });
    this.#s3 = new S3Client({});
    const client = this.#s3;
    const journal = stageJournal(volumes.components, (bucket) => new S3Shelf({ client, bucket }));
    return { components: volumes.components, volumes, frontend: new Frontend(volumes), queue, journal };
  }

  async close(): Promise<void> {
    const engine = await this.#opened?.catch(() => undefined);
    this.#s3?.destroy();
    await engine?.queue.close();
    await engine?.components.panda.close();
  }
}

export class StageAdmin extends EngineAdmin implements StoreAdmin {
  readonly #address: string;
  readonly #open: () => Promise<EngineStore>;
  readonly #tasks: StageTasks;
  readonly #streamAgeMs: () => Promise<number | null>;

  constructor(
    address: string,
    namespace: string,
    open: () => Promise<EngineStore>,
    invoker: Invoker,
    outputs: StageOutputs,
    streamAgeMs: () => Promise<number | null>,
  ) {
    super(open, namespace);
    this.#streamAgeMs = streamAgeMs;
    this.#address = address;
    this.#open = open;
    this.#tasks = new StageTasks(invoker, outputs, async () => (await open()).components);
  }

  /** With how late the stream is read, which the drives cannot say. */
  override async status(options: Parameters<StoreAdmin['status']>[0] = {}): Promise<Status> {
    const status = await super.status(options);
    if (status.journal === undefined) return status;
    const { commits } = status.journal.waiting;
    return { ...status, journal: { ...status.journal, waiting: { commits, ageMs: await this.#streamAgeMs() } } };
  }

  gc(options: Parameters<StoreAdmin['gc']>[0] = {}): Promise<GcReport> {
    return this.#tasks.gc(options);
  }

  override destroyKey(version: number): Promise<void> {
    return super.destroyKey(version, () => this.#tasks.snapshot());
  }

  encode(options: Parameters<StoreAdmin['encode']>[0] = {}): Promise<EncodePass> {
    return this.#tasks.encode(options);
  }

  drain(options: Parameters<StoreAdmin['drain']>[0] = {}): Promise<DrainPass> {
    const { fillPermilleMax, targetOverhead, sourcesMax, signal } = options;
    if ([fillPermilleMax, targetOverhead, sourcesMax].some((option) => option !== undefined))
      throw invalid(
        'NOT_FOR_STAGE',
        `${this.#address}: what a stage drains is what its planner says: see pocketful plan --strategy l3`,
      );
    return this.#tasks.drain({ signal });
  }

  async compact(options: Parameters<StoreAdmin['compact']>[0] = {}): ReturnType<StoreAdmin['compact']> {
    if (options.planJson !== undefined) parsePlan(options.planJson); // before anything is opened
    const engine = await this.#open();
    return compactStore(engine, watchedBy(options), onStage(engine.volumes, this.#tasks));
  }

  async tune(): Promise<ThresholdStep> {
    const { moved, reason } = await this.#tasks.tune();
    const state = await readTuning((await this.#open()).components);
    return { state, moved, reason };
  }

  async tend(options: Parameters<StoreAdmin['tend']>[0] = {}): Promise<TendReport> {
    const { free: first, ...encode } = await this.#tasks.encode(options);
    const { free, ...garbage } = await this.#tasks.gc(options);
    return { encode, garbage, free: together(first, free) };
  }

  addDrives(): Promise<never> {
    throw this.#notHere('drives of a stage are added by a deploy: pocketful deploy --drives COUNT');
  }

  replaceDrive(): Promise<never> {
    throw this.#notHere('deploy with one drive more, then pocketful drives drain N, or lost N, and pocketful repair');
  }

  async changeDrive(...[drive, change]: Parameters<StoreAdmin['changeDrive']>): ReturnType<StoreAdmin['changeDrive']> {
    return changeDrive((await this.#open()).volumes, drive, change);
  }

  /** Planned from here, with the user's own rights; made whole by the stage's compactor, step by step. */
  balance(): Promise<never> {
    throw this.#notHere('new volumes go to the emptiest buckets by themselves');
  }

  async repair({ onPlan, ...options }: Parameters<StoreAdmin['repair']>[0] = {}): ReturnType<StoreAdmin['repair']> {
    if (onPlan !== undefined) onPlan(await this.planRepair());
    return this.#tasks.repair(options);
  }

  backup(): Promise<never> {
    throw this.#notHere('DynamoDB keeps its own backups: point-in-time recovery of the table, and exports to S3');
  }

  /** Bytes and rows by the stage's function; what clients would read is read from here, with the user's own rights. */
  async verify({ all = false, what, ...request }: Parameters<StoreAdmin['verify']>[0] = {}): Promise<VerifyReport> {
    const engine = await this.#open();
    const allSinceMs = all ? Math.max(0, engine.components.clock.nowMs()) : undefined;
    const isAsked = (name: VerifierName): boolean => what === undefined || what.includes(name);
    const there = STAGE_VERIFIERS.filter(isAsked);
    const reports: VerifyReport[] = [];
    if (isAsked('journal')) reports.push(await this.#tasks.verifyJournal({ ...request, allSinceMs }));
    if (there.length > 0) reports.push(await this.#tasks.verify({ what: there, allSinceMs, ...request }));
    if (isAsked('sample'))
      reports.push(await verifyStore(engine, { ...request, allSinceMs, what: ['sample'], probesDrives: false }));
    return reports.length === 0 ? verifyStore(engine, { what: [] }) : reports.reduce(joined);
  }

  doctor(): Promise<never> {
    throw this.#notHere('pocketful status and the alarms of the stage say what is wrong with it');
  }

  #notHere(instead: string) {
    return invalid('NOT_FOR_STAGE', `${this.#address}: this command works on file: stores only; ${instead}`);
  }
}
