// What the loss of one more drive or domain would cost, reckoned from where columns lie and what is damaged.
import { describe, expect, it } from 'vitest';
import { isUnreadable } from '../../lib/engine/status/drive-state.ts';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import type { DamageRow } from '../../lib/panda/rows/damage-row.ts';
import { type LossFacts, worstLosses } from '../../lib/volume/check/worst-loss.ts';

const drive = (n: number, domain?: string) => ({ drive: n, label: `d${n}`, domain });
const volume = (codec: 'xor-2-1' | 'rs-6-3', ...drives: readonly number[]) => ({
  id: `v${drives.join('-')}` as VolumeId,
  codec,
  generation: 1,
  directoriesPending: false,
  extents: drives.map((n) => ({ drive: n, zone: 0, zoneGeneration: 1 })),
});
const drivesTo = (count: number, domains: Readonly<Record<number, string>> = {}) =>
  Array.from({ length: count }, (_, n) => drive(n, domains[n]));
const worst = (facts: Partial<LossFacts>) =>
  worstLosses({ volumes: [], damage: [], drives: [], gone: new Set(), ...facts });

describe('the worst loss', () => {
  it('is of a drive by which nothing is lost, and of a domain that holds two columns of a volume', () => {
    const volumes = [volume('xor-2-1', 0, 1, 2), volume('xor-2-1', 1, 2, 3)];
    expect(worst({ volumes, drives: drivesTo(5) })).toEqual({
      drive: { of: 'd1', lostVolumes: 0, reducedVolumes: 2, spareLeft: 0 },
      domain: null,
    });
    expect(worst({ volumes, drives: drivesTo(4, { 0: 'a', 2: 'a', 3: 'b' }) }).domain).toEqual({
      of: 'a',
      lostVolumes: 1,
      reducedVolumes: 1,
      spareLeft: 0,
    });
  });

  it('is worse where less is spare, before it touches more', () => {
    const volumes = [volume('rs-6-3', 0, 1, 2, 3, 4, 5, 6, 7, 8), volume('xor-2-1', 8, 9, 10)];
    expect(worst({ volumes, drives: drivesTo(8) }).drive).toMatchObject({ spareLeft: 2, reducedVolumes: 1 });
    expect(worst({ volumes, drives: drivesTo(11) }).drive).toMatchObject({ of: 'd8', spareLeft: 0, reducedVolumes: 2 });
  });

  it('counts what is gone and what is damaged, and nothing that is lost in any case', () => {
    const volumes = [volume('xor-2-1', 0, 1, 2)];
    const gone = new Set([0]);
    const others = drivesTo(3).slice(1);
    expect(worst({ volumes, drives: others, gone }).drive).toEqual({
      of: 'd1',
      lostVolumes: 1,
      reducedVolumes: 0,
      spareLeft: null,
    });
    const damage = [{ volume: volumes[0]?.id, generation: 1, column: 2, part: 4, kind: 'missing' }] as DamageRow[];
    expect(worst({ volumes, damage, drives: others }).drive).toMatchObject({ of: 'd1', lostVolumes: 1 });
    expect(worst({ volumes, damage, drives: others, gone }).drive).toBeNull();
    expect(worst({ drives: drivesTo(3) })).toEqual({ drive: null, domain: null });
  });

  it('takes a drive that is full or read-only for one that is there', () => {
    expect(isUnreadable('DRIVE_UNAVAILABLE')).toBe(true);
    for (const fault of ['DRIVE_FULL', 'DRIVE_READ_ONLY'] as const) expect(isUnreadable(fault)).toBe(false);
  });
});
