// The web view of whoever runs the server: how much of it is shown, and how often it looks.
import { SECOND_MS } from '../foundation/durations.ts';

/** Bytes of a form: rules of an access key are the most that one holds. */
export const FORM_BYTES_MAX = 64 * 1024;
/** Characters of a token that a person chose: fewer could be guessed. */
export const ADMIN_TOKEN_CHARACTERS_MIN = 20;
/** How long a wrong token is thought about: guessing is slow. */
export const WRONG_TOKEN_WAIT_MS = SECOND_MS;
/** Lines of a list on one page. */
export const WEB_LINES_MAX = 100;
/** Cells of the fleet's map on one page. */
export const WEB_CELLS_MAX = 600;
/** Runs, sources and remnants of a plan that are shown; it is carried out whole. */
export const WEB_RUNS_MAX = 50;
/** Pages that are updated at once; a browser keeps six connections to one host. */
export const EVENT_STREAMS_MAX = 32;
/** How often a page that is open is told of new figures. */
export const EVENT_EVERY_MS = 5 * SECOND_MS;
/** How long what was read of the store is shown to whoever asks next, at the least. */
export const WEB_LOOK_MS = 2 * SECOND_MS;
/** And so many times as long as it took to read: looking takes a tenth of the time at the most. */
export const WEB_LOOK_TIMES_MAX = 10;
/** Plans that were shown and may still be approved. */
export const PLANS_KEPT = 4;
/** Sentences that are still to be shown on the next page. */
export const NOTICES_KEPT = 64;
