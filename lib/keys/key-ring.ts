// The versions of a KEK and how they change, whatever a body keeps of each (the key, or its ciphertext): pure functions
// that every body shares.
import { assert } from '../foundation/assert.ts';
import { denied, invalid, type PocketfulError } from '../foundation/errors.ts';
import type { KekVersion } from './keys.ts';

/** A version and what is kept of its key; nothing once it is destroyed. */
export interface KeyRingEntry<Material> extends KekVersion {
  readonly material?: Material;
}

/** Versions 1, 2, 3 … in this order; the last is `current` and has material. */
export type KeyRing<Material> = readonly KeyRingEntry<Material>[];

export const versionsOf = <Material>(ring: KeyRing<Material>): KekVersion[] =>
  ring.map(({ version, createdAtMs, state }) => ({ version, createdAtMs, state }));

export const nextVersion = <Material>(ring: KeyRing<Material>): number => ring.length + 1;

export function withNextVersion<Material>(
  ring: KeyRing<Material>,
  material: Material,
  nowMs: number,
): KeyRing<Material> {
  const earlier = ring.map((entry) => (entry.state === 'current' ? { ...entry, state: 'previous' as const } : entry));
  const createdAtMs = Math.max(0, Math.trunc(nowMs));
  return [...earlier, { version: nextVersion(ring), createdAtMs, state: 'current', material }];
}

/** The same ring if the version is destroyed already. */
export function withoutMaterial<Material>(ring: KeyRing<Material>, version: number): KeyRing<Material> {
  const found = ring[version - 1];
  if (found === undefined) throw noSuchVersion(version);
  if (found.state === 'current')
    throw invalid('KEK_CURRENT', `KEK version ${version} is the current one: rotate before you destroy it`);
  if (found.state === 'destroyed') return ring;
  return ring.with(version - 1, { version, createdAtMs: found.createdAtMs, state: 'destroyed' });
}

export function materialOf<Material>(ring: KeyRing<Material>, version: number): Material {
  const found = ring[version - 1];
  if (found === undefined) throw noSuchVersion(version);
  if (found.state === 'destroyed')
    throw denied('KEK_DESTROYED', `KEK version ${version} is destroyed: what it alone wrapped cannot be read any more`);
  assert(found.material !== undefined, `KEK version ${version} has no material`);
  return found.material;
}

export function currentOf<Material>(ring: KeyRing<Material>): KekVersion {
  const last = ring.at(-1);
  assert(last?.state === 'current', 'the last KEK version is the current one');
  return { version: last.version, createdAtMs: last.createdAtMs, state: last.state };
}

/** What is wrong with a ring that was read from somewhere; undefined if it is sound. */
export function ringFault<Material>(ring: KeyRing<Material>): string | undefined {
  if (ring.length === 0) return 'it holds no key';
  if (ring.some((entry, i) => entry.version !== i + 1)) return 'its versions are not 1, 2, 3 …';
  if (ring.some((entry, i) => (entry.state === 'current') !== (i === ring.length - 1)))
    return 'its last version is not the only current one';
  if (ring.some((entry) => (entry.material === undefined) !== (entry.state === 'destroyed')))
    return 'a version has no key, or a destroyed one has';
  return undefined;
}

const noSuchVersion = (version: number): PocketfulError =>
  denied('KEK_MISSING', `there is no KEK version ${version} here: these keys may be older than the data`);
