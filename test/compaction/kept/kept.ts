// What planners make of seeded cases, kept line by line: a file of lines for every kind of case. Where a change is meant: npm run kept,
// and read the difference.
import { closeFigureLines } from './close-figures.ts';
import { closeMergeLines } from './close-merges.ts';
import { closePlanLines } from './close-plans.ts';

export const KEPT: Readonly<Record<string, () => readonly string[]>> = {
  'close-figures': closeFigureLines,
  'close-plans': closePlanLines,
  'close-merges': closeMergeLines,
};

export const keptFile = (name: string): URL => new URL(`${name}.txt`, import.meta.url);
