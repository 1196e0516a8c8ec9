// A store in which an L1 run copies several groups, and ways to break it off between two of them.
import { type FaultMode, type FaultPlan, scriptedPlan } from '../../lib/foundation/faults.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { SMALL, sealedWorld } from './acting-world.ts';

const KIB = 1024;

export const L1_ONLY = {
  settings: {
    strategies: ['l1' as const],
    hostOrder: 'densest' as const,
    minFill: 0.02,
    l3UpTo: 0.002,
    l2UpTo: 0.003,
  },
  merge: false,
};

/** A host of four groups or so, and a donor of two. */
export const toppingWorld = (filesEach = 40) =>
  sealedWorld({
    settings: settingsOf('demo', { ...SMALL, preset: 'custom', groupBytesMin: 8 * KIB }),
    volumes: 2,
    filesEach,
    deletedEach: (volume) => (volume === 0 ? Math.floor(filesEach / 8) : Math.floor(filesEach * 0.6)),
    bytesMax: 1400,
    seed: 33,
  });

/** After so many groups have been noted in the journal something happens, or a call fails. */
export function atGroup(count: number, act: () => FaultMode, isJournalled = false): FaultPlan {
  let noted = 0;
  return scriptedPlan((_, detail) => {
    if (!detail.includes('put work/run')) return 'none';
    noted += 1;
    // The journal's beginning unless it is there already, its take-over, COPY.
    return noted === (isJournalled ? 2 : 3) + count ? act() : 'none';
  });
}
