// Rows by lot, for cases that are the same whenever they are made.
import { CODEC_NAMES } from '../../lib/codec/codec.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import {
  type BlockId,
  type BucketId,
  hexOf,
  newBucketId,
  newObjectVersion,
  newRecordId,
  newVolumeId,
  type RunId,
} from '../../lib/foundation/ids.ts';
import type { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { BlockRow } from '../../lib/panda/rows/block-row.ts';
import type { BucketRow } from '../../lib/panda/rows/bucket-row.ts';
import type { ObjectRow } from '../../lib/panda/rows/object-row.ts';
import { VOLUME_CLASSES, VOLUME_STATES, type VolumeRow } from '../../lib/panda/rows/volume-row.ts';

export class SeededRows {
  readonly random: SeededRandomness;

  constructor(random: SeededRandomness) {
    this.random = random;
  }

  below = (bound: number): number => this.random.below(bound);
  /** True once in so many. */
  once = (inSoMany: number): boolean => this.random.below(inSoMany) === 0;
  pick = <T>(of: readonly T[]): T => of[this.random.below(of.length)] as T;
  /** Settings of which each is one of these once in so many, and else as usual. */
  sometimes =
    <T>(inSoMany: number) =>
    <K extends keyof T>(name: K, values: readonly T[K][]): Partial<T> =>
      this.once(inSoMany) ? ({ [name]: this.pick(values) } as unknown as Partial<T>) : {};
  list = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

  blockId = (): BlockId => hexOf(this.random.bytes(32)) as BlockId;
  bucketId = (): BucketId => newBucketId(this.random);

  volume(changes: Partial<VolumeRow> = {}, drives = 20): VolumeRow {
    const codec = changes.codec ?? this.pick(CODEC_NAMES);
    const { dataColumns, parityColumns } = codecShape(codec);
    const first = this.below(drives);
    return {
      id: newVolumeId(this.random),
      class: this.pick(VOLUME_CLASSES),
      codec,
      state: this.pick(VOLUME_STATES),
      generation: 1 + this.below(3),
      extents: this.list(dataColumns + parityColumns, (i) => ({
        drive: (first + i) % drives,
        zone: this.below(9),
        zoneGeneration: 1,
      })),
      token: 1 + this.below(3),
      owner: this.once(3) ? this.pick(['me', 'other', 'gone']) : undefined,
      expiresAtMs: this.below(5) * 1_000_000,
      nextSeq: 1 + this.below(5),
      pendingSeq: undefined,
      extentUsedBytes: this.list(dataColumns + parityColumns, () => this.below(5) * 10_000),
      directoryBytes: this.once(6) ? undefined : this.below(4) * 1000,
      run: this.once(5) ? ('run/1' as RunId) : undefined,
      buckets: new Set(this.list(this.below(4), () => this.bucketId())),
      moved: new Set(),
      openBucket: undefined,
      createdAtMs: 1,
      sealedAtMs: undefined,
      directoriesPending: this.once(4),
      trashedAtMs: undefined,
      revision: this.below(2),
      ...changes,
    };
  }

  bucket(changes: Partial<BucketRow> = {}): BucketRow {
    const usedBytes = 1 + this.below(9000);
    return {
      id: this.bucketId(),
      volume: newVolumeId(this.random),
      move: this.below(3),
      seq: 1 + this.below(4),
      token: 1 + this.below(3),
      usedBytes,
      liveBytes: this.once(4) ? 0 : this.below(usedBytes + 1),
      slots: 1 + this.below(40),
      createdAtMs: 1,
      ...changes,
    };
  }

  block(changes: Partial<BlockRow> = {}): BlockRow {
    const refs = changes.refs ?? this.below(5);
    return {
      id: this.blockId(),
      cell: 'c0',
      bucket: this.bucketId(),
      slot: this.below(50),
      recordId: newRecordId(this.random),
      recordBytes: 100 + this.below(900),
      plaintextBytes: 900,
      hint: { volume: newVolumeId(this.random), generation: 1, seq: 2, token: 1, column: 0, offset: 64 },
      refs,
      state: refs === 0 ? 'trash' : 'live',
      wrappedBek: this.random.bytes(40),
      kekVersion: 1 + this.below(3),
      ...(this.once(4) ? { isOld: true as const } : {}),
      ...changes,
    };
  }

  object(blocks: readonly BlockId[] | undefined, changes: Partial<ObjectRow> = {}): ObjectRow {
    return {
      namespace: 'default',
      key: `f/${this.below(1000)}`,
      version: newObjectVersion(this.random),
      sizeBytes: 900,
      blockBytes: 1024,
      etag: hexOf(this.random.bytes(32)),
      createdAtMs: 5,
      metadata: undefined,
      blocks,
      segments: blocks === undefined ? 1 + this.below(4) : undefined,
      ...changes,
    };
  }
}

const LONG_BYTES = 12;
const LONG_ID = /([0-9a-f]{12})[0-9a-f]{52}/g;

/** All of a value in a line: sets and maps as lists; of long bytes and ids the first ones, of bytes a sum as well. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Set) return ['set', ...inner];
    if (inner instanceof Map) return ['map', ...inner];
    if (inner instanceof Error) return `${inner.constructor.name} ${inner.message}`;
    if (inner instanceof Uint8Array) return bytesText(inner);
    if (typeof inner === 'object' && inner !== null && 'type' in inner && inner.type === 'Buffer')
      return bytesText(Uint8Array.from((inner as unknown as { data: number[] }).data));
    if (typeof inner === 'string') return inner.replace(LONG_ID, '$1');
    if (typeof inner === 'number' && !Number.isFinite(inner)) return String(inner);
    return inner;
  });
}

const bytesText = (bytes: Uint8Array): string =>
  bytes.length <= LONG_BYTES
    ? hexOf(bytes)
    : `${hexOf(bytes.subarray(0, LONG_BYTES))}+${bytes.length}:${bytes.reduce((sum, byte, i) => (sum * 31 + byte + i) >>> 0, 7)}`;
