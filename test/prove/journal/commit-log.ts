// The journal of the metadata that all processes of a run share: every transaction that was done, in order, with the rows it left. What the rows were at
// any COMMIT follows from it, so that what is restored is compared row by row.
import { hexOf } from '../../../lib/foundation/ids.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { samePoint } from '../../../lib/journal/points.ts';
import type {
  CommitPoint,
  ImageRow,
  JournalSource,
  JournalView,
  ShippedTo,
} from '../../../lib/panda/journal-source.ts';
import type { Attributes, Key, Row, Write } from '../../../lib/panda/panda.ts';
import { compareKeys, keyText } from '../../../lib/panda/sort-order.ts';
import { rowBytesOf } from '../../../lib/panda/sqlite/row-bytes.ts';

export interface Change extends Key {
  readonly attributes: Attributes | undefined;
}

export interface Commit extends CommitPoint {
  readonly atMs: number;
  /** The scheduler's step. */
  readonly step: number;
  readonly changes: readonly Change[];
}

const MARK_BYTES = 4;

export class CommitLog {
  /** The first one is what was there when the run began. */
  readonly #commits: Commit[] = [];
  readonly #random: SeededRandomness;
  cursor: ShippedTo | undefined;
  #tender: string | undefined;

  constructor(random: SeededRandomness) {
    this.#random = random;
  }

  note(changes: readonly Change[], atMs: number, step: number): Commit {
    const mark = hexOf(this.#random.bytes(MARK_BYTES));
    const commit = { sequence: this.#commits.length + 1, mark, atMs: Math.max(0, atMs), step, changes };
    this.#commits.push(commit);
    return commit;
  }

  /** By key, all it ever was, and since which COMMIT. */
  images(): Map<string, (Change & { readonly sequence: number })[]> {
    const all = new Map<string, (Change & { readonly sequence: number })[]>();
    for (const { changes, sequence } of this.#commits)
      for (const change of changes) {
        const known = all.get(keyText(change)) ?? [];
        known.push({ ...change, sequence });
        all.set(keyText(change), known);
      }
    return all;
  }

  commitAt(sequence: number): Commit | undefined {
    return this.#commits[sequence - 1];
  }

  /** All rows as they were after that many. */
  rowsAt(sequence: number): Map<string, Row> {
    const rows = new Map<string, Row>();
    for (const change of newest(this.#commits.slice(0, sequence)))
      if (change.attributes !== undefined) rows.set(keyText(change), { ...change, attributes: change.attributes });
    return rows;
  }

  look(): JournalView {
    const { cursor } = this;
    const tip = this.#commits.at(-1);
    const until = this.#commits.length;
    const after = this.#commits.slice(cursor?.sequence ?? 0, until);
    let known: Map<string, Row> | undefined;
    const rowsNow = (): Map<string, Row> => {
      known ??= this.rowsAt(until);
      return known;
    };
    return {
      tip,
      cursor,
      waiting: { commits: after.length, sinceMs: after[0]?.atMs },
      row: (key) => rowsNow().get(keyText(key)),
      rows: (partition) => [...rowsNow().values()].filter((row) => row.partition === partition),
      changes: () => newest(after).sort(compareKeys).map(imageOf),
      all: () => [...rowsNow().values()].sort(compareKeys).map(imageOf),
      passedOver: () => [],
      close: () => {},
    };
  }

  advance(before: ShippedTo | undefined, next: ShippedTo): boolean {
    const { cursor } = this;
    const isSame =
      before === undefined
        ? cursor === undefined || cursor.epoch !== next.epoch
        : cursor !== undefined && cursor.epoch === before.epoch && samePoint(cursor, before);
    if (isSame) this.cursor = next;
    return isSame;
  }

  /** With nothing in between: once all is still. */
  source(): JournalSource {
    return {
      look: async () => this.look(),
      claim: async () => true,
      letGo: async () => {},
      advance: async (before, next) => this.advance(before, next),
      passOver: async () => {},
      beginTending: async (owner, isGone) => this.beginTending(owner, isGone),
      endTending: async (owner) => this.endTending(owner),
      close: () => {},
    };
  }

  beginTending(owner: string, isGone: (owner: string) => boolean): boolean {
    if (this.#tender !== undefined && this.#tender !== owner && !isGone(this.#tender)) return false;
    this.#tender = owner;
    return true;
  }

  endTending(owner: string): void {
    if (this.#tender === owner) this.#tender = undefined;
  }
}

/** Of each key the last one. */
function newest(commits: readonly Commit[]): Change[] {
  const last = new Map<string, Change>();
  for (const { changes } of commits) for (const change of changes) last.set(keyText(change), change);
  return [...last.values()];
}

const imageOf = ({ partition, sort, attributes }: Change): ImageRow => ({
  ...{ partition, sort },
  image: attributes === undefined ? undefined : rowBytesOf({ partition, sort }, attributes),
});

/** What a transaction that was just done has left. */
export const changesOf = (writes: readonly Write[], rows: readonly (Row | undefined)[]): Change[] =>
  writes.flatMap(({ kind, partition, sort }, i) =>
    kind === 'check' ? [] : [{ partition, sort, attributes: rows[i]?.attributes }],
  );
