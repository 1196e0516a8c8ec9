// Panda's answers get lost: a use-case is run again and again, each time with the answer of another transaction lost. Whether it was done
// or not, no caller sees a difference, and nothing is there twice, missing or left over.
import { expect } from 'vitest';
import { scriptedPlan } from '../../lib/foundation/faults.ts';
import { durableState } from '../store/durable-state.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import type { UseCase } from './use-cases.ts';

/** The transactions that were sent again although they had been done (what they write): all others are looked up. */
export async function loseEveryAnswer({ prepare, act }: UseCase): Promise<string[]> {
  const prepared = await prepare();
  const run = async (at: number, mode: 'after-error' | 'before-error') => {
    const world = prepared.world.clone();
    const model = prepared.model.clone();
    const lost = { transactions: 0, what: '' };
    const plan = scriptedPlan(({ operation }, detail) => {
      if (operation !== 'transact' || ++lost.transactions !== at) return 'none';
      lost.what = namesOf(detail);
      return mode;
    });
    const p = world.start({ plan });
    try {
      const told = toldOf(await act(p, model));
      const seen = `${JSON.stringify(rowsIn(world))} ${told}`;
      return { ...lost, seen, world, model };
    } catch (error) {
      throw new Error(`transaction ${at} (${lost.what}) ${mode}: ${error}`, { cause: error });
    }
  };
  const calm = await run(0, 'after-error');
  const state = await durableState(calm.world, []);
  const sentAgain: string[] = [];
  for (const mode of ['after-error', 'before-error'] as const)
    for (let at = 1; at <= calm.transactions; at++) {
      const { what, seen, world, model } = await run(at, mode);
      if (seen !== calm.seen) expect([at, what, mode, seen]).toEqual([at, what, mode, calm.seen]);
      // Time passed before it was sent again, and other numbers were drawn: the rest has other names.
      if ((await durableState(world, [])) === state) continue;
      if (mode === 'after-error') sentAgain.push(what);
      const p = world.start();
      await model.expectIn(p);
      await expectSound(p);
    }
  return [...new Set(sentAgain)].sort();
}

/** How many there are of each table. */
export function rowsIn(world: World): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { partition } of world.panda.snapshot()) {
    const table = partition.split('/')[0] as string;
    counts[table] = (counts[table] ?? 0) + 1;
  }
  return counts;
}

/** `update volume, put bucket`: what is written without the keys. */
export const namesOf = (detail: string): string =>
  [
    ...new Set(
      [...detail.matchAll(/(?:^| )(put|update|delete|check) ([^/| ]+)/g)].map(([, kind, table]) => `${kind} ${table}`),
    ),
  ].join(', ');

/** Without ids and times. */
export const toldOf = (result: unknown): string => JSON.stringify(result ?? '').replaceAll(/[0-9a-f]{8,}/g, '#');
