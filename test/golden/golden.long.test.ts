// What is found of damage and made again, and every call of every use-case, as it was when somebody last looked: see golden.test.ts.
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { goldenFile, LONG_GOLDEN, partsOf, partText } from './golden.ts';

describe.each(Object.entries(LONG_GOLDEN).filter(([name]) => name !== 'overtaken'))('%s', (name, parts) => {
  it.each(Object.entries(parts))('%s', async (part, lines) => {
    const expected = partsOf(fs.readFileSync(goldenFile(name), 'utf8')).get(part);
    expect(partText(part, await lines()).split('\n')).toEqual(expected?.split('\n'));
  });
});
