// All planted bugs.
import { IN_COMPACTION } from './in-compaction.ts';
import { IN_DRIVES } from './in-drives.ts';
import { IN_FRONTEND } from './in-frontend.ts';
import { IN_JOURNAL } from './in-journal.ts';
import { IN_STEPS } from './in-steps.ts';
import { IN_VOLUME } from './in-volume.ts';
import type { Plant } from './plant.ts';

export const PLANTS: readonly Plant[] = [
  ...IN_FRONTEND,
  ...IN_COMPACTION,
  ...IN_STEPS,
  ...IN_VOLUME,
  ...IN_DRIVES,
  ...IN_JOURNAL,
];
