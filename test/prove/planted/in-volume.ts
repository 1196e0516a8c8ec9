// Planted in what writes, moves, frees and reads.
import type { Plant } from './plant.ts';

export const IN_VOLUME: readonly Plant[] = [
  {
    name: 'lease-does-not-look-again',
    file: 'lib/volume/open/lease.ts',
    find: 'return leased.token === token ? leased : undefined;',
    replace: 'return leased.token === token ? { ...row, token, owner: c.owner, expiresAtMs } : undefined;',
  },
  {
    name: 'append-commit-without-token',
    file: 'lib/volume/write/append.ts',
    find: 'if: [tokenIs(lease.token), nextSeqIs(lease.seq)],',
    replace: 'if: [nextSeqIs(lease.seq)],',
  },
  {
    name: 'append-bucket-without-slot-count',
    file: 'lib/volume/write/append.ts',
    find: 'if: [bucketIsIn(volume.id), slotCountIs(target.firstSlot)],',
    replace: 'if: [bucketIsIn(volume.id)],',
  },
  {
    name: 'index-does-not-check-the-lease',
    file: 'lib/volume/write/append.ts',
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
    name: 'chunk-taken-is-taken-for-own',
    file: 'lib/volume/write/write-group.ts',
    find: 'if (parseChunkHeader(head).appendId === id) return;',
    replace: 'if (parseChunkHeader(head).appendId !== undefined) return;',
  },
  {
    name: 'own-chunk-is-a-bug',
    file: 'lib/volume/write/write-group.ts',
    find: 'if (parseChunkHeader(head).appendId === id) return;',
    replace: "assert(parseChunkHeader(head).appendId !== id, 'nobody else knows this name');",
  },
  {
    name: 'unknown-is-sent-again-blindly',
    file: 'lib/volume/rows/transact.ts',
    find: "if (wasUnknown && (isKind(error, 'unknown', 'conflict') || isFull(error)) && (await took())) return;",
    replace: '',
  },
  {
    name: 'unknown-is-taken-for-done',
    file: 'lib/volume/rows/transact.ts',
    find: "if (isKind(error, 'unknown')) wasUnknown = true;",
    replace: "if (isKind(error, 'unknown')) return;",
  },
  {
    name: 'conflict-after-unknown-is-believed',
    file: 'lib/volume/rows/transact.ts',
    find: "isKind(error, 'unknown', 'conflict') || isFull(error)",
    replace: "isKind(error, 'unknown') || isFull(error)",
  },
  {
    name: 'move-of-a-bucket-that-moved',
    file: 'lib/volume/write/move.ts',
    find: 'if: [bucketIsIn(bucket.volume), moveIs(bucket.move)],',
    replace: "if: ['exists'],",
  },
  {
    name: 'move-without-the-run',
    file: 'lib/volume/write/move.ts',
    find: `        ...together(dropBuckets(ids), noteMoved(ids)),
        if: [ownedBy(run)],`,
    replace: '        ...together(dropBuckets(ids), noteMoved(ids)),',
  },
  {
    name: 'move-without-the-lease',
    file: 'lib/volume/write/move.ts',
    find: 'if: [tokenIs(lease.token), pendingIs(lease.seq)],',
    replace: "if: ['exists'],",
  },
  {
    name: 'moved-bucket-is-not-noted',
    file: 'lib/volume/write/move.ts',
    find: '...together(dropBuckets(ids), noteMoved(ids)),',
    replace: '...dropBuckets(ids),',
  },
  {
    name: 'bucket-dropped-as-if-empty',
    file: 'lib/volume/write/move.ts',
    find: 'if: [bucketIsIn(bucket.volume), moveIs(bucket.move), nothingLives],',
    replace: 'if: [bucketIsIn(bucket.volume), moveIs(bucket.move)],',
  },
  {
    name: 'what-is-not-listed-is-left-out',
    file: 'lib/volume/read/collect-bucket.ts',
    find: 'if (lost === undefined) return wanted;',
    replace: 'if (lost !== -1) return wanted;',
  },
  {
    name: 'dead-slots-are-not-looked-at-again',
    file: 'lib/volume/read/collect-bucket.ts',
    find: 'return slots.find((slot) => !isDead(dead, slot));',
    replace: 'return isDead(dead, -1) ? undefined : slots[0];',
  },
  {
    name: 'free-without-inspection',
    file: 'lib/volume/runs/free.ts',
    find: 'if (unreadable !== undefined) return unreadable;',
    replace: '',
  },
  {
    name: 'zones-free-before-they-are-erased',
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
    name: 'read-does-not-look-again',
    file: 'lib/volume/read/read-record.ts',
    find: 'missed = isSame && error instanceof DirectMiss ? error : undefined;',
    replace: 'missed = error instanceof DirectMiss ? error : undefined;',
  },
  {
    name: 'hint-of-another-generation',
    file: 'lib/volume/read/read-record.ts',
    find: 'if (bucket.move === 0 && hint.volume === volume.id && hint.generation === volume.generation)',
    replace: 'if (hint.volume === volume.id)',
  },
];
