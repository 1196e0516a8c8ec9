// What changed in a Panda, for whoever ships it elsewhere: a moment of its rows, and the keys of those that changed
// since a cursor. Bodies: sqlite/sqlite-journal.ts, which keeps one, and engine/ship/stream-journal.ts, which is given
// a batch of a table's stream.
import type { Attributes, Key, Row } from './panda.ts';

/** A COMMIT: its number and four random bytes of it, as hex. */
export interface CommitPoint {
  readonly sequence: number;
  readonly mark: string;
}

export interface ShippedTo extends CommitPoint {
  readonly epoch: number;
  readonly atMs: number;
}

export interface ImageRow extends Key {
  /** The row's value as bytes; undefined: gone. */
  readonly image: Uint8Array | undefined;
}

/** A row that changed, as a stream has it; `attributes`: undefined if there is no such row any more. */
export interface ChangedRow extends Key {
  readonly attributes: Attributes | undefined;
}

/** A row whose value cannot be read: what was shipped of it before may be sound. */
export interface DamagedRow extends Key {
  readonly damage: string;
}

export const isDamaged = (row: ImageRow | DamagedRow): row is DamagedRow => 'damage' in row;

/** Of one moment; close it soon. */
export interface JournalView {
  /** The newest COMMIT; undefined: nothing was ever written by a release that journals. */
  readonly tip: (CommitPoint & { readonly atMs: number }) | undefined;
  readonly cursor: ShippedTo | undefined;
  /** COMMITs after the cursor (undefined: not known), and when the first of them was. */
  readonly waiting: { readonly commits: number | undefined; readonly sinceMs: number | undefined };
  row(key: Key): Row | undefined;
  rows(partition: string): readonly Row[];
  /** Rows that changed after the cursor, ascending by key. */
  changes(): Iterable<ImageRow | DamagedRow>;
  /** True: all rows are of no one moment, and are held at once to be sorted. What was shipped is asked for first. */
  readonly isScanned?: boolean;
  /** All rows, ascending by key. */
  all(): Iterable<ImageRow | DamagedRow> | AsyncIterable<ImageRow | DamagedRow>;
  /** Those that were passed over (below), and still cannot be read. */
  passedOver(): DamagedRow[];
  close(): void;
}

export interface JournalSource {
  look(): Promise<JournalView>;
  /**
   * Before a segment from `before` to `next` is written: whatever leads on from `before` and is not after `next` is no
   * longer what the cursor may move to, or holds no more than it. So of all that was written the highest number is the
   * cursor's, or leads on from there. False: another process is at it, or was quicker.
   */
  claim(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean>;
  /** Nothing is written of what was claimed last: nobody need wait for it. */
  letGo(): Promise<void>;
  /**
   * After `claim`: moves the cursor on, if it still is `before` (undefined: there is none, or one of another epoch).
   * False: another process was quicker.
   */
  advance(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean>;
  /** Notes rows that could not be shipped as they cannot be read: with the last commit, so before the cursor moves. */
  passOver(keys: readonly Key[]): Promise<void>;
  /** Makes `owner` the one who tends what is shipped; false if another does who is not known to be gone. */
  beginTending(owner: string, isGone: (owner: string) => boolean): Promise<boolean>;
  endTending(owner: string): Promise<void>;
  close(): void;
}
