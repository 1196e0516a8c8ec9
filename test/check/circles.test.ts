// Planted circles of files and of rooms, and what is none.
import { expect, it } from 'vitest';
import { circleFaults } from './circles.ts';

const faults = (files: Readonly<Record<string, string>>): string[] =>
  circleFaults(Object.entries(files).map(([path, text]) => ({ path, text }))).map(({ message }) => message);

it('finds a circle of three files, types and dynamic imports included', () => {
  expect(
    faults({
      'lib/volume/a.ts': `import { b } from './b.ts';`,
      'lib/volume/b.ts': `import type { C } from './c.ts';`,
      'lib/volume/c.ts': `export const a = await import('./a.ts');`,
    }),
  ).toEqual(['imports in a circle: lib/volume/a.ts -> lib/volume/b.ts -> lib/volume/c.ts']);
});

it('finds rooms that stand on each other though no file does', () => {
  expect(
    faults({
      'lib/volume/read/a.ts': `import { b } from '../write/b.ts';`,
      'lib/volume/write/b.ts': `export const b = 1;`,
      'lib/volume/write/c.ts': `import { d } from '../read/d.ts';`,
      'lib/volume/read/d.ts': `export const d = 1;`,
    }),
  ).toEqual([
    'rooms import each other in a circle: lib/volume/read/a.ts -> lib/volume/write/b.ts, lib/volume/write/c.ts -> lib/volume/read/d.ts',
  ]);
});

it("lets a diamond, a part's root and tests pass", () => {
  expect(
    faults({
      'lib/volume/read/a.ts': `import { s } from '../store.ts';\nimport { d } from '../rows/d.ts';`,
      'lib/volume/store.ts': `import { d } from './read/d.ts';`,
      'lib/volume/read/d.ts': `import { d } from '../rows/d.ts';`,
      'lib/volume/rows/d.ts': `export const d = 1;`,
      'test/x/a.ts': `import { b } from './b.ts';`,
      'test/x/b.ts': `import { a } from './a.ts';`,
    }),
  ).toEqual([]);
});
