// Names of objects: in the history they are one word each, in the store a namespace and a key. The same keys are in both namespaces.
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { SimWorld } from './sim-world.ts';

export const NAMESPACE = 'n';
const OTHER = 'm';
export const NAMESPACES: readonly string[] = [NAMESPACE, OTHER];
/** Few keys, so that clients meet. */
const HOT_KEYS = 5;

/** Where the object of a name is. */
export const addressOf = (name: string): { readonly namespace: string; readonly key: string } =>
  name.startsWith(`${OTHER}:`) ? { namespace: OTHER, key: name.slice(2) } : { namespace: NAMESPACE, key: name };

export const nameOf = (namespace: string, key: string): string =>
  namespace === NAMESPACE ? key : `${namespace}:${key}`;

export function drawnKey(world: SimWorld, random: SeededRandomness): string {
  if (random.below(3) > 0) {
    const hot = `hot${random.below(Math.min(world.plan.hotKeys, HOT_KEYS))}`;
    return random.below(6) === 0 ? nameOf(OTHER, hot) : hot;
  }
  const names = world.history.keys();
  return names[random.below(names.length + 1)] ?? `new${random.below(20)}`;
}
