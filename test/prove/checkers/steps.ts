// The edges that the state machines of rows have, and what is to be seen of them. Any other edge is a fault.
import type { CoverageFigures } from './coverage.ts';

/** `machine before -> after`. A volume that begins in trash is what a flip leaves behind: the extents its host had. */
const EDGES: ReadonlySet<string> = new Set([
  'block none -> live',
  'block live -> live',
  'block live -> trash',
  'block trash -> trash',
  'block trash -> live',
  'block trash -> none',
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

const CRASHES = ['dies-before', 'dies-after', 'fails-before', 'fails-after', 'done-late'];

export interface CoverageSums {
  readonly steps: number;
  /** A step that changes something, and each way in which its call may be cut off. */
  readonly crashPoints: { readonly seen: number; readonly of: number };
  readonly edges: { readonly seen: number; readonly of: number };
  readonly missing: readonly string[];
}

export function coverageOf({ points, edges }: CoverageFigures): CoverageSums {
  const outcomes = new Map<string, Set<string>>();
  for (const name of Object.keys(points)) {
    const at = name.lastIndexOf(': ');
    const step = name.slice(0, at);
    outcomes.set(step, (outcomes.get(step) ?? new Set()).add(name.slice(at + 2)));
  }
  const seen = new Set(Object.keys(edges).map(edgeOf));
  const missing = [...EDGES].filter((edge) => !seen.has(edge));
  let crashPoints = 0;
  for (const of of outcomes.values()) for (const crash of CRASHES) if (of.has(crash)) crashPoints += 1;
  return {
    steps: outcomes.size,
    crashPoints: { seen: crashPoints, of: outcomes.size * CRASHES.length },
    edges: { seen: EDGES.size - missing.length, of: EDGES.size },
    missing,
  };
}
