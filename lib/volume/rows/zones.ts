// SMR zones: which are free on each drive, and the writes that take and give them. Zone numbers on a drive are soft
// state here, learnt from the zone rows; the conditions of the transaction decide.
import { assert } from '../../foundation/assert.ts';
import { isPocketfulError, type PocketfulError, retryLater } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { shuffled } from '../../foundation/randomness.ts';
import type { Write } from '../../panda/panda.ts';
import type { Extent } from '../../panda/rows/volume-row.ts';
import {
  freeZone,
  nextGeneration,
  startErasingZone,
  takeZone,
  zoneAttributes,
  zoneBelongsTo,
  zoneFromRow,
  zoneGenerationAtMost,
  zoneGenerationIs,
  zoneIs,
  zoneKey,
  zonePartition,
} from '../../panda/rows/zone-row.ts';
import type { Components } from './components.ts';
import type { DriveHealth } from './drive-health.ts';
import { type DriveRows, DriveStates, domainOf, isActive } from './drive-states.ts';
import { rowsOf } from './read-rows.ts';

/**
 * Where another process takes zones too, one of this many free ones is picked at random: two of them then seldom want
 * the same.
 */
const CONTENDED_CHOICE = 512;

interface DriveZones {
  /** Erased zones by number, with the generation to write next. */
  readonly freed: Map<number, number>;
  /** Zones that are used, being erased, or were offered by a claim. */
  readonly taken: Set<number>;
  /** No zone below it is fresh: never used, as far as we know. */
  freshFrom: number;
  usedZones: number;
}

/** What a claim adds to. */
export interface ClaimOptions {
  /** Drives of the extents that the volume keeps: none of them is picked. */
  readonly keeps?: readonly number[];
  /** Columns that may lie in one domain, those kept included, where there are enough domains. Missing: any. */
  readonly perDomain?: number;
  /** Extents that whoever claims has had on each drive already: those with fewest of them come first. */
  readonly had?: ReadonlyMap<number, number> | undefined;
  /** The only drive that will do. */
  readonly onto?: number | undefined;
}

export interface ZoneClaim {
  readonly extents: readonly Extent[];
  readonly writes: readonly Write[];
}

export class ZoneAllocator {
  readonly #components: Components;
  readonly #health: DriveHealth;
  readonly states: DriveStates;
  #drives: Promise<DriveZones[]> | undefined;
  /** Another process takes zones as well, as a conflict has shown: what is known is always a little out of date. */
  #isContended = false;

  constructor(components: Components, health: DriveHealth) {
    this.#components = components;
    this.#health = health;
    this.states = new DriveStates(components);
  }

  /**
   * After a conflict: from now on a claim looks at the rows of the zones it picks, and picks others for those that are
   * taken.
   */
  refresh(): void {
    this.#isContended = true;
    this.states.forget();
  }

  /** Forgets what it knew: zones were freed. */
  reload(): void {
    this.#drives = undefined;
  }

  /**
   * Picks `columns` different healthy, active drives, the emptiest first, and a free zone on each, and the writes that
   * take them for `volume`. Throws `retry` DRIVES_MISSING or STORE_FULL.
   */
  async claim(volume: VolumeId, columns: number, options: ClaimOptions = {}): Promise<ZoneClaim> {
    await this.#components.mayWrite?.();
    const isKnown = this.#drives !== undefined;
    try {
      return await this.#claim(volume, columns, options);
    } catch (error) {
      // Others may have freed zones, or added drives, since they were listed.
      if (!isKnown || !isPocketfulError(error) || !['STORE_FULL', 'DRIVES_MISSING'].includes(error.code)) throw error;
      this.reload();
      return this.#claim(volume, columns, options);
    }
  }

