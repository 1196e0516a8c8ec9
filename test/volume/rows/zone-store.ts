// A few drives with zones, as rows say they are used, and an allocator of them that knows nothing yet.
import { MemoryDrive } from '../../../lib/drive/memory-drive.ts';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import type { VolumeId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { type DriveState, driveAttributes, driveKey } from '../../../lib/panda/rows/drives/drive-row.ts';
import type { Extent } from '../../../lib/panda/rows/volume-row.ts';
import { zoneKey } from '../../../lib/panda/rows/zone-row.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { DriveHealth } from '../../../lib/volume/rows/drive-health.ts';
import { ZoneAllocator } from '../../../lib/volume/rows/zones.ts';
import { TINY } from '../../store/harness.ts';
import { ToldPanda } from './told-panda.ts';

export const VOLUME = '00000000000000aa' as VolumeId;
export const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

export function storeOf(drives: number, { zonesPerDrive = 4, seed = 1, mayWrite = async () => {} } = {}) {
  const panda = new ToldPanda();
  const clock = new SimulatedClock();
  const health = new DriveHealth(clock);
  const components = {
    settings: { ...TINY, zonesPerDrive },
    clock,
    randomness: new SeededRandomness(seed),
    drives: Array.from({ length: drives }, (_, i) => new MemoryDrive(`d${i}`)),
    panda,
    mayWrite,
  } as unknown as Components;
  const zones = new ZoneAllocator(components, health);
  /** `used`, `erasing` or `free`, the generation and a floor. */
  const zone = (drive: number, number: number, s: string, g: number, n?: number): Promise<void> =>
    panda.plant(zoneKey(drive, number), { s, g, ...(n === undefined ? {} : { n }) });
  const drive = (number: number, state: DriveState, domain?: string): Promise<void> =>
    panda.plant(driveKey(number), driveAttributes({ state, change: 1, sinceMs: 1, domain }));
  const claim = async (columns: number, options = {}): Promise<readonly Extent[]> =>
    (await zones.claim(VOLUME, columns, options)).extents;
  const drivesOf = async (columns: number, options = {}): Promise<number[]> =>
    (await claim(columns, options)).map((extent) => extent.drive).sort((a, b) => a - b);
  return { panda, clock, health, components, zones, zone, drive, claim, drivesOf };
}

export const zoneQueries = (drives: number): string[] => Array.from({ length: drives }, (_, i) => `query zone/${i}`);
export const at = (drive: number, zone: number, zoneGeneration = 1): Extent => ({ drive, zone, zoneGeneration });
export const byDrive = (extents: readonly Extent[]): Extent[] => extents.toSorted((a, b) => a.drive - b.drive);
