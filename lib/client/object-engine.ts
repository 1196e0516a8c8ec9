// The objects of an engine as a server in front of it sees them, where nothing needs doing before a put or after it.
import type { Frontend, PutItem } from '../frontend/frontend.ts';
import type { Components } from '../volume/rows/components.ts';
import type { ObjectEngine, PutRequest } from './face.ts';

export interface EngineParts {
  readonly frontend: Frontend;
  readonly components: Pick<Components, 'clock' | 'randomness'>;
}

/** What is to be put, as an engine of all namespaces takes it. */
export const itemIn = (namespace: string, request: PutRequest): PutItem => ({
  ...request,
  namespace,
  ifVersion: request.ifVersion as PutItem['ifVersion'],
});

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
