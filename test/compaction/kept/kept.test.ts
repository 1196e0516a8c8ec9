// Plans where much is as good as something else, or just at a bound: small fleets of equal volumes, fills and budgets to the byte, lanes, ages to the
// millisecond. Line by line what they were when somebody last looked at them.
import fs from 'node:fs';
import { expect, it } from 'vitest';
import { KEPT, keptFile } from './kept.ts';

it.each(Object.entries(KEPT))('%s are what they were', (name, lines) => {
  expect([...lines(), '']).toEqual(fs.readFileSync(keptFile(name), 'utf8').split('\n'));
});