  async #claim(volume: VolumeId, columns: number, options: ClaimOptions): Promise<ZoneClaim> {
    const states = await this.states.read();
    this.#drives ??= this.#load();
    const loading = this.#drives;
    loading.catch(() => {
      if (this.#drives === loading) this.reload();
    });
    const known = await loading;
    const extents = this.#pick(known, columns, states, options);
    if (this.#isContended) await this.#replaceTaken(known, extents);
    return { extents, writes: extents.map((extent) => takeWrite(extent, volume)) };
  }

  #pick(known: readonly DriveZones[], columns: number, states: DriveRows, options: ClaimOptions): Extent[] {
    const { keeps = [], perDomain, had = new Map<number, number>(), onto } = options;
    const hadOn = (drive: number): number => had.get(drive) ?? 0;
    const healthy = known
      .map((_, drive) => drive)
      .filter((drive) => isActive(states, drive) && !keeps.includes(drive) && this.#health.isHealthy(drive))
      .filter((drive) => onto === undefined || drive === onto);
    if (healthy.length < columns) throw this.#tooFew(healthy.length, columns, states, keeps);
    const open = shuffled(healthy, this.#components.randomness)
      .filter((drive) => this.#freeCount(known[drive] as DriveZones) > 0)
      .sort((a, b) => hadOn(a) - hadOn(b) || of(known, a).usedZones - of(known, b).usedZones);
    if (open.length < columns) throw tooFull(open.length, columns);
    const spread = perDomain === undefined ? open : spreadFirst(open, keeps, states, perDomain);
    return spread.slice(0, columns).map((drive) => this.#take(known[drive] as DriveZones, drive));
  }

  /**
   * Zones that others have taken are replaced by further ones of the same drives, until the rows say that all are free.
   */
  async #replaceTaken(known: readonly DriveZones[], extents: Extent[]): Promise<void> {
    let asked = extents.map((_, i) => i);
    while (asked.length > 0) {
      const rows = await this.#components.panda.getMany(
        asked.map((i) => zoneKey(of(extents, i).drive, of(extents, i).zone)),
      );
      asked = asked.filter((i, at) => {
        const row = rows[at];
        const extent = of(extents, i);
        if (row === undefined) return false;
        const found = zoneFromRow(row);
        if (found.state === 'free') extents[i] = { ...extent, zoneGeneration: nextGeneration(found) };
        return found.state !== 'free';
      });
      for (const i of asked) {
        const { drive } = of(extents, i);
        const zones = known[drive] as DriveZones;
        if (this.#freeCount(zones) === 0) throw tooFull(extents.length - 1, extents.length);
        extents[i] = this.#take(zones, drive);
      }
    }
  }

  async #load(): Promise<DriveZones[]> {
    return Promise.all(
      this.#components.drives.map(async (_, drive) => {
        const zones: DriveZones = { freed: new Map(), taken: new Set(), freshFrom: 0, usedZones: 0 };
        for await (const row of rowsOf(this.#components.panda, zonePartition(drive))) {
          const zone = zoneFromRow(row);
          if (zone.state === 'free') zones.freed.set(zone.zone, nextGeneration(zone));
          else zones.taken.add(zone.zone);
        }
        zones.usedZones = zones.taken.size;
        return zones;
      }),
    );
  }

  #freeCount(zones: DriveZones): number {
    return this.#components.settings.zonesPerDrive - zones.taken.size;
  }

  /**
   * Freed zones before fresh ones, low numbers before high ones; where others take zones too, at random among the first
   * of them.
   */
  #take(zones: DriveZones, drive: number): Extent {
    const choice = this.#isContended ? CONTENDED_CHOICE : 1;
    const pool = [...zones.freed.keys()].slice(0, choice);
    while (zones.taken.has(zones.freshFrom) || zones.freed.has(zones.freshFrom)) zones.freshFrom += 1;
    for (let zone = zones.freshFrom; zone < this.#components.settings.zonesPerDrive && pool.length < choice; zone++)
      if (!zones.taken.has(zone) && !zones.freed.has(zone)) pool.push(zone);
    const zone = pool[this.#components.randomness.below(pool.length)];
    assert(zone !== undefined, 'a drive with a free zone');
    const zoneGeneration = zones.freed.get(zone) ?? 1;
    zones.freed.delete(zone);
    zones.taken.add(zone);
    zones.usedZones += 1;
    return { drive, zone, zoneGeneration };
  }

  #tooFew(healthy: number, columns: number, states: DriveRows, keeps: readonly number[]) {
    const faults = this.#components.drives
      .map((drive, id) => ({ label: drive.label, fault: this.#health.fault(id) ?? stateFault(states, id) }))
      .filter((_, id) => !keeps.includes(id))
      .filter(({ fault }) => fault !== undefined)
      .map(({ label, fault }) => `${label} (${fault})`);
    return retryLater(
      'DRIVES_MISSING',
      `${healthy} of the ${columns} drives a volume needs can be written${faults.length > 0 ? `; not: ${faults.join(', ')}` : ''}`,
    );
  }
}

/** Why a drive takes nothing whatever it answers. */
function stateFault(states: DriveRows, drive: number): string | undefined {
  const state = states.get(drive)?.state ?? 'active';
  return state === 'active' || state === 'retired' ? undefined : state;
}

/** The drives in the same order, but first those with which no domain has more than `perDomain` columns. */
function spreadFirst(open: readonly number[], keeps: readonly number[], states: DriveRows, perDomain: number) {
  const columns = new Map<string, number>();
  const add = (drive: number): number => {
    const domain = domainOf(states, drive);
    const count = (columns.get(domain) ?? 0) + 1;
    columns.set(domain, count);
    return count;
  };
  for (const drive of keeps) add(drive);
  const within: number[] = [];
  const beyond: number[] = [];
  for (const drive of open) (add(drive) <= perDomain ? within : beyond).push(drive);
  return [...within, ...beyond];
}

const of = <T>(all: readonly T[], i: number): T => all[i] as T;

const tooFull = (open: number, columns: number): PocketfulError =>
  retryLater('STORE_FULL', `only ${open} of ${columns} drives have a free zone: add drives or compact`);

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
    ...takeZone(volume, zoneGeneration),
    if: [zoneGenerationAtMost(zoneGeneration), zoneIs('free')],
  };
}

/** The zone's objects are garbage from now on: a new generation, not yet to be written. */
export const eraseWrite = ({ drive, zone, zoneGeneration }: Extent, volume: VolumeId): Write => ({
  kind: 'update',
  ...zoneKey(drive, zone),
  ...startErasingZone(zoneGeneration + 1),
  if: [zoneGenerationIs(zoneGeneration), zoneBelongsTo(volume)],
});

/** Nothing of the old generation is left: the zone may be taken again. */
export const freeWrite = ({ drive, zone, zoneGeneration }: Extent): Write => ({
  kind: 'update',
  ...zoneKey(drive, zone),
  ...freeZone,
  if: [zoneGenerationIs(zoneGeneration + 1), zoneIs('erasing')],
});
