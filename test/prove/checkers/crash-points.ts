// Which crash points a run has to see: every step that changes something, cut off in every way. And which it cannot: with the reason.
import { PROTOCOL_STEPS } from './protocol-steps.ts';

/** Calls that change something and are no transaction. */
const OTHER_STEPS: readonly string[] = [
  'drive append',
  'drive erase',
  'stream send',
  'stream receive',
  'stream ack',
  'stream release',
  'keys rotate',
  'keys destroy',
];

/** Calls that only read, whose answers may come late: what is decided by them is out of date. */
export const READ_STEPS: readonly string[] = [
  'drive read',
  'panda getMany block',
  'panda getMany object',
  'panda get bucket',
  'panda get volume',
  'panda get dead',
  'panda get work',
  'panda getMany volume',
  'panda query volume',
  'panda query open',
  'panda query bucket',
  'panda query block',
  'panda query trash',
  'panda query work',
  'panda query segment',
  'panda query zone',
];

export const CRASH_STEPS: readonly string[] = [...PROTOCOL_STEPS, ...OTHER_STEPS];
