// Where a main thread was, out of a profile of it: a sample belongs to the index if anything on its stack does.
import type { Profiler, Runtime } from 'node:inspector';
import { pathToFileURL } from 'node:url';

/** Planning, checking, encoding and storing rows: what a put does beside its bytes. */
const INDEX = [/^lib\/panda\//, /^lib\/frontend\/(index-|named\/|removed\/)/, /^lib\/volume\/(rows|steps)\//];
/** Shipping the journal reads rows too, and is no part of a put. */
const ELSE = [/sqlite-journal\.ts$/, /^lib\/(journal|engine)\//];

/** Both without those of COMMIT, which waits for the disk. */
export interface Samples {
  readonly all: number;
  readonly index: number;
}

/** `commit`: the function that all COMMITs go through. */
export function samplesOf(profile: Profiler.Profile, root: string, commit: string): Samples {
  const base = pathToFileURL(`${root}/`).href;
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const stackOf = (id: number | undefined): Runtime.CallFrame[] =>
    id === undefined ? [] : [(byId.get(id) as Profiler.ProfileNode).callFrame, ...stackOf(parents.get(id))];
  const kinds = new Map(profile.nodes.map(({ id }) => [id, kindOf(stackOf(id), base, commit)]));
  const samples = (profile.samples ?? []).map((id) => kinds.get(id));
  return {
    all: samples.filter((kind) => kind !== 'not counted').length,
    index: samples.filter((kind) => kind === 'index').length,
  };
}

function kindOf(stack: readonly Runtime.CallFrame[], base: string, commit: string): 'not counted' | 'index' | 'else' {
  const names = stack.map(({ functionName }) => functionName);
  if (names[0] === '(idle)' || names.includes(commit)) return 'not counted';
  const places = stack.map(({ url }) => url.replace(base, ''));
  const has = (patterns: readonly RegExp[]): boolean =>
    places.some((place) => patterns.some((pattern) => pattern.test(place)));
  return has(INDEX) && !has(ELSE) ? 'index' : 'else';
}
