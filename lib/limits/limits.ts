// All bounds of the program in one object. What must hold between them is in relations.ts.
import * as bytes from './bytes.ts';
import * as compaction from './compaction.ts';
import * as engine from './engine.ts';
import * as frontend from './frontend.ts';
import * as gateway from './gateway.ts';
import * as journal from './journal.ts';
import * as panda from './panda.ts';
import * as reads from './reads.ts';
import * as stage from './stage.ts';
import * as verify from './verify.ts';
import * as volume from './volume.ts';
import * as web from './web.ts';

export const ROOMS = {
  bytes,
  compaction,
  engine,
  frontend,
  gateway,
  journal,
  panda,
  reads,
  stage,
  verify,
  volume,
  web,
} as const;

/** Of all rooms: a name stands for one bound only. */
export const LIMITS = {
  ...bytes,
  ...compaction,
  ...engine,
  ...frontend,
  ...gateway,
  ...journal,
  ...panda,
  ...reads,
  ...stage,
  ...verify,
  ...volume,
  ...web,
};

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };
