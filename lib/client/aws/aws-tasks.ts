// The maintenance functions of a stage as an operator calls them: again and again until they say they are done.
import * as z from 'zod';
import { NOTHING_TO_DRAIN } from '../../compaction/do/drainer.ts';
import type { FlowCode } from '../../compaction/move/l3/flow.ts';
import type { StepReport } from '../../compaction/run/reports.ts';
import type { ThresholdCode } from '../../compaction/threshold/law.ts';
import { readTallies, totalOf } from '../../engine/status/tally.ts';
import { OPERATORS_PASS, type RepairStep } from '../../engine/upkeep/stage-repair.ts';
import type { VerifyReport, VerifyRequest } from '../../engine/upkeep/verify.ts';
import { reasonCodeFrom } from '../../foundation/error-codes.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import { QUEUE_IDLE_MS_MAX, QUEUE_POLL_MS } from '../../limits/stage.ts';
import type { RepairOptions, RepairReport } from '../../volume/repair/repair-store.ts';
import type { Components } from '../../volume/rows/components.ts';
import type { DrainPass, EncodePass, GcReport } from '../admin.ts';
import type { Invoker } from './aws-invoke.ts';
import { added, joinedJournal, repairedBoth } from './aws-joined.ts';
import type { StageOutputs } from './aws-stage.ts';

/** With these what is queued goes on; any other code is why the drain stops. */
const GOES_ON: readonly string[] = ['FLOWING', 'QUEUE_FULL', 'QUEUE_OLD', NOTHING_TO_DRAIN] satisfies (
  | FlowCode
  | typeof NOTHING_TO_DRAIN
)[];
const reasonSchema = z.object({ code: z.string().transform(reasonCodeFrom), text: z.string() });

const gcSchema = z.object({
  done: z.boolean(),
  slots: z.int(),
  recordBytes: z.int(),
  buckets: z.int(),
  waiting: z.int(),
  freedVolumes: z.int(),
  freedZones: z.int(),
});
const snapshotSchema = z.object({ snapshot: z.object({ sequence: z.int() }) });
const encodeSchema = z.object({
  done: z.boolean(),
  sealed: z.int(),
  sources: z.int(),
  destinations: z.int(),
  groups: z.int(),
  recordBytes: z.int(),
  storedBytes: z.int(),
  leftBytes: z.int(),
  freedZones: z.int(),
  stalled: reasonSchema.optional(),
});
const drainSchema = z.object({
  sent: z.int(),
  retired: z.int(),
  begun: z.int(),
  draining: z.int(),
  reason: reasonSchema,
  stream: z.object({ ready: z.int(), inFlight: z.int() }),
});
const stepSchema = z.object({
  done: z.boolean(),
  movedBuckets: z.int(),
  movedBytes: z.int(),
  storedBytes: z.int(),
  hostBytes: z.int(),
  retired: z.int(),
  destinationVolumes: z.array(z.string().transform((id) => id as VolumeId)),
  skipped: z.array(z.object({ volume: z.string(), reason: reasonSchema })),
  spent: z.object({
    bytesRead: z.number(),
    bytesWritten: z.number(),
    metadataWrites: z.number(),
    requests: z.number(),
    computeMs: z.number(),
    dollars: z.number(),
  }),
  stalled: reasonSchema.optional(),
  merged: z.object({ buckets: z.int(), remnants: z.int(), blockRows: z.int(), rowsDropped: z.int() }).optional(),
});
const verifySchema = z.custom<VerifyReport>(
  (report) =>
    z.object({ level: z.string(), findings: z.array(z.object({})), done: z.boolean() }).safeParse(report).success,
);
const repairSchema = z.custom<RepairStep>(
  (step) =>
    z
      .object({
        done: z.boolean(),
        planned: z.int(),
        volumes: z.int(),
        columns: z.int(),
        objects: z.int(),
        writtenBytes: z.int(),
        lost: z.array(z.object({ volume: z.string(), left: z.array(z.object({ reason: reasonSchema })) })),
        left: z.array(z.object({ volume: z.string(), reason: reasonSchema })),
        discards: z.object({ freedZones: z.int(), givenUpZones: z.int(), kept: z.array(z.object({})) }),
      })
      .safeParse(step).success,
);
const tuneSchema = z.object({
  threshold: z.number(),
  moved: z.enum(['raised', 'lowered', 'kept']),
  reason: z.object({ code: z.custom<ThresholdCode>((code) => typeof code === 'string'), text: z.string() }),
});

