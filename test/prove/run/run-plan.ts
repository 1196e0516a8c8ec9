// One plan, from its template to rest: first safety under faults, then faults end, and it has to settle within a bound.
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import { SimWorld } from '../actors/sim-world.ts';
import { Workers } from '../actors/worker.ts';
import type { CoverageFigures } from '../checkers/coverage.ts';
import { expectAtRest, settle } from '../checkers/settle.ts';
import { strangeEdges } from '../checkers/steps.ts';
import { Violation, type ViolationKind } from '../checkers/violation.ts';
import { scheduleDisasters } from '../faults/disasters.ts';
import type { CommitLog } from '../journal/commit-log.ts';
import type { History } from '../model/history.ts';
import type { Plan, Way } from '../plan/plan.ts';
import { type Template, templateOf } from '../plan/templates.ts';
import { Trace } from '../scheduler/trace.ts';
import { backFromJournal } from './back-from-journal.ts';
import { backFromStream } from './back-from-stream.ts';
import { putBack, type Saved, save } from './put-back.ts';
import { backToBefore, type FromDrives, lostAgain, restoredAgain, shipsOn } from './second-restore.ts';

/** Beyond that many events workers are cut off: nothing is wrong, time is up. */
const STEPS_MAX = 30_000;
/** Above the numbers of a plan's processes. */
const SETTLER = 40;
/** Settling takes no more. */
const SETTLE_STEPS_MAX = 30_000;

export interface RunResult {
  readonly seed: number;
  readonly failure:
    | { readonly kind: ViolationKind; readonly message: string; readonly stack: string | undefined }
    | undefined;
  readonly digest: string;
  readonly steps: number;
  readonly operations: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly coverage: CoverageFigures;
  readonly lines: readonly string[];
}

/** Of a run whose store could not even be made. */
const NOTHING: Omit<RunResult, 'seed' | 'failure'> = {
  digest: '',
  steps: 0,
  operations: 0,
  faults: {},
  coverage: { points: {}, edges: {} },
  lines: [],
};

/** Rejections nobody waits for belong to the run under way. */
let onRejection: ((error: unknown) => void) | undefined;
process.on('unhandledRejection', (error) => {
  if (onRejection === undefined) throw error;
  onRejection(error);
});

interface RunOptions {
  readonly keepTrace?: boolean;
  /** Called with what clients asked and were told, when all is over. */
  readonly onHistory?: (history: History) => void;
}

export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  const trace = new Trace(options.keepTrace ?? false);
  let template: Template;
  try {
    template = await templateOf(plan.variant, plan.template);
  } catch (error) {
    return { ...NOTHING, seed: plan.seed, failure: described(error) };
  }
  const world = new SimWorld(plan, template, trace);
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error ?? new Error('rejected with nothing');
  };
  onRejection = fail;
  world.onWrong = fail;
  try {
    const saved = await underFaults(world, fail, () => failure !== undefined);
    if (failure === undefined) await atRest(world, saved, fail, () => failure !== undefined);
  } catch (error) {
    fail(error);
  }
  onRejection = undefined;
  world.columns.end();
  options.onHistory?.(world.history);
  return {
    seed: plan.seed,
    failure: failure === undefined ? undefined : described(failure),
    digest: trace.digest(),
    steps: world.scheduler.steps,
    operations: world.history.count,
    faults: Object.fromEntries(world.injector.made),
    coverage: world.coverage.figures(),
    lines: trace.lines,
  };
}

/** What was saved of Panda meanwhile, if it was. */
async function underFaults(
  world: SimWorld,
  fail: (error: unknown) => void,
  hasFailed: () => boolean,
): Promise<Saved | undefined> {
  const workers = new Workers(world, fail);
  workers.start();
  scheduleDisasters(world);
  const { putBack } = world.plan;
  let saved: Saved | undefined;
  const saveNow = (): void => {
    saved ??= save(world);
  };
  if (putBack !== undefined) world.scheduler.schedule(putBack.savedAtMs * 1000, 0, undefined, saveNow);
  while (!workers.isDone && !hasFailed()) {
    if (world.scheduler.steps > STEPS_MAX) break;
    if (!(await world.scheduler.step()) && !workers.isDone && !hasFailed())
      throw new Violation('stuck', 'nothing is under way, and workers are not done');
  }
  for (const process of world.processes) process.die();
  return saved;
}

async function atRest(
  world: SimWorld,
  saved: Saved | undefined,
  fail: (error: unknown) => void,
  hasFailed: () => boolean,
): Promise<void> {
  world.injector.end();
  world.watch.isQuiet = true;
  world.end();
  for (const disk of world.disks) disk.state = 'healthy';
  let log: CommitLog | undefined;
  let before: MemoryPanda | undefined;
  if (world.plan.putBack !== undefined) {
    // Whoever brings it back waits until no writer is left.
    while (await world.scheduler.step());
    const { by } = world.plan.putBack;
    const back = await untilDone(world, broughtBack(world, by, saved), fail, hasFailed);
    if (hasFailed()) return;
    before = back?.rows.clone();
    const given = back !== undefined && 'cursor' in back ? await restoredAgain(world, back) : back;
    if (given !== undefined && !(await putBack(world, given, by === 'rebuild' ? 'rebuild' : 'restore'))) return;
    if (given !== undefined && 'cursor' in given) log = await shipsOn(world);
  }
  await untilDone(world, settle(world, world.start('settles', SETTLER)), fail, hasFailed);
  if (hasFailed()) return;
  const [strange] = strangeEdges(world.coverage.figures());
  if (strange !== undefined) throw new Violation('wrong', `a row went where its kind does not go: ${strange}`);
  await expectAtRest(world);
  if (log === undefined) return;
  await lostAgain(world, log);
  if (before !== undefined) await backToBefore(world, before);
}

/** What waits for its clock goes on only as long as somebody steps. Undefined if it failed. */
async function untilDone<T>(
  world: SimWorld,
  work: Promise<T>,
  fail: (error: unknown) => void,
  hasFailed: () => boolean,
): Promise<T | undefined> {
  let done: { readonly value: T } | undefined;
  work.then((value) => {
    done = { value };
  }, fail);
  const until = world.scheduler.steps + SETTLE_STEPS_MAX;
  while (done === undefined && !hasFailed()) {
    if (world.scheduler.steps > until)
      throw new Violation('stuck', `it has not settled after ${SETTLE_STEPS_MAX} steps`);
    if (!(await world.scheduler.step()) && done === undefined && !hasFailed())
      throw new Violation('stuck', 'nothing is under way, and it has not settled');
  }
  return done?.value;
}

function broughtBack(world: SimWorld, by: Way, saved: Saved | undefined): Promise<Saved | FromDrives | undefined> {
  if (by === 'journal') return backFromJournal(world);
  if (by === 'stream') return backFromStream(world);
  return Promise.resolve(saved ?? save(world));
}

function described(error: unknown): NonNullable<RunResult['failure']> {
  if (error instanceof Violation) return { kind: error.kind, message: error.message, stack: causeOf(error) };
  const kind = isPocketfulError(error) ? 'error' : 'bug';
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind, message, stack: error instanceof Error ? error.stack : undefined };
}

const causeOf = (error: Error): string | undefined => (error.cause instanceof Error ? error.cause.stack : error.stack);
