// The search over the model of moves and flips, by a cast of one letter an actor.
import { type ActorName, type MovesCondition, movesStart, movesSteps, movesViolation } from './moves-protocol.ts';
import { type Found, searchModel } from './search.ts';

export const searchMoves = (cast: string, off: ReadonlySet<MovesCondition> = new Set()): Found =>
  searchModel({
    start: movesStart([...cast] as ActorName[]),
    stepsOf: (state) => movesSteps(state, off),
    violationOf: movesViolation,
  });
