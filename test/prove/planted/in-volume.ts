// Planted in what writes, moves, frees and reads.
import type { Plant } from './plant.ts';

export const IN_VOLUME: readonly Plant[] = [
  {
    // The token alone is held by the sequence number, and that by the group's row.
    name: 'append-commit-without-its-lease',
    aim: '3 COMMIT',
    file: 'lib/volume/write/commit-append.ts',
    find: 'if: [tokenIs(lease.token), nextSeqIs(lease.seq)],',
    replace: "if: ['exists'],",
  },
  {
    name: 'index-does-not-check-the-lease',
    aim: '4 INDEX$',
    file: 'lib/volume/write/appended-group.ts',
    find: 'if: [tokenIs(this.#lease.token), pendingIs(this.#lease.seq)],',
    replace: "if: ['exists'],",
  },
  {
    name: 'column-that-failed-is-acknowledged',
    file: 'lib/volume/write/write-group.ts',
    find: 'if (failures.length === 0) return;',
    replace: 'if (failures.length <= 2) return;',
  },
  {
    name: 'own-chunk-is-a-bug',
    file: 'lib/volume/write/write-group.ts',
    find: 'if (parseChunkHeader(head).appendId === id) return;',
    replace: "assert(parseChunkHeader(head).appendId !== id, 'nobody else knows this name');",
  },
  {
    name: 'unknown-is-sent-again-blindly',
    aim: '4 new object|19 overwrite',
    file: 'lib/volume/rows/transact.ts',
    find: "if (wasLost && (isKind(error, 'unknown', 'conflict') || isFull(error)) && (await took())) return;",
    replace: '',
    // A store that knows a request by its token does nothing twice.
    also: [
      {
        file: 'test/prove/ports/panda-server.ts',
        find: 'if (this.#done.has(writes)) return;',
        replace: '',
      },
    ],
  },
  {
    name: 'unknown-is-taken-for-done',
    file: 'lib/volume/rows/transact.ts',
    find: "if (isKind(error, 'unknown')) lost = error;",
    replace: "if (isKind(error, 'unknown')) return;",
  },
  {
    name: 'conflict-after-unknown-is-believed',
    aim: '4 new object|19 overwrite',
    file: 'lib/volume/rows/transact.ts',
    find: "isKind(error, 'unknown', 'conflict') || isFull(error)",
    replace: "isKind(error, 'unknown') || isFull(error)",
    also: [
      {
        file: 'lib/volume/rows/transact.ts',
        find: 'if (wasLost && error instanceof PandaConflict) throw new LateConflict(error.failed, error);',
        replace: '',
      },
      {
        file: 'test/prove/ports/panda-server.ts',
        find: 'if (this.#done.has(writes)) return;',
        replace: '',
      },
    ],
  },
  {
    name: 'move-of-a-bucket-that-moved',
    aim: '11 COMMIT',
    file: 'lib/volume/write/move.ts',
    find: 'if: [bucketIsIn(bucket.volume), moveIs(bucket.move)],',
    replace: "if: ['exists'],",
  },
  {
    name: 'move-without-the-lease',
    aim: '11 COMMIT',
    file: 'lib/volume/write/move.ts',
    find: 'if: [tokenIs(lease.token), pendingIs(lease.seq)],',
    replace: "if: ['exists'],",
  },
  {
    name: 'moved-bucket-is-not-noted',
    aim: '12 ',
    file: 'lib/volume/write/move.ts',
    find: '...together(dropBuckets(ids), noteMoved(ids)),',
    replace: '...dropBuckets(ids),',
  },
  {
    // That it was empty when it was read is enough: live bytes only fall.
    name: 'bucket-dropped-as-if-empty',
    aim: '11 ',
    file: 'lib/volume/write/drop-bucket.ts',
    find: 'if: [bucketIsIn(bucket.volume), moveIs(bucket.move), nothingLives],',
    replace: "if: ['exists'],",
    also: [
      {
        file: 'lib/volume/runs/drain-source.ts',
        find: 'if (bucket.liveBytes > 0) isDrained = false;',
        replace: 'if (bucket.liveBytes < 0) isDrained = false;',
      },
    ],
  },
  {
    name: 'what-is-not-listed-is-left-out',
    aim: 'drive read',
    file: 'lib/volume/read/collect-bucket.ts',
    find: 'if (lost === undefined) return wanted;',
    replace: 'if (lost !== -1) return wanted;',
  },
  {
    name: 'free-without-inspection',
    aim: '12 RETIRE',
    profile: 'beyond',
    file: 'lib/volume/runs/free.ts',
    find: 'if (unreadable !== undefined) return unreadable;',
    replace: '',
  },
  {
    name: 'zones-free-before-they-are-erased',
    aim: '12 |drive erase',
    file: 'lib/volume/runs/free.ts',
    find: 'if (failed !== undefined) return failed;',
    replace: '',
  },
  {
    name: 'zone-taken-whatever-its-state',
    file: 'lib/volume/rows/zones.ts',
    find: "if: [zoneGenerationAtMost(zoneGeneration), zoneIs('free')],",
    replace: "if: ['exists'],",
  },
  {
    name: 'zone-keeps-its-generation',
    file: 'lib/volume/rows/zones.ts',
    find: '...startErasingZone(zoneGeneration + 1),',
    replace: '...startErasingZone(zoneGeneration),',
  },
  {
    name: 'read-goes-by-old-rows',
    aim: '12 ERASING',
    file: 'lib/volume/read/read-record.ts',
    find: 'const isSame = isSamePlace(rows, fresh);',
    replace: 'const isSame = isSamePlace(rows, fresh) || resolves >= 0;',
  },
  {
    name: 'hint-of-another-generation',
    file: 'lib/volume/read/read-record.ts',
    find: 'if (bucket.move === 0 && hint.volume === volume.id && hint.generation === volume.generation)',
    replace: 'if (hint.volume === volume.id)',
  },
  {
    name: 'moves-go-into-any-lane',
    file: 'lib/volume/open/known-volumes.ts',
    find: 'row.class === cls && laneOf(row) === lane',
    replace: 'row.class === cls && lane >= 0',
  },
];
