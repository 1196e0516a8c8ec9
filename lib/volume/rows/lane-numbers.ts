// The lane of a namespace that is kept apart. It follows from the name, so that nobody has to hand numbers out, and a
// namespace that is kept apart again has the lane it had. No name is in a volume's row.
import { createHash } from 'node:crypto';
import type { Lane } from '../../foundation/lane.ts';
import { LANE_NUMBERS } from '../../limits/volume.ts';

/** 1 .. LANE_NUMBERS: two of the few names there may be that had the same one would only share volumes. */
export const laneOfNamespace = (namespace: string): Lane =>
  1 + (createHash('sha256').update(`pocketful lane of ${namespace}`).digest().readUInt32BE() % LANE_NUMBERS);
