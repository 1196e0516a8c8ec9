// Rows as they are, with every transaction noted, and a way to answer it otherwise.
import type { Panda, Write } from '../../../lib/panda/panda.ts';
import { World } from '../../store/harness.ts';

export type Answer = (writes: readonly Write[], inner: Panda) => Promise<void>;

/** A process on a new store whose transactions `answer` may give; what it wrote, in words. */
export function watchedProcess(seed = 1) {
  const world = new World(seed);
  const state: { answer: Answer | undefined } = { answer: undefined };
  const writes: string[] = [];
  const panda = new Proxy(world.panda as Panda, {
    get(inner, name) {
      if (name === 'transact')
        return (all: readonly Write[]) => {
          writes.push(all.map(({ kind, partition, sort }) => `${kind} ${partition} ${sort}`).join(', '));
          return state.answer === undefined ? inner.transact(all) : state.answer(all, inner);
        };
      const value: unknown = Reflect.get(inner, name, inner);
      return typeof value === 'function' ? value.bind(inner) : value;
    },
  });
  const p = world.start({ panda });
  return { world, p, components: p.components, writes, state };
}

/** Done, and the answer is `error` all the same, once. */
export function lostOnce(state: { answer: Answer | undefined }, error: Error): void {
  state.answer = async (writes, inner) => {
    state.answer = undefined;
    await inner.transact(writes);
    throw error;
  };
}

/** Nothing is done, and nobody can tell, once. */
export function undoneOnce(state: { answer: Answer | undefined }, error: Error): void {
  state.answer = async () => {
    state.answer = undefined;
    throw error;
  };
}

/** Somebody else is quicker, once. */
export function beaten(state: { answer: Answer | undefined }, by: () => Promise<unknown>): void {
  state.answer = async (writes, inner) => {
    state.answer = undefined;
    await by();
    await inner.transact(writes);
  };
}

export const refusing =
  (error: Error): Answer =>
  () =>
    Promise.reject(error);
