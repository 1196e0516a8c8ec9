// The same histories as in ship.test.ts, ten thousand of them.
import { expect, it } from 'vitest';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { playHistory } from './histories.ts';

const folder = temporaryFolder();
const HISTORIES = Number(process.env['JOURNAL_HISTORIES'] ?? 10_000);

it(`${HISTORIES} histories fit the model`, { timeout: 3_600_000 }, async () => {
  let played = 0;
  for (let seed = 1000; seed < 1000 + HISTORIES; seed++, played++) await playHistory(folder, seed);
  expect(played).toBe(HISTORIES);
});
