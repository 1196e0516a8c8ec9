// An open store as the operator's use-cases see it, whichever engine holds it together.
import type { Frontend } from '../../frontend/frontend.ts';
import type { Stream } from '../../stream/stream.ts';
import type { Components } from '../../volume/rows/components.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';

export interface EngineStore {
  readonly components: Components;
  readonly volumes: VolumeStore;
  readonly frontend: Frontend;
  /** Between the drainer and the workers of L3. */
  readonly queue: Stream;
}