interface DrainRequest {
  /** False: what was begun is worked off, and nothing else. */
  readonly begin?: boolean;
  /** Looked at between passes. */
  readonly isOver?: () => Promise<boolean>;
}

type Signal = { readonly signal?: AbortSignal | undefined };

export class StageTasks {
  readonly #invoker: Invoker;
  readonly #outputs: StageOutputs;
  /** For the tally of what the queue's workers moved, and for waiting. */
  readonly #components: () => Promise<Components>;

  constructor(invoker: Invoker, outputs: StageOutputs, components: () => Promise<Components>) {
    this.#invoker = invoker;
    this.#outputs = outputs;
    this.#components = components;
  }

  async gc({ now = false, signal }: Signal & { readonly now?: boolean | undefined } = {}): Promise<GcReport> {
    const sums = { slots: 0, recordBytes: 0, buckets: 0, waiting: 0 };
    const free = { freedVolumes: 0, freedZones: 0, kept: [] };
    for (;;) {
      const report = await this.#invoker.call(this.#outputs.gc, { now }, gcSchema);
      sums.slots += report.slots;
      sums.recordBytes += report.recordBytes;
      sums.buckets += report.buckets;
      sums.waiting = report.waiting;
      free.freedVolumes += report.freedVolumes;
      free.freedZones += report.freedZones;
      if (report.done || signal?.aborted) return { ...sums, free };
    }
  }

  /** What was shipped of the metadata, once more under the current key, before an older one is destroyed. */
  async snapshot(): Promise<void> {
    await this.#invoker.call(this.#outputs.journal, { snapshot: true }, snapshotSchema);
  }

  /** The segments in the buckets, again and again until each copy was read. */
  async verifyJournal({ signal, onProgress, allSinceMs }: VerifyRequest): Promise<VerifyReport> {
    let before: VerifyReport | undefined;
    for (;;) {
      const report = await this.#invoker.call(this.#outputs.journal, { verify: { allSinceMs } }, verifySchema);
      before = before === undefined ? report : joinedJournal(before, report);
      onProgress?.({ verifier: 'journal', looked: before.journal?.objects ?? 0, bytes: before.journal?.bytes });
      if (before.done || signal?.aborted) return before;
    }
  }

