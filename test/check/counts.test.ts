// Stale numbers, unknown names, and numbers that hold.
import { expect, it } from 'vitest';
import { countFaults } from './counts.ts';

const files = ['test/a.test.ts', 'test/b.test.ts', 'test/b.long.test.ts', 'test/localstack/c.test.ts'];
const faults = (text: string): string[] =>
  countFaults([{ path: 'README.md', text }, ...files.map((path) => ({ path, text: '' }))]).map(
    ({ message }) => message,
  );

it('holds a number against what is there', () => {
  expect(faults('<!-- count unit-test-files -->2 files, <!-- count long-test-files -->1')).toEqual([]);
  expect(faults('<!-- count unit-test-files -->3 files')).toEqual(['says 3 unit-test-files, and there are 2']);
  expect(faults('<!-- count localstack-test-files -->2')).toEqual(['says 2 localstack-test-files, and there are 1']);
});

it('knows no other names', () => {
  expect(faults('<!-- count lines -->3')).toEqual(['nothing called lines is counted']);
});
