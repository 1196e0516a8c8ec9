// SMR zones: which are free on each drive, and the writes that take and give them. Zone numbers on a drive are soft state
// here, learnt from the zone rows; the conditions of the transaction decide.
import { assert } from '../foundation/assert.ts';
import { retryLater } from '../foundation/errors.ts';
import type { VolumeId } from '../foundation/ids.ts';
import { shuffled } from '../foundation/randomness.ts';
import type { Write } from '../panda/panda.ts';
import type { Extent } from '../panda/rows/volume-row.ts';
import { zoneAttributes, zoneFromRow, zoneKey, zonePartition } from '../panda/rows/zone-row.ts';
import type { Components } from './components.ts';
import type { DriveHealth } from './drive-health.ts';
import { rowsOf } from './volumes.ts';

interface DriveZones {
  /** Erased zones by number, with the generation to write next. */
  readonly freed: Map<number, number>;
  /** Zones below this number have been looked at; at and above it none was ever used as far as we know. */
  nextFresh: number;
  usedZones: number;
}

export interface ZoneClaim {
  readonly extents: readonly Extent[];
  readonly writes: readonly Write[];
}

export class ZoneAllocator {
  readonly #c: Components;
  readonly #health: DriveHealth;
  #drives: Promise<DriveZones[]> | undefined;

  constructor(components: Components, health: DriveHealth) {
    this.#c = components;
    this.#health = health;
  }

  /** Forgets what it knew: after a conflict, or when another process may have freed zones. */
  refresh(): void {
    this.#drives = undefined;
  }

  /**
   * Picks `columns` different healthy drives, the emptiest first, and a free zone on each, and the writes that take them for
   * `volume`. Throws `retry` DRIVES_MISSING or STORE_FULL.
   */
  async claim(volume: VolumeId, columns: number): Promise<ZoneClaim> {
    this.#drives ??= this.#load();
    const known = await this.#drives;
    const healthy = known.map((_, drive) => drive).filter((drive) => this.#health.isHealthy(drive));
    if (healthy.length < columns) throw this.#tooFew(healthy.length, columns);
    const open = shuffled(healthy, this.#c.randomness)
      .filter((drive) => this.#freeCount(known[drive] as DriveZones) > 0)
      .sort((a, b) => (known[a] as DriveZones).usedZones - (known[b] as DriveZones).usedZones);
    if (open.length < columns)
      throw retryLater(
        'STORE_FULL',
        `only ${open.length} of ${columns} drives have a free zone: add drives or compact`,
      );
    const extents = open.slice(0, columns).map((drive) => this.#take(known[drive] as DriveZones, drive));
    return { extents, writes: extents.map((extent) => takeWrite(extent, volume)) };
  }

  async #load(): Promise<DriveZones[]> {
    return Promise.all(
      this.#c.drives.map(async (_, drive) => {
        const zones: DriveZones = { freed: new Map(), nextFresh: 0, usedZones: 0 };
        for await (const row of rowsOf(this.#c.panda, zonePartition(drive))) {
          const zone = zoneFromRow(row);
          if (zone.state === 'free') zones.freed.set(zone.zone, zone.generation);
          else zones.usedZones += 1;
          zones.nextFresh = Math.max(zones.nextFresh, zone.zone + 1);
        }
        return zones;
      }),
    );
  }

  #freeCount(zones: DriveZones): number {
    return zones.freed.size + this.#c.settings.zonesPerDrive - zones.nextFresh;
  }

  #take(zones: DriveZones, drive: number): Extent {
    zones.usedZones += 1;
    for (const [zone, zoneGeneration] of zones.freed) {
      zones.freed.delete(zone);
      return { drive, zone, zoneGeneration };
    }
    assert(zones.nextFresh < this.#c.settings.zonesPerDrive, 'a drive with a free zone');
    return { drive, zone: zones.nextFresh++, zoneGeneration: 1 };
  }

  #tooFew(healthy: number, columns: number) {
    const faults = this.#c.drives
      .map((drive, id) => ({ label: drive.label, fault: this.#health.fault(id) }))
      .filter(({ fault }) => fault !== undefined)
      .map(({ label, fault }) => `${label} (${fault})`);
    return retryLater(
      'DRIVES_MISSING',
      `${healthy} of the ${columns} drives a volume needs can be written${faults.length > 0 ? `; not: ${faults.join(', ')}` : ''}`,
    );
  }
}

function takeWrite({ drive, zone, zoneGeneration }: Extent, volume: VolumeId): Write {
  const key = zoneKey(drive, zone);
  if (zoneGeneration === 1)
    return {
      kind: 'put',
      ...key,
      attributes: zoneAttributes({ generation: 1, state: 'used', volume }),
      if: ['absent'],
    };
  return {
    kind: 'update',
    ...key,
    set: { s: 'used', v: volume },
    if: [
      { attribute: 'g', equals: zoneGeneration },
      { attribute: 's', equals: 'free' },
    ],
  };
}

/** The zone's objects are garbage from now on: a new generation, not yet to be written. */
export const eraseWrite = ({ drive, zone, zoneGeneration }: Extent, volume: VolumeId): Write => ({
  kind: 'update',
  ...zoneKey(drive, zone),
  set: { s: 'erasing', g: zoneGeneration + 1 },
  if: [
    { attribute: 'g', equals: zoneGeneration },
    { attribute: 'v', equals: volume },
  ],
});

/** Nothing of the old generation is left: the zone may be taken again. */
export const freeWrite = ({ drive, zone, zoneGeneration }: Extent): Write => ({
  kind: 'update',
  ...zoneKey(drive, zone),
  set: { s: 'free' },
  remove: ['v'],
  if: [
    { attribute: 'g', equals: zoneGeneration + 1 },
    { attribute: 's', equals: 'erasing' },
  ],
});