  async encode({ all = false, signal }: Signal & { readonly all?: boolean | undefined } = {}): Promise<EncodePass> {
    let before: EncodePass | undefined;
    for (;;) {
      const { done, freedZones, stalled, ...report } = await this.#invoker.call(
        this.#outputs.encoder,
        { all },
        encodeSchema,
      );
      const pass: EncodePass = {
        sealed: (before?.sealed ?? 0) + report.sealed,
        sources: (before?.sources ?? 0) + report.sources,
        destinations: (before?.destinations ?? 0) + report.destinations,
        groups: (before?.groups ?? 0) + report.groups,
        recordBytes: (before?.recordBytes ?? 0) + report.recordBytes,
        storedBytes: (before?.storedBytes ?? 0) + report.storedBytes,
        leftBytes: report.leftBytes,
        stalled,
        free: { freedVolumes: 0, freedZones: (before?.free.freedZones ?? 0) + freedZones, kept: [] },
      };
      if (done || signal?.aborted || stalled !== undefined) return pass;
      before = pass;
    }
  }

  /** The drainer again and again while the queue is worked off, until nothing is left or it says why it stopped. */
  async drain({ signal, begin = true, isOver }: Signal & DrainRequest = {}): Promise<DrainPass> {
    const components = await this.#components();
    const before = await movedByL3(components);
    let sources = 0;
    let retired = 0;
    let stalled: Reason | undefined;
    let progressAtMs = components.clock.monotonicMs();
    let seen = '';
    while (!signal?.aborted) {
      const pass = await this.#invoker.call(this.#outputs.drainer, { begin }, drainSchema);
      sources = Math.max(sources, retired + pass.draining);
      retired += pass.retired;
      if (pass.reason.code === NOTHING_TO_DRAIN && pass.draining === 0) break;
      if (await isOver?.()) break;
      if (!GOES_ON.includes(pass.reason.code)) stalled = pass.reason;
      const now = JSON.stringify([retired, pass.stream, pass.sent]);
      if (now !== seen) progressAtMs = components.clock.monotonicMs();
      else if (components.clock.monotonicMs() - progressAtMs > QUEUE_IDLE_MS_MAX)
        stalled = { code: 'NO_PROGRESS', text: `no progress: ${pass.reason.text}` };
      seen = now;
      if (stalled !== undefined) break;
      await components.clock.sleep(QUEUE_POLL_MS);
    }
    const after = await movedByL3(components);
    return {
      sources,
      retired,
      movedBytes: after.movedBytes - before.movedBytes,
      storedBytes: after.storedBytes - before.storedBytes,
      buckets: after.buckets - before.buckets,
      stalled,
      free: (await this.gc({ signal })).free,
    };
  }

  async step(run: RunId, release: boolean): Promise<StepReport> {
    const { stalled, ...step } = await this.#invoker.call(this.#outputs.compactor, { run, release }, stepSchema);
    return { ...step, run, stalled };
  }

  /** Again and again until nothing that is asked for is left; each call adds what it looked at. */
  async verify({ signal, onProgress, ...request }: VerifyRequest): Promise<VerifyReport> {
    let before: VerifyReport | undefined;
    for (;;) {
      const report = await this.#invoker.call(this.#outputs.gc, { verifyOnly: request }, verifySchema);
      before = before === undefined ? report : added(before, report);
      const { scrub, index } = before;
      onProgress?.({ verifier: 'scrub', looked: (scrub?.objects ?? 0) + (index?.blocks ?? 0), bytes: scrub?.bytes });
      if (before.done || signal?.aborted) return before;
    }
  }

  /** Again and again until all that can be made whole is; progress is told step by step. */
  async repair({ bytesMax, ignoreGrace, signal, onBytes }: RepairOptions = {}): Promise<RepairReport> {
    let before: RepairReport | undefined;
    for (;;) {
      const left = bytesMax === undefined ? undefined : bytesMax - (before?.writtenBytes ?? 0);
      const request = { run: OPERATORS_PASS, bytesMax: left ?? Number.MAX_SAFE_INTEGER, ignoreGrace };
      const { run: _, done, ...step } = await this.#invoker.call(this.#outputs.compactor, request, repairSchema);
      onBytes?.(step.writtenBytes);
      before = before === undefined ? step : repairedBoth(before, step);
      const isSpent = bytesMax !== undefined && before.writtenBytes >= bytesMax;
      if (done || isSpent || signal?.aborted) return before;
    }
  }

  tune(): Promise<z.infer<typeof tuneSchema>> {
    return this.#invoker.call(this.#outputs.tuner, {}, tuneSchema);
  }
}

/** Of the last two days, so that midnight does not matter. */
async function movedByL3(components: Components) {
  const counts = totalOf(await readTallies(components, 2));
  return {
    movedBytes: counts['l3.movedBytes'],
    storedBytes: counts['l3.storedBytes'],
    buckets: counts['l3.buckets'],
  };
}
