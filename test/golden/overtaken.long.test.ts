// What use-cases tell and leave when others did theirs in between, as it was when somebody last looked: see golden.test.ts. All adds up afterwards,
// or it fails before any line is looked at.
import fs from 'node:fs';
import { expect, it } from 'vitest';
import { goldenFile, LONG_GOLDEN, partsOf, partText } from './golden.ts';

const expected = partsOf(fs.readFileSync(goldenFile('overtaken'), 'utf8'));

it.each(Object.entries(LONG_GOLDEN['overtaken'] ?? {}))('%s', async (part, lines) => {
  expect(partText(part, await lines()).split('\n')).toEqual(expected.get(part)?.split('\n'));
});
