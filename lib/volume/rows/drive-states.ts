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
  #reading: Promise<DriveRows> | undefined;

  constructor(components: Components) {
    this.#components = components;
  }

  /**
   * Of all drives that have a row, not older than `ageMs`. A drive that was added since this process began is among the
   * components then. Whoever asks while they are read waits for that.
   */
  async read(ageMs = DRIVE_STATES_READ_EVERY_MS): Promise<DriveRows> {
    const { clock } = this.#components;
    if (clock.monotonicMs() - this.#readAtMs < ageMs) return this.#rows;
    if (this.#reading !== undefined) return this.#reading;
    const reading = this.#readAnew();
    this.#reading = reading;
    try {
      const rows = await reading;
      // What was read before somebody told of a change may be from before it.
      if (this.#reading === reading) {
        this.#rows = rows;
        this.#readAtMs = clock.monotonicMs();
      }
      return rows;
    } finally {
      if (this.#reading === reading) this.#reading = undefined;
    }
  }

  /** A conflict has shown that somebody changed them. */
  forget(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY;
    this.#reading = undefined;
  }

  async #readAnew(): Promise<DriveRows> {
    const { drives, findDrives } = this.#components;
    const rows = await readDriveRows(this.#components);
    if ([...rows.keys()].some((drive) => drives[drive] === undefined)) await findDrives?.();
    return rows;
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
