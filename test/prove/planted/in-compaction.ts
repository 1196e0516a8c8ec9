// Planted in compaction.
import type { Plant } from './plant.ts';

export const IN_COMPACTION: readonly Plant[] = [
  {
    name: 'flip-forgets-arrivals-of-the-dead',
    aim: '15 ',
    file: 'lib/compaction/move/l1-flip.ts',
    find: '  await commitArrivals(store, journal.run, { id: host.id, ...copied }, copied.buckets);\n  return true;',
    replace: '  return true;',
  },
  {
    name: 'next-extents-are-not-dropped',
    file: 'lib/compaction/move/l1-flip.ts',
    find: '    await dropNext(store, row.run, now);\n    await endSource(store, now, row.run);',
    replace: '    await endSource(store, now, row.run);',
  },
  {
    name: 'drained-message-of-another-move',
    aim: 'stream|11 COMMIT',
    file: 'lib/compaction/move/l3/stream-runs.ts',
    find: '      bucket?.volume === message.source &&\n      bucket.move === message.move;',
    replace: '      bucket !== undefined;',
  },
  {
    name: 'drainer-run-ends-while-it-drains',
    aim: 'stream',
    file: 'lib/compaction/do/drainer.ts',
    find: 'if (left > 0) return true;',
    replace: 'if (left > 3) return true;',
  },
];
