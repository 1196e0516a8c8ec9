// What is asked of drives for records, buckets, directories and looks, and what comes of it, as it was when somebody last looked: see golden.test.ts.
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { goldenFile, partsOf, partText } from '../golden.ts';
import { READS } from './reads.ts';

describe('requests of reads', () => {
  it.each(Object.entries(READS))('%s', async (part, lines) => {
    const expected = partsOf(fs.readFileSync(goldenFile('reads'), 'utf8')).get(part);
    expect(partText(part, await lines()).split('\n')).toEqual(expected?.split('\n'));
  });
});
