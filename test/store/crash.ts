// Exhaustive crash test of a use-case: it is run once to count its port calls, then again and again, each time dying at another
// one (before it, after it, or going on after it reported an error it did not have). After each, a new process recovers, and
// everything is counted and read again; unless the very same rows and objects were left by a death before, as after most reads.
import { expect } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { CountingPlan, Crash, type FaultMode } from '../../lib/foundation/faults.ts';
import { type Acknowledged, durableState } from './durable-state.ts';
import type { Process, World } from './harness.ts';
import { expectListed, expectSound } from './recount.ts';
import { expectUndamaged } from './undamaged.ts';

/** What was acknowledged: the bodies that must be there, and the names that must not. `undecided`: a call on it did not return. */
export class Model {
  clone(): Model {
    const copy = new Model();
    for (const [key, body] of this.there) copy.there.set(key, body);
    for (const key of this.gone) copy.gone.add(key);
    for (const key of this.lost) copy.lost.add(key);
    return copy;
  }

  readonly there = new Map<string, Uint8Array>();
  readonly gone = new Set<string>();
  /** There by name, but its records are lost: until it is put again. */
  readonly lost = new Set<string>();
  readonly undecided = new Map<string, readonly (Uint8Array | undefined)[]>();

  put(key: string, body: Uint8Array): void {
    this.there.set(key, body);
    this.gone.delete(key);
    this.lost.delete(key);
    this.undecided.delete(key);
  }
  delete(key: string): void {
    this.there.delete(key);
    this.gone.add(key);
    this.undecided.delete(key);
  }
  /** As it is now (or may be), or `next` (undefined: deleted). */
  begin(key: string, next: Uint8Array | undefined): void {
    this.undecided.set(key, [...(this.undecided.get(key) ?? [this.there.get(key)]), next]);
  }

  /** All of it, in one order. */
  *items(): Generator<Acknowledged[number]> {
    for (const [key, body] of this.there) yield* [key, body];
    yield* ['gone', ...this.gone, 'lost', ...this.lost, 'undecided'];
    for (const [key, bodies] of this.undecided) yield* [key, `${bodies.length}`, ...bodies];
  }

  async expectIn(p: Process): Promise<void> {
    for (const [key, body] of this.there) {
      if (this.undecided.has(key) || this.lost.has(key)) continue;
      const read = await p.frontend.read('default', key, 1e7);
      if (Buffer.compare(read, body) !== 0) expect.fail(`bytes of ${key}`);
    }
    for (const key of this.gone) {
      if (this.undecided.has(key)) continue;
      const code = await p.frontend.head('default', key).then(
        () => 'found',
        (error: unknown) => (isPocketfulError(error) ? error.code : error),
      );
      if (code !== 'OBJECT_MISSING') expect(code, `${key} was deleted`).toBe('OBJECT_MISSING');
    }
    for (const [key, either] of this.undecided) {
      const read = await p.frontend.read('default', key, 1e7).catch((error: unknown) => {
        if (isPocketfulError(error) && error.code === 'OBJECT_MISSING') return undefined;
        if (isPocketfulError(error) && error.code === 'RECORD_LOST' && this.lost.has(key)) return either[0];
        throw error;
      });
      const fits = either.some((body) =>
        body === undefined || read === undefined ? body === read : Buffer.compare(read, body) === 0,
      );
      if (!fits) expect.fail(`${key} is neither as it was nor as it was to be`);
    }
  }
}

/** Both at once. When the process dies in one of them the other may never return: it is not waited for then. */
export async function besideEachOther(...tasks: readonly Promise<unknown>[]): Promise<void> {
  const died = Promise.withResolvers<never>();
  died.promise.catch(() => {});
  for (const task of tasks) task.catch((error: unknown) => error instanceof Crash && died.reject(error));
  const outcomes = await Promise.race([Promise.allSettled(tasks), died.promise]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

export interface Scenario {
  /** Makes the state the use-case starts from. */
  readonly prepare: () => Promise<{ readonly world: World; readonly model: Model }>;
  /** The use-case; errors of the store are its own to meet, a Crash ends it. */
  readonly act: (p: Process, model: Model) => Promise<unknown>;
  /** Objects are missing on purpose. */
  readonly isDamaged?: boolean;
  /** What whoever comes next does, and what must hold then. */
  readonly then?: (p: Process) => Promise<void>;
}

export interface CrashReport {
  readonly calls: number;
  readonly runs: number;
  /** Different states that were left, each of them recovered from. */
  readonly states: number;
}

/** `every` > 1 takes only every n-th call, for longer scenarios. */
export async function crashEverywhere(scenario: Scenario, every = 1): Promise<CrashReport> {
  const prepared = await scenario.prepare();
  const calm = { world: prepared.world.clone(), model: prepared.model.clone() };
  const counting = new CountingPlan();
  await scenario.act(calm.world.start({ plan: counting }), calm.model);
  await settle(calm.world, calm.model, 'without a crash', scenario);
  const settled = new Set<string>();
  let runs = 0;
  for (const mode of ['before', 'after', 'after-error'] as const)
    for (let at = 1; at <= counting.calls; at += every) {
      await crashOnce(
        scenario,
        { world: prepared.world.clone(), model: prepared.model.clone() },
        { at, mode, settled },
      );
      runs += 1;
    }
  return { calls: counting.calls, runs, states: settled.size };
}

async function crashOnce(
  scenario: Scenario,
  { world, model }: { readonly world: World; readonly model: Model },
  { at, mode, settled }: { readonly at: number; readonly mode: FaultMode; readonly settled: Set<string> },
): Promise<void> {
  const plan = new CountingPlan(at, mode);
  const p = world.start({ plan });
  let failure: unknown;
  try {
    await scenario.act(p, model);
  } catch (error) {
    if (!(error instanceof Crash) && !isPocketfulError(error)) throw error;
    failure = error;
  }
  if (failure === undefined) expect(mode).toBe('after-error');
  const state = await durableState(world, [...model.items()]);
  if (settled.has(state)) return;
  settled.add(state);
  await settle(world, model, `call ${at} (${plan.hit}) ${mode}`, scenario);
}

/** A new process recovers; all is sound; after one more pass nothing is left over. */
async function settle(world: World, model: Model, when: string, { isDamaged, then }: Scenario): Promise<void> {
  try {
    const p = world.start({ othersDead: true });
    await expectListed(p); // recovering mends them
    if (!isDamaged) await expectUndamaged(p);
    await recover(p.volumes, p.frontend, { sweep: true });
    await model.expectIn(p);
    await expectSound(p);
    if (then !== undefined) {
      await then(p);
      await model.expectIn(world.start());
      await expectSound(p);
    }
    const rows: string[] = [];
    for await (const page of p.components.panda.scan()) for (const row of page) rows.push(row.partition);
    expect(rows.filter((partition) => partition.startsWith('work/'))).toEqual([]);
  } catch (error) {
    if (error instanceof Error) error.message = `${when}: ${error.message}`;
    throw error;
  }
}
