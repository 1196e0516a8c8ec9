// Planted in compaction.
import type { Plant } from './plant.ts';

export const IN_COMPACTION: readonly Plant[] = [
  {
    // The host is at its old generation, where nothing of them is.
    name: 'arrivals-without-the-flip',
    aim: '15 FLIP|journal COMMIT',
    file: 'lib/compaction/move/l1-flip.ts',
    find: 'if (host === undefined || copied === undefined || !isOf(host, copied)) return false;',
    replace: 'if (host === undefined || copied === undefined) return false;',
    also: [
      {
        file: 'lib/volume/steps/flip-steps.ts',
        find: '    if: [ownedBy(run), generationIs(host.generation)],',
        replace: '    if: [ownedBy(run)],',
      },
    ],
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
];
