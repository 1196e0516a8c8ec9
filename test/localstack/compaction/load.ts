// What is put into the deployed stage for its compaction, which of it is deleted, and what of that only when the schedules are on.
import { createHash } from 'node:crypto';
import { present } from '../../../lib/foundation/assert.ts';
import { realPieces } from '../pieces.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Enough for forty volumes of the stage, and for ten of what is left: below that nobody speaks of overhead. Four pieces fill a bucket. */
export const PIECES = realPieces(61e6, 15_200);
const PIECE_COUNT = PIECES.length;

/**
 * What is deleted lies together, so that each strategy finds volumes of its range: L3 those of which a twentieth lives, L2 those of a
 * quarter, L1 those of not quite half.
 */
export const PARTS = [
  { until: 0.25, livePercent: 5 },
  { until: 0.625, livePercent: 24 },
  { until: 1, livePercent: 45 },
].map(({ until, livePercent }) => ({ end: Math.floor(until * PIECE_COUNT), livePercent }));
/** What goes hot, and how much of that in one put: less than a bulk put has. */
export const HOT_PIECES = Math.floor(PIECE_COUNT / 10);
export const FEW_PIECES = 150;
const forget = (index: number): boolean =>
  (index * 37) % 100 >=
  present(
    PARTS.find(({ end }) => index < end),
    'a part of it',
  ).livePercent;
/** Half of the first part is deleted when the schedules are on. */
const isLater = (index: number): boolean => index < PIECE_COUNT / 4 && index >= PIECE_COUNT / 8;
export const goneNow = (later: boolean): string[] =>
  PIECES.filter((_, i) => forget(i) && isLater(i) === later).map(({ key }) => key);

/** Keys of what stays, with what they must read as. */
export const SURVIVORS: ReadonlyMap<string, string> = new Map(
  PIECES.filter((_, i) => !forget(i)).map(({ key, bytes }) => [key, sha256(bytes)]),
);

export const requestOf = ({ key, bytes }: (typeof PIECES)[number]) => ({
  key,
  body: async function* () {
    yield bytes;
  },
});
