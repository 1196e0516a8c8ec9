// What the loss of one more drive or domain would cost, reckoned from where columns lie.
import { describe, expect, it } from 'vitest';
import { worstLoss } from '../../lib/engine/drives/list-drives.ts';
import { isUnreadable } from '../../lib/engine/status/drive-state.ts';
import type { ErrorCode } from '../../lib/foundation/error-codes.ts';

const drive = (n: number, domain?: string, fault?: ErrorCode) => ({
  drive: n,
  label: `d${n}`,
  domain,
  state: 'active' as const,
  fault,
});
/** xor-2-1 survives one loss. */
const volume = (...drives: readonly number[]) => ({
  codec: 'xor-2-1' as const,
  extents: drives.map((n) => ({ drive: n, zone: 0, zoneGeneration: 1 })),
});

describe('the worst loss', () => {
  it('is none where each drive can go, and a domain that holds two columns of a volume', () => {
    const volumes = [volume(0, 1, 2), volume(1, 2, 3)];
    expect(
      worstLoss(
        volumes,
        [0, 1, 2, 3].map((n) => drive(n)),
      ),
    ).toBeUndefined();
    const shared = [drive(0, 'a'), drive(1), drive(2, 'a'), drive(3)];
    expect(worstLoss(volumes, shared)).toEqual({ of: 'domain a', lostVolumes: 1 });
  });

  it('counts a drive that does not answer as gone, and one that is full or read-only as there', () => {
    const volumes = [volume(0, 1, 2)];
    const withFault = (fault: ErrorCode) => [drive(0, undefined, fault), drive(1), drive(2)];
    expect(worstLoss(volumes, withFault('DRIVE_UNAVAILABLE'))).toEqual({ of: 'd1', lostVolumes: 1 });
    for (const fault of ['DRIVE_FULL', 'DRIVE_READ_ONLY'] as const) {
      expect(worstLoss(volumes, withFault(fault))).toBeUndefined();
      expect(isUnreadable(fault)).toBe(false);
    }
  });
});
