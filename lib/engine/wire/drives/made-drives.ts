// Directories as drives of a store: made with an incarnation of their own, and opened as the ones that the rows know.
import { DirectoryDrive, type DriveIdentity } from '../../../drive/directory-drive.ts';
import { markerOf } from '../../../drive/directory-marker.ts';
import type { Drive } from '../../../drive/drive.ts';
import type { Clock } from '../../../foundation/clock.ts';
import { isKind } from '../../../foundation/errors.ts';
import { driveId, hexOf, type StoreId } from '../../../foundation/ids.ts';
import type { Randomness } from '../../../foundation/randomness.ts';
import type { Panda } from '../../../panda/panda.ts';
import { driveFromRow, drivePartition } from '../../../panda/rows/drives/drive-row.ts';
import { type BadRowSink, readOrTell } from '../../../panda/rows/row-reader.ts';
import { rowsOf } from '../../../volume/rows/read-rows.ts';
import { driveAt } from '../store-layout.ts';

const INCARNATION_BYTES = 8;

/** Its incarnation: of whoever marked it first, where a call was cut off. Undefined: an earlier release did. */
export async function makeDriveAt(
  root: string,
  identity: DriveIdentity,
  randomness: Randomness,
): Promise<string | undefined> {
  await DirectoryDrive.create(root, { ...identity, incarnation: hexOf(randomness.bytes(INCARNATION_BYTES)) });
  return (await markerOf(root)).incarnation;
}

export class MadeDrives {
  readonly #path: string;
  readonly #storeId: StoreId;
  readonly #panda: Panda;
  readonly #clock: Clock;
  readonly #bad: BadRowSink;

  constructor(path: string, storeId: StoreId, panda: Panda, clock: Clock, bad: BadRowSink) {
    this.#path = path;
    this.#storeId = storeId;
    this.#panda = panda;
    this.#clock = clock;
    this.#bad = bad;
  }

  /** Of the drives from this number on; nothing is touched. */
  async from(first: number, places: readonly string[]): Promise<Drive[]> {
    const incarnations = await this.#incarnations();
    return places.slice(first).map((place, i) => {
      const id = first + i;
      const identity = { storeId: this.#storeId, driveId: driveId(id), incarnation: incarnations.get(id) };
      return new DirectoryDrive(driveAt(this.#path, place), identity, this.#clock);
    });
  }
  /** Of a file that is damaged none is known: then the marker need only name the store and the drive. */
  async #incarnations(): Promise<ReadonlyMap<number, string | undefined>> {
    const found = new Map<number, string | undefined>();
    try {
      for await (const row of rowsOf(this.#panda, drivePartition)) {
        const known = readOrTell(row, driveFromRow, this.#bad);
        if (known !== undefined) found.set(known.drive, known.incarnation);
      }
    } catch (error) {
      if (!isKind(error, 'corrupt')) throw error;
    }
    return found;
  }
}
