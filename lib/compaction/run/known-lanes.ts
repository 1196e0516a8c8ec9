// Which namespaces an operator keeps apart, as a process knows it: asked for again after a while. It is a wish and no
// promise: what is put elsewhere until everybody has heard of it lies where it was put, and is as safe.

import { Believed } from '../../foundation/believed.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import { LANES_KNOWN_MS } from '../../limits/volume.ts';
import type { Components } from '../../volume/rows/components.ts';
import { laneOfNamespace } from '../../volume/rows/lane-numbers.ts';
import { apartOf } from '../plan/operating-settings.ts';
import { readOperating } from './operating-row.ts';

const NONE: ReadonlySet<string> = new Set();

export function knownLanes({ panda, clock }: Pick<Components, 'panda' | 'clock'>): NonNullable<Components['laneOf']> {
  const apart = new Believed({
    clock,
    forMs: LANES_KNOWN_MS,
    keptMax: 1,
    ask: async () => apartOf(await readOperating({ panda })),
  });
  return async (namespace): Promise<Lane> => {
    const names = await apart.of('').catch((error: unknown) => {
      // No put fails for it.
      if (isPocketfulError(error)) return NONE;
      throw error;
    });
    return names.has(namespace) ? laneOfNamespace(namespace) : SHARED_LANE;
  };
}
