// Planted in the journal of the metadata: shipping, merging, and deleting what nobody needs.
import type { Plant } from './plant.ts';

export const IN_JOURNAL: readonly Plant[] = [
  {
    name: 'journal-on-too-few-drives',
    profile: 'journal',
    file: 'lib/journal/shelves.ts',
    find: 'if (took.length >= Math.max(1, this.copies)) return took;',
    replace: 'if (took.length >= 1) return took;',
  },
  {
    name: 'cursor-moves-before-the-segment-is-there',
    profile: 'journal',
    file: 'lib/journal/ship.ts',
    find: '  const segment = await written(',
    replace: '  if (!(await ports.source.advance(before, next))) return undefined;\n  const segment = await written(',
    also: [
      {
        file: 'lib/journal/ship.ts',
        find: 'return (await ports.source.advance(before, next)) ? { cursor: next, segment } : undefined;',
        replace: 'return { cursor: next, segment };',
      },
    ],
  },
  {
    name: 'what-is-gone-is-not-shipped',
    profile: 'journal',
    file: 'lib/journal/ship.ts',
    find: '    else yield row;\n}',
    replace: '    else if (row.image !== undefined) yield row;\n}',
  },
  {
    name: 'merge-keeps-the-first-image',
    profile: 'journal',
    file: 'lib/journal/segments.ts',
    find: '      newest = row;\n',
    replace: '      newest = least;\n',
  },
];
