// Files of lines: what pure parts make of many seeded cases.
import { choiceLines } from './choices.ts';
import { mergeLines, planLines, problemLines } from './planning.ts';
import { stepLines } from './steps.ts';

export const GOLDEN: Readonly<Record<string, () => readonly string[]>> = {
  plans: planLines,
  problems: problemLines,
  merges: mergeLines,
  choices: choiceLines,
  steps: stepLines,
};

export const goldenFile = (name: string): URL => new URL(`${name}.txt`, import.meta.url);
