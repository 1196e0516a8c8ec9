// A call of a port as an event: sent now, done when the scheduler says so, answered then or later, or never. What a process that dies has
// under way is dropped, done all the same, or left half done.
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { Injector, Outcome } from '../faults/injector.ts';
import { longUs } from '../faults/injector.ts';
import { never, type SimProcess } from '../scheduler/sim-process.ts';
import type { Trace } from '../scheduler/trace.ts';

export interface PortCall<T> {
  readonly port: 'drive' | 'panda' | 'keys' | 'stream';
  readonly operation: string;
  readonly detail: string;
  /** What it is of the protocols, or else which call of the port: for coverage, and for what is aimed at it. */
  readonly steps: readonly string[];
  readonly changesSomething: boolean;
  act(): Promise<T>;
  /** What is reported when it failed, or its answer got lost. */
  failed(): Error;
  /** Left half done by a process that died, if that is possible. */
  tear?(): void;
}

export interface CallContext {
  readonly injector: Injector;
  readonly trace: Trace;
  onCall(call: PortCall<unknown>, outcome: Outcome): void;
}

export function makeCall<T>(context: CallContext, process: SimProcess, call: PortCall<T>): Promise<T> {
  if (process.isDead) return never();
  if (context.injector.isOver) return call.act();
  const fate = context.injector.fateOf(process, call.steps, call.changesSomething);
  const note = (what: string): void =>
    context.trace.note(
      `${process.scheduler.nowUs} ${process.owner} ${call.port}.${call.operation} ${call.detail} ${what}`,
    );
  context.onCall(call, fate.outcome);
  if (fate.outcome === 'dies-before') {
    note('dies before');
    process.die();
    return never();
  }
  // Nothing comes between two reads of one process, most often: every read an event would be time spent on little.
  if (fate.outcome === 'done' && fate.latencyUs === 0 && fate.answerUs === 0 && !process.isFrozen()) {
    note('done');
    return call.act();
  }
  return new Promise<T>((resolve, reject) => {
    const tie = (): number => process.fate.uint32();
    const answer = (deliver: () => void): void => {
      if (fate.answerUs === 0 && !process.isFrozen()) deliver();
      else process.scheduler.schedule(fate.answerUs, tie(), process, deliver);
    };
    const flight = { isDone: false };
    const perform = (): void => {
      flight.isDone = true;
      if (fate.outcome === 'fails-before' || fate.outcome === 'done-late') {
        note(fate.outcome);
        if (fate.outcome === 'done-late')
          process.scheduler.schedule(fate.doneAfterUs ?? longUs(process), tie(), undefined, () =>
            settleQuietly(call.act(), note),
          );
        answer(() => reject(call.failed()));
        return;
      }
      call.act().then(
        (result) => {
          note(fate.outcome);
          if (fate.outcome === 'dies-after') return process.die();
          if (fate.outcome === 'fails-after') return answer(() => reject(call.failed()));
          answer(() => resolve(result));
        },
        (error: unknown) => {
          note(isPocketfulError(error) ? error.code : `${error}`);
          if (fate.outcome === 'dies-after') return process.die();
          answer(() => reject(error));
        },
      );
    };
    if (call.changesSomething) process.onDeath.push(() => !flight.isDone && orphan(process, call, note));
    process.scheduler.schedule(fate.latencyUs, tie(), process, perform, true);
  });
}

/** On its way when its process died. */
function orphan<T>(process: SimProcess, call: PortCall<T>, note: (what: string) => void): void {
  const draw = process.fate.below(4);
  if (draw === 0 && call.tear !== undefined) {
    note('torn');
    call.tear();
  } else if (draw >= 2)
    process.scheduler.schedule(process.fate.below(2) === 0 ? 0 : longUs(process), 0, undefined, () =>
      settleQuietly(call.act(), note),
    );
}

function settleQuietly(done: Promise<unknown>, note: (what: string) => void): void {
  done.then(
    () => note('done late'),
    (error: unknown) => note(isPocketfulError(error) ? `late ${error.code}` : `late ${error}`),
  );
}
