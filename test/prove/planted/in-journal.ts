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
    find: '    newest = head.row;\n',
    replace: '    newest = least;\n',
  },
  {
    name: 'stage-number-is-not-claimed',
    profile: 'stream',
    file: 'lib/engine/ship/stream-journal.ts',
    find: 'Math.max(cursor?.sequence ?? 0, claim?.sequence ?? 0) + 1',
    replace: '(cursor?.sequence ?? 0) + 1',
  },
  {
    name: 'stage-cursor-moves-over-anothers-claim',
    profile: 'stream',
    file: 'lib/panda/rows/journal-rows.ts',
    find: 'const clauses = clausesOf(shippingAttributes(shipping));',
    replace: 'return clausesOf(shippingAttributes({ cursor: shipping.cursor, claim: undefined }));',
    also: [
      {
        file: 'lib/panda/rows/journal-rows.ts',
        find: "  return shipping.claim === undefined ? [...clauses, { attribute: 'nq', missing: true }] : clauses;\n",
        replace: '',
      },
    ],
  },
  {
    name: 'late-batch-shipped-as-it-came',
    profile: 'stream',
    file: 'lib/engine/ship/stream-journal.ts',
    find: 'hasNews && isLate ? await',
    replace: 'false ? await',
  },
  {
    name: 'late-by-the-last-batch-alone',
    profile: 'stream',
    file: 'lib/engine/ship/stream-journal.ts',
    find: 'Math.max(cursor?.atMs ?? 0, this.#atMs)',
    replace: 'this.#atMs',
  },
  {
    name: 'stage-cursor-without-its-condition',
    profile: 'stream',
    file: 'lib/engine/ship/stream-journal.ts',
    find: 'attributes, if: condition }',
    replace: 'attributes }',
  },
  {
    name: 'what-is-late-is-read-before-the-cursor',
    profile: 'stream',
    file: 'lib/engine/ship/stream-journal.ts',
    find: '    const found = await panda.get(cursorKey);\n    this',
    replace: '    const early = await this.#asTheyAre();\n    const found = await panda.get(cursorKey);\n    this',
    also: [
      {
        file: 'lib/engine/ship/stream-journal.ts',
        find: 'isLate ? await this.#asTheyAre()',
        replace: 'isLate ? early',
      },
    ],
  },
  {
    name: 'stage-snapshot-moves-no-cursor',
    profile: 'stream',
    file: 'lib/engine/journal/stage-batch.ts',
    find: '{ movesOn: true, scansAnew }',
    replace: '{ movesOn: scansAnew, scansAnew }',
  },
  {
    name: 'restore-takes-an-epoch-that-was-seen',
    profile: 'journal',
    file: 'lib/volume/behind/raise-above-drives.ts',
    find: 'Math.max(before.epoch, epochSeen) + 1',
    replace: 'before.epoch + 1',
  },
  {
    name: 'newest-point-of-any-epoch',
    profile: 'journal',
    file: 'lib/journal/way.ts',
    find: '  a.epoch - b.epoch > 0 ||\n  (a.epoch === b.epoch &&\n',
    replace: '  (true &&\n',
  },
];
