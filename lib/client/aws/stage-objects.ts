// The objects of a stage for a server on this host, which reads and writes the stage's parts itself. As on a store in a
// directory, what comes in large amounts goes past the hot tier: all that is under way here shares the same groups.
import { PutTally } from '../../engine/status/put-tally.ts';
import { Frontend } from '../../frontend/frontend.ts';
import { bulkWriterOf } from '../../live-coder/bulk-coder.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { ObjectEngine } from '../face.ts';
import { objectEngineOf } from '../object-engine.ts';

export function stageObjects({ volumes }: { readonly volumes: VolumeStore }): ObjectEngine {
  const { components } = volumes;
  const bulk = bulkWriterOf(volumes);
  const tally = new PutTally(components, bulk);
  const engine = objectEngineOf({ components, frontend: new Frontend(volumes, undefined, bulk) });
  return {
    ...engine,
    putAll: (items) => tally.counted(engine.putAll(items)),
    tally: () => tally.write(),
  };
}
