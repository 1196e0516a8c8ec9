// Workers do their operations one after the other. When their process dies they go on in a new one, which first looks after what the dead
// left; the operation that was under way is not done again.
import { recover } from '../../../lib/engine/upkeep/end-dead-work.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { Target } from '../faults/target.ts';
import type { PlannedOperation, Role } from '../plan/operations.ts';
import type { Worker } from '../plan/plan.ts';
import { never } from '../scheduler/sim-process.ts';
import { acceptable, CLIENT } from './client.ts';
import { getAgain, getMany, putAgain, putCrowd, putPlain, twins } from './crowd.ts';
import { KEEPER, KEYS } from './keeper.ts';
import { LATE_STREAMER } from './late-streamer.ts';
import { MOVER } from './mover.ts';
import { OPERATOR } from './operator.ts';
import { collectRecurring, RECURRING } from './recurring.ts';
import { restore } from './restorer.ts';
import { SHIPPER } from './shipper.ts';
import type { Acting, SimWorld } from './sim-world.ts';
import { STREAMER } from './streamer.ts';

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;
const ACTS: Readonly<Record<Role, Readonly<Record<string, Act>>>> = {
  client: {
    ...CLIENT,
    ...RECURRING,
    twins,
    'get-many': getMany,
    'get-again': getAgain,
    'put-crowd': putCrowd,
    'put-plain': async (world, acting, random) => {
      await putPlain(world, acting, random);
    },
    'put-again': putAgain,
    restore,
  },
  mover: MOVER,
  keeper: { ...KEEPER, 'gc-recurring': collectRecurring },
  keys: KEYS,
  operator: OPERATOR,
  shipper: SHIPPER,
  streamer: { ...STREAMER, ...LATE_STREAMER },
};
/** What may come back while things fail. Nothing is `corrupt` as long as no more is damaged than the code survives. */
const KINDS = ['retry', 'unknown', 'conflict'];

const RESTART_US = 3_000_000;

/** All processes of a plan. `fail` is told what should not have been; the promise of a process that died is never kept. */
export class Workers {
  readonly #world: SimWorld;
  readonly #fail: (error: unknown) => void;
  /** What is left to do, by process. */
  readonly #left = new Map<number, { worker: Worker; next: number }[]>();
  /** Those that begin when a step was hit that the plan aims at. */
  readonly #followers = new Set<number>();
  #busy = 0;

  constructor(world: SimWorld, fail: (error: unknown) => void) {
    this.#world = world;
    this.#fail = fail;
    for (const worker of world.plan.workers) {
      if (worker.operations.length === 0) continue;
      const of = this.#left.get(worker.process) ?? [];
      this.#left.set(worker.process, [...of, { worker, next: 0 }]);
      if (worker.isFollower) this.#followers.add(worker.process);
      else this.#busy += 1;
    }
  }

  get isDone(): boolean {
    return this.#busy === 0;
  }

  start(): void {
    for (const number of this.#left.keys()) if (!this.#followers.has(number)) this.#startProcess(number, false);
    this.#world.injector.onHit = (target) => this.#startFollowers(target);
  }

  #startFollowers(target: Target): void {
    const { scheduler } = this.#world;
    for (const number of this.#followers) {
      this.#followers.delete(number);
      this.#busy += this.#left.get(number)?.length ?? 0;
      const afterUs = target.followersAfterMs * 1000;
      scheduler.schedule(afterUs, number, undefined, () => this.#startProcess(number, afterUs > 0));
    }
  }

  #startProcess(number: number, isRestart: boolean): void {
    const workers = (this.#left.get(number) ?? []).filter(({ worker, next }) => next < worker.operations.length);
    const [first] = workers;
    if (first === undefined) return;
    const { role, leads } = first.worker;
    const acting = this.#world.start(leads ? `${role}-leads` : role, number);
    const { process } = acting;
    this.#world.trace.note(`${this.#world.scheduler.nowUs} ${process.owner} starts`);
    const running = new Set(workers);
    process.onDeath.push(() => {
      this.#world.trace.note(`${this.#world.scheduler.nowUs} ${process.owner} dies`);
      // Whoever has nothing left to do is done, though its last operation was not answered.
      for (const one of running) if (one.next >= one.worker.operations.length) this.#busy -= 1;
      process.scheduler.schedule(process.fate.below(2 * RESTART_US), 0, undefined, () =>
        this.#startProcess(number, true),
      );
    });
    for (const one of workers)
      this.#work(acting, one, isRestart).then(
        () => {
          running.delete(one);
          this.#busy -= 1;
        },
        (error: unknown) => this.#fail(error),
      );
  }

  async #work(acting: Acting, one: { worker: Worker; next: number }, isRestart: boolean): Promise<void> {
    const { operations, role } = one.worker;
    if (isRestart && acting.process.fate.below(2) === 0)
      await this.#try(acting, () => recover(acting.volumes, acting.frontend));
    while (one.next < operations.length) {
      // Its process may have died under another worker before this one had its turn.
      if (acting.process.isDead) await never();
      const operation = operations[one.next++] as PlannedOperation;
      await acting.components.clock.sleep(operation.pauseMs);
      this.#world.trace.note(`${this.#world.scheduler.nowUs} ${acting.process.owner} begins ${operation.name}`);
      const act = ACTS[role][operation.name] as Act;
      await this.#try(acting, () => act(this.#world, acting, new SeededRandomness(operation.draw)));
    }
  }

  async #try(acting: Acting, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      this.#world.trace.note(`${this.#world.scheduler.nowUs} ${acting.process.owner} did it`);
    } catch (error) {
      this.#world.trace.note(`${this.#world.scheduler.nowUs} ${acting.process.owner} failed: ${error}`);
      acceptable(this.#world, error, KINDS);
    }
  }
}
