// What a volume's directories will take and on which columns they are, in which lane a namespace is, and which drives rest: by figures.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { driveBusy, driveDenied, driveFull, driveReadOnly, driveUnavailable } from '../../../lib/drive/errors.ts';
import { bucketDirectoryBytes } from '../../../lib/format/bucket-directory.ts';
import { PACK_HEADER_BYTES, packedBytes } from '../../../lib/format/directory-pack.ts';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import {
  BUSY_DRIVE_REST_MS,
  LANE_NUMBERS,
  REFUSING_DRIVE_REST_MS,
  UNAVAILABLE_DRIVE_REST_MS,
} from '../../../lib/limits/volume.ts';
import {
  directoryBytesOf,
  directoryColumns,
  filledBy,
  hasDirectories,
  moreDirectoryBytes,
  packRoomBytes,
  slotSpan,
  writesDirectories,
} from '../../../lib/volume/rows/directory-room.ts';
import { DriveHealth } from '../../../lib/volume/rows/drive-health.ts';
import { hotShareOf, hotVolumeBytes, hotVolumesWithin } from '../../../lib/volume/rows/hot-share.ts';
import { laneOfNamespace } from '../../../lib/volume/rows/lane-numbers.ts';
import { TINY } from '../../store/harness.ts';

describe('room for directories', () => {
  const slots = (...numbers: number[]) => numbers.map((slot) => ({ slot }));

  it('is that of all slots from the first to the last', () => {
    expect([slots(), slots(0), slots(7), slots(3, 9), slots(9, 3, 5)].map(slotSpan)).toEqual([0, 1, 1, 7, 7]);
  });

  it('is a directory and a place in the index for each bucket, and of more slots only what they add', () => {
    expect(directoryBytesOf([])).toBe(0);
    expect(directoryBytesOf([3, 5])).toBe(packedBytes(3, 1) + packedBytes(5, 1));
    expect(packedBytes(3, 1)).toBe(16 + bucketDirectoryBytes(3, 1));
    expect(moreDirectoryBytes(4)).toBe(bucketDirectoryBytes(4, 1) - bucketDirectoryBytes(0, 0));
    expect(packRoomBytes({ directoryBytes: 500 })).toBe(PACK_HEADER_BYTES + 500);
    expect(packRoomBytes({ directoryBytes: undefined })).toBeUndefined();
  });

  it('grows with each group, if it is counted at all', () => {
    const filled = { extentUsedBytes: [10, 20, 30], directoryBytes: 5 };
    expect(filledBy(filled, [1, 0], 7)).toEqual({ extentUsedBytes: [11, 20, 30], directoryBytes: 12 });
    expect(filledBy({ ...filled, directoryBytes: undefined }, [1, 2, 3], 7)).toEqual({
      extentUsedBytes: [11, 22, 33],
      directoryBytes: undefined,
    });
  });
});

describe('directories', () => {
  it('are on the last data column and all parity', () => {
    const of = (codec: Parameters<typeof directoryColumns>[0]['codec']) => directoryColumns({ codec });
    expect([of('rs-6-3'), of('xor-2-1'), of('replica-4'), of('single')]).toEqual([
      [5, 6, 7, 8],
      [1, 2],
      [0, 1, 2, 3],
      [0],
    ]);
  });

  it('are those of volumes that stay, once they are sealed and nothing is pending', () => {
    const two = { settings: { ...TINY, hotCodec: 'replica-4' as const, warmCodec: 'xor-2-1' as const } };
    const one = { settings: { ...TINY, hotCodec: 'xor-2-1' as const, warmCodec: 'xor-2-1' as const } };
    expect([writesDirectories(two, 'warm'), writesDirectories(two, 'hot'), writesDirectories(one, 'hot')]).toEqual([
      true,
      false,
      true,
    ]);
    const sealed = { state: 'sealed', class: 'warm', directoriesPending: false } as const;
    expect(hasDirectories(two, sealed)).toBe(true);
    expect(hasDirectories(two, { ...sealed, state: 'draining' })).toBe(true);
    expect(hasDirectories(two, { ...sealed, state: 'open' })).toBe(false);
    expect(hasDirectories(two, { ...sealed, directoriesPending: true })).toBe(false);
    expect(hasDirectories(two, { ...sealed, class: 'hot' })).toBe(false);
    expect(hasDirectories(one, { ...sealed, class: 'hot' })).toBe(true);
  });
});

describe('hot volumes', () => {
  it('are all of one size, and so many fit a part of what they may take', () => {
    const sizes = { hotCodec: 'rs-6-3', extentBytes: 1000, hotBytesMax: 90_000 } as const;
    expect(hotVolumeBytes(sizes)).toBe(9000);
    expect([0, 0.5, 0.59, 0.6, 1].map((share) => hotVolumesWithin(share, sizes))).toEqual([0, 5, 5, 6, 10]);
    expect([0, 1, 20].map((volumes) => hotShareOf(volumes, sizes))).toEqual([0, 0.1, 2]);
  });
});

describe('a lane', () => {
  it('follows from the name of the namespace, and none is the shared one', () => {
    const first = (name: string) => createHash('sha256').update(`pocketful lane of ${name}`).digest().readUInt32BE(0);
    for (const name of ['a', 'b', 'logs', 'ü']) expect(laneOfNamespace(name)).toBe(1 + (first(name) % LANE_NUMBERS));
    const lanes = Array.from({ length: 200 }, (_, i) => laneOfNamespace(`n${i}`));
    expect(lanes.every((lane) => lane >= 1 && lane <= LANE_NUMBERS)).toBe(true);
    expect(new Set(lanes).size).toBe(200);
  });
});

describe('a drive', () => {
  it.each([
    [driveUnavailable('d', ''), UNAVAILABLE_DRIVE_REST_MS],
    [driveBusy('d', ''), BUSY_DRIVE_REST_MS],
    [driveDenied('d'), REFUSING_DRIVE_REST_MS],
    [driveReadOnly('d'), REFUSING_DRIVE_REST_MS],
    [driveFull('d'), REFUSING_DRIVE_REST_MS],
  ])('that answers $code rests as long as that takes, from the last time on', (error, restMs) => {
    const clock = new SimulatedClock();
    const health = new DriveHealth(clock);
    health.failed(3, error);
    clock.advance(restMs - 1);
    expect([health.fault(3), health.isHealthy(3)]).toEqual([error.code, false]);
    health.failed(3, error);
    clock.advance(restMs - 1);
    expect(health.fault(3)).toBe(error.code);
    clock.advance(1);
    expect([health.fault(3), health.isHealthy(3)]).toEqual([undefined, true]);
    expect(health.fault(2)).toBeUndefined();
  });
});
