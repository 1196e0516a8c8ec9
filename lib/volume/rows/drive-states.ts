// What the rows say of each drive, as this process knows it: read again now and then. It steers choices only. A volume
// that is begun on a drive which somebody has just given up is as safe as its other columns, and the next repair moves
// that one: so a claim names no row that all claims name.

import { DRIVE_STATES_READ_EVERY_MS } from '../../limits/volume.ts';
import { type DriveRow, driveFromRow, drivePartition } from '../../panda/rows/drives/drive-row.ts';
import type { Components } from './components.ts';
import { rowsOf } from './read-rows.ts';

export type DriveRows = ReadonlyMap<number, DriveRow>;

export async function readDriveRows({ panda }: Pick<Components, 'panda'>): Promise<DriveRows> {
  const rows = new Map<number, DriveRow>();
  for await (const row of rowsOf(panda, drivePartition)) {
    const drive = driveFromRow(row);
    rows.set(drive.drive, drive);
  }
  return rows;
}

export class DriveStates {
  readonly #components: Components;
  #rows: DriveRows = new Map();
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(components: Components) {
    this.#components = components;
  }

  /** Of all drives that have a row. A drive that was added since this process began is among the components then. */
  async read(): Promise<DriveRows> {
    const { clock, drives } = this.#components;
    if (clock.monotonicMs() - this.#readAtMs < DRIVE_STATES_READ_EVERY_MS) return this.#rows;
    this.#rows = await readDriveRows(this.#components);
    if ([...this.#rows.keys()].some((drive) => drives[drive] === undefined)) await this.#components.findDrives?.();
    this.#readAtMs = clock.monotonicMs();
    return this.#rows;
  }

  /** A conflict has shown that somebody changed them. */
  forget(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }
}

export const isActive = (rows: DriveRows, drive: number): boolean => (rows.get(drive)?.state ?? 'active') === 'active';

/** It is not coming back as far as anybody knows: nothing waits for it. */
export function isGone(rows: DriveRows, drive: number): boolean {
  const state = rows.get(drive)?.state;
  return state === 'lost' || state === 'retired';
}

/** What fails together with it. */
export const domainOf = (rows: DriveRows, drive: number): string => rows.get(drive)?.domain ?? `drive ${drive}`;
