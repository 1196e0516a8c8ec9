// Files of lines: what pure parts make of many seeded cases.
import { USE_CASES } from '../faults/use-cases.ts';
import { boundLines, cutLines } from './bounds.ts';
import { COMPACTION_CASES } from './cases/compaction-cases.ts';
import { MORE_CASES } from './cases/more-cases.ts';
import { RARER_CASES } from './cases/rarer-cases.ts';
import { SELDOM_CASES } from './cases/seldom-cases.ts';
import { choiceLines } from './choices.ts';
import { CODECS, damageLines } from './damage.ts';
import { figureLines } from './figures.ts';
import { INTERRUPTIONS, interruptedLines } from './interrupted.ts';
import { BEHIND_STEPS } from './meanwhile/behind-steps.ts';
import { meanwhileLines } from './meanwhile/lines.ts';
import { OPEN_STEPS } from './meanwhile/open-steps.ts';
import { POOL_STEPS } from './meanwhile/pool-steps.ts';
import { REPAIR_STEPS } from './meanwhile/repair-steps.ts';
import { RESUMED_STEPS } from './meanwhile/resumed-steps.ts';
import { RUN_STEPS } from './meanwhile/run-steps.ts';
import { WRITE_STEPS } from './meanwhile/write-steps.ts';
import { overtakenLines } from './overtaken.ts';
import { OVERTAKES } from './overtaking.ts';
import { manyPlanLines, packingLines } from './packings.ts';
import { mergeLines, planLines, problemLines } from './planning.ts';
import { spareLines } from './spare.ts';
import { stepLines } from './steps.ts';
import { transcriptOf } from './transcripts.ts';

export const GOLDEN: Readonly<Record<string, () => readonly string[] | Promise<readonly string[]>>> = {
  bounds: async () => [...boundLines(), ...(await cutLines())],
  figures: figureLines,
  plans: planLines,
  'many-plans': manyPlanLines,
  packings: packingLines,
  problems: problemLines,
  merges: mergeLines,
  choices: () => [...choiceLines(), ...spareLines()],
  steps: stepLines,
};

/** But for those where several are at work: their calls come in an order of their own. */
const ALL_CASES = Object.fromEntries(
  Object.entries({ ...USE_CASES, ...MORE_CASES, ...COMPACTION_CASES, ...RARER_CASES, ...SELDOM_CASES }).filter(
    ([name]) => !name.includes('beside'),
  ),
);

const STEPS = {
  ...OPEN_STEPS,
  ...POOL_STEPS,
  ...WRITE_STEPS,
  ...RUN_STEPS,
  ...REPAIR_STEPS,
  ...RESUMED_STEPS,
  ...BEHIND_STEPS,
};

/** Long ones of which every part is in another case that is interrupted. */
const CALM_ONLY = ['stable', 'plan files', 'schedule', 'again and again', '1970'];

/** Of which every place takes long. */
const SLOW = ['reads of all', 'read together'];
const placesOneOf = (name: string): number => (SLOW.some((part) => name.includes(part)) ? 4 : 1);

/** As many tests, each of which is short; and so below. */
const interrupted = Object.entries(ALL_CASES)
  .filter(([name]) => !CALM_ONLY.some((part) => name.includes(part)))
  .flatMap(([name, useCase]) =>
    Object.entries(INTERRUPTIONS).map(([calls, some]): [string, () => Promise<readonly string[]>] => [
      `${name}: ${calls}`,
      () => interruptedLines(useCase, some, { everyAnswer: name in RARER_CASES, every: placesOneOf(name) }),
    ]),
  );

/** Every case with each of what may overtake it. */
const overtaken = Object.entries(ALL_CASES).flatMap(([name, useCase]) =>
  Object.keys(OVERTAKES).map((by): [string, () => Promise<readonly string[]>] => [
    `${name}, overtaken by ${by}`,
    () => overtakenLines(useCase, by, placesOneOf(name)),
  ]),
);

/** Those that take seconds, each of its part alone (golden.long.test.ts): the first line of a part begins it, the others are indented. `overtaken` is a test by itself. */
export const LONG_GOLDEN: Readonly<Record<string, Readonly<Record<string, () => Promise<readonly string[]>>>>> = {
  damage: Object.fromEntries(CODECS.map((codec) => [codec, () => damageLines(codec)])),
  transcripts: Object.fromEntries(
    Object.entries(ALL_CASES).map(([name, useCase]) => [name, () => transcriptOf(useCase)]),
  ),
  meanwhile: Object.fromEntries(Object.entries(STEPS).map(([name, step]) => [name, () => meanwhileLines(step)])),
  interrupted: Object.fromEntries(interrupted),
  overtaken: Object.fromEntries(overtaken),
};

export const partText = (name: string, lines: readonly string[]): string =>
  [name, ...lines.map((line) => `  ${line}`), ''].join('\n');

/** The parts of such a file, by name. */
export function partsOf(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^(?=\S)/m);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part]));
}

export const goldenFile = (name: string): URL => new URL(`lines/${name}.txt`, import.meta.url);
