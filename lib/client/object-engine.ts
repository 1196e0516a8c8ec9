// The objects of an engine as a server in front of it sees them, where nothing needs doing before a put or after it.
import type { Frontend } from '../frontend/frontend.ts';
import type { Components } from '../volume/rows/components.ts';
import type { ObjectEngine } from './face.ts';

export interface EngineParts {
  readonly frontend: Frontend;
  readonly components: Pick<Components, 'clock' | 'randomness'>;
}

export const objectEngineOf = ({ frontend, components: { clock, randomness } }: EngineParts): ObjectEngine => ({
  clock,
  randomness,
  putAll: (items) => frontend.putAll(items),
  deleteAll: (items) => frontend.deleteAll(items),
  get: (...args) => frontend.get(...args),
  read: (...args) => frontend.read(...args),
  head: (...args) => frontend.head(...args),
  list: (...args) => frontend.list(...args),
  compose: (...args) => frontend.compose(...args),
});
