// Work that frees space on a disk with next to none, cut into portions of which each is shipped before the next begins:
// what is on no drive yet is never more than there is room to ship, and whoever comes after has the room it needs.
import { isKind } from '../../foundation/errors.ts';
import { PORTION_ROOM_BYTES_MAX, PORTION_ROOM_BYTES_MIN, SHREDDED_SHIP_BYTES } from '../../limits/engine.ts';

export interface PortionPorts {
  /** Free bytes of the disk, those of the reserve included. */
  roomBytes(): Promise<number>;
  /** Everything that was committed goes onto the drives. Throws `retry` JOURNAL_UNSHIPPED. */
  ship(): Promise<void>;
  /** How many there are of each thing that is shipped. */
  readonly copies: number;
}

/** What is to be left of the room. */
export interface PortionNeeds {
  readonly leastBytes: number;
  /** For what comes after, and besides what GC will ship of what is deleted. */
  readonly keptBytes: number;
}

export class Portions {
  readonly #ports: PortionPorts;
  readonly #needs: PortionNeeds;
  /** Of references that GC has to give back. */
  #laterBytes: number;
  #leftBytes = 0;

  /** `before`: references that others have left to GC. */
  constructor(ports: PortionPorts, needs: PortionNeeds, before = 0) {
    this.#ports = ports;
    this.#needs = needs;
    this.#laterBytes = this.#shippedLater(before);
  }

  /** What was done is on the drives now, and there is room for more. */
  async begin(): Promise<boolean> {
    if (!(await this.end())) return false;
    const { leastBytes, keptBytes } = this.#needs;
    const leftBytes = (await this.#ports.roomBytes()) - Math.max(leastBytes, keptBytes + this.#laterBytes);
    this.#leftBytes = Math.min(leftBytes, PORTION_ROOM_BYTES_MAX);
    return leftBytes >= PORTION_ROOM_BYTES_MIN;
  }

  /** Whether rows of so many bytes, which leave so many references to GC, are still part of this portion. */
  takes(bytes: number, references = 0): boolean {
    const laterBytes = this.#shippedLater(references);
    const needBytes = this.#writtenBytes(bytes) + laterBytes;
    if (needBytes > this.#leftBytes) return false;
    this.#leftBytes -= needBytes;
    this.#laterBytes += laterBytes;
    return true;
  }

  /** How many slots GC may shred in this portion. */
  slots(): number {
    return Math.floor(this.#leftBytes / this.#writtenBytes(SHREDDED_SHIP_BYTES));
  }

  /** The last portion, too, goes onto the drives; false: not now. */
  async end(): Promise<boolean> {
    try {
      await this.#ports.ship();
      return true;
    } catch (error) {
      if (!isKind(error, 'retry')) throw error;
      return false;
    }
  }

  /** Once in the file of the metadata, then in every copy; never compressed, for what will be is not known. */
  #writtenBytes(bytes: number): number {
    return (this.#ports.copies + 1) * bytes;
  }

  #shippedLater(references: number): number {
    return this.#ports.copies * SHREDDED_SHIP_BYTES * references;
  }
}
