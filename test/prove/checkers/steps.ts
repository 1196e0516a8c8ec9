// The edges that the state machines of rows have, and what is to be seen of them. Any other edge is a fault.
import { CRASHES } from '../faults/target.ts';
import type { CoverageFigures } from './coverage.ts';
import { CRASH_STEPS } from './crash-points.ts';
import { PROTOCOL_STEPS } from './protocol-steps.ts';

/** `machine before -> after`. A volume that begins in trash is what a flip leaves behind: the extents its host had. */
const EDGES: ReadonlySet<string> = new Set([
  'block none -> live',
  'block live -> live',
  'block live -> trash',
  'block trash -> trash',
  'block trash -> live',
  'block trash -> none',
  // Of a put by plain writes whose object never came.
  'block live -> none',
  'volume none -> open',
  'volume none -> trash',
  'volume open -> open',
  'volume open -> sealed',
  'volume sealed -> sealed',
  'volume sealed -> draining',
  'volume draining -> draining',
  'volume draining -> sealed',
  'volume draining -> trash',
  // One retired by a clock that had jumped ahead: its grace begins anew.
  'volume trash -> trash',
  'volume trash -> erasing',
  'volume erasing -> none',
  'zone none -> used',
  'zone free -> used',
  'zone used -> used',
  'zone used -> erasing',
  'zone erasing -> free',
]);

/** Without the call that made it. */
const edgeOf = (name: string): string => name.replace(/ -> .* -> /, ' -> ');

/** Edges there should not be, with the call that made them. */
export const strangeEdges = ({ edges }: CoverageFigures): string[] =>
  Object.keys(edges).filter((name) => !EDGES.has(edgeOf(name)));

export interface CoverageSums {
  /** Every step that changes something, and each way in which its call may be cut off. */
  readonly crashPoints: Seen;
  /** Steps of the protocols that were done. */
  readonly steps: Seen;
  /** Edges of the state machines. */
  readonly edges: Seen;
}

export interface Seen {
  readonly seen: number;
  readonly of: number;
  readonly missing: readonly string[];
}

export function coverageOf({ points, edges }: CoverageFigures): CoverageSums {
  const edgesSeen = new Set(Object.keys(edges).map(edgeOf));
  const crashPoints = CRASH_STEPS.flatMap((step) => CRASHES.map((crash) => `${step}: ${crash}`));
  return {
    crashPoints: seenOf(crashPoints, (point) => points[point] !== undefined),
    steps: seenOf(PROTOCOL_STEPS, (step) => points[`${step}: done`] !== undefined),
    edges: seenOf([...EDGES], (edge) => edgesSeen.has(edge)),
  };
}

/** Of crash points this share may be missing from a run that is long enough for all: some are seen only a few times in ten thousand seeds. */
const MISSING_SHARE_MAX = 0.05;

/** Whether something is missing that a long run has to have seen. */
export const isMissing = ({ crashPoints, steps, edges }: CoverageSums): boolean =>
  steps.missing.length > 0 || edges.missing.length > 0 || crashPoints.seen < crashPoints.of * (1 - MISSING_SHARE_MAX);

function seenOf(names: readonly string[], isSeen: (name: string) => boolean): Seen {
  const missing = names.filter((name) => !isSeen(name));
  return { seen: names.length - missing.length, of: names.length, missing };
}
