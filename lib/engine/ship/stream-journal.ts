// The journal of a table as a batch of its stream: the newest images of the rows that changed. What was shipped before
// is a row of the table, as there is no other place that all processes see. docs/decisions/0029 has the steps.
import type { Clock } from '../../foundation/clock.ts';
import { hexOf } from '../../foundation/ids.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { samePoint } from '../../journal/points.ts';
import { STAGE_TEND_MS_MAX, STAGE_TEND_MS_MIN, STAGE_TEND_SHIPPINGS } from '../../limits/journal.ts';
import { KEYS_AT_ONCE } from '../../limits/panda.ts';
import type { ChangedRow, ImageRow, JournalSource, JournalView, ShippedTo } from '../../panda/journal-source.ts';
import type { Key, Panda, Row } from '../../panda/panda.ts';
import { drivePartition } from '../../panda/rows/drives/drive-row.ts';
import {
  cursorAttributes,
  cursorFromRow,
  cursorIs,
  cursorKey,
  JOURNAL_PARTITION,
  type Tender,
  tenderAttributes,
  tenderFromRow,
  tenderIs,
  tenderKey,
} from '../../panda/rows/journal-rows.ts';
import { storeKey } from '../../panda/rows/store-row.ts';
import { compareKeys, keyText } from '../../panda/sort-order.ts';
import { rowBytesOf } from '../../panda/sqlite/row-bytes.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import { transactUnlessConflict } from '../../volume/rows/transact.ts';

export interface StreamJournalPorts {
  readonly panda: Panda;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

const MARK_BYTES = 4;

export class StreamJournal implements JournalSource {
  readonly #ports: StreamJournalPorts;
  readonly #changes: readonly ImageRow[];
  readonly #atMs: number;
  readonly #scansAnew: boolean;
  #shipped: ShippedTo | undefined;
  /** The cursor was moved by another invocation after this one had looked. */
  #wasOvertaken = false;

  /**
   * `changed`: in the order of the stream; `atMs`: when the last of it was written. `scansAnew`: a snapshot is not
   * merged out of what was shipped, as part of the stream was lost.
   */
  constructor(ports: StreamJournalPorts, changed: readonly ChangedRow[], atMs: number, scansAnew = false) {
    this.#scansAnew = scansAnew;
    this.#ports = ports;
    this.#atMs = Math.max(0, atMs);
    const newest = new Map<string, ChangedRow>();
    for (const row of changed) if (row.partition !== JOURNAL_PARTITION) newest.set(keyText(row), row);
    this.#changes = [...newest.values()].sort(compareKeys).map(imageOf);
  }

  async look(): Promise<JournalView> {
    const { panda, randomness } = this.#ports;
    // Before any scan: what changes after this is in the stream after this batch, or in it.
    const found = await panda.get(cursorKey);
    const cursor = found === undefined ? undefined : cursorFromRow(found);
    const store = await panda.get(storeKey);
    const drives: Row[] = [];
    for await (const row of rowsOf(panda, drivePartition)) drives.push(row);
    const next = { sequence: (cursor?.sequence ?? 0) + 1, mark: hexOf(randomness.bytes(MARK_BYTES)), atMs: this.#atMs };
    // What was scanned anew is no point that was there before: a snapshot of that one may be, under its name.
    const isNew = this.#changes.length > 0 || cursor === undefined || this.#scansAnew;
    const hasNews = this.#shipped === undefined && isNew;
    // Delivered again, a batch may come after those that followed it were shipped: its images would be older ones.
    const isLate = this.#wasOvertaken || (cursor !== undefined && this.#atMs <= cursor.atMs);
    const changes = hasNews && isLate ? await this.#asTheyAre() : this.#changes;
    return {
      tip: hasNews ? next : cursor,
      cursor,
      waiting: this.#waiting,
      row: (key) => (key.partition === storeKey.partition && key.sort === storeKey.sort ? store : undefined),
      rows: (partition) => (partition === drivePartition ? drives : []),
      changes: () => changes,
      isScanned: !this.#scansAnew,
      all: () => allRows(panda),
      passedOver: () => [],
      close: () => {},
    };
  }

  async advance(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean> {
    const { panda } = this.#ports;
    const found = await panda.get(cursorKey);
    const is = found === undefined ? undefined : cursorFromRow(found);
    // One of another epoch is none: then the first of this one replaces it.
    this.#wasOvertaken = true;
    if (before === undefined ? is?.epoch === next.epoch : !isSame(before, is)) return false;
    const attributes = cursorAttributes(next);
    const moved = await this.#put(cursorKey, attributes, cursorIs(is), (row) => isSame(next, cursorFromRow(row)));
    if (moved) this.#shipped = next;
    return moved;
  }

  /** Read after the cursor: whatever is shipped of these rows is no newer, as long as the cursor is where it was. */
  async #asTheyAre(): Promise<ImageRow[]> {
    const images: ImageRow[] = [];
    for (let at = 0; at < this.#changes.length; at += KEYS_AT_ONCE) {
      const keys = this.#changes.slice(at, at + KEYS_AT_ONCE).map(({ partition, sort }) => ({ partition, sort }));
      const rows = await this.#ports.panda.getMany(keys);
      images.push(...keys.map((key, i) => imageOf({ ...key, attributes: rows[i]?.attributes })));
    }
    return images;
  }

  /** Rows of a table are never damaged as those of a file. */
  async passOver(): Promise<void> {}

  /** False as well if somebody did it a short while ago, or little was shipped since. */
  async beginTending(owner: string, isGone: (owner: string) => boolean): Promise<boolean> {
    const { panda, clock } = this.#ports;
    const nowMs = Math.max(0, clock.nowMs());
    const found = await panda.get(tenderKey);
    const is = found === undefined ? undefined : tenderFromRow(found);
    const isAtIt = is !== undefined && is.owner !== NOBODY && is.owner !== owner && !isGone(is.owner);
    const ageMs = is === undefined || is.sinceMs > nowMs ? Number.POSITIVE_INFINITY : nowMs - is.sinceMs;
    const sequence = this.#shipped?.sequence ?? is?.sequence ?? 0;
    const hasFew = sequence - (is?.sequence ?? 0) < STAGE_TEND_SHIPPINGS && ageMs < STAGE_TEND_MS_MAX;
    if (isAtIt || ageMs < STAGE_TEND_MS_MIN || hasFew) return false;
    return this.#putTender({ owner, sinceMs: nowMs, sequence }, is);
  }

  async endTending(owner: string): Promise<void> {
    const found = await this.#ports.panda.get(tenderKey);
    const is = found === undefined ? undefined : tenderFromRow(found);
    if (is?.owner === owner) await this.#putTender({ ...is, owner: NOBODY }, is);
  }

  close(): void {}

  /** Of the batch. Without one: only the stream knows what it holds. */
  get #waiting(): JournalView['waiting'] {
    if (this.#changes.length === 0) return { commits: undefined, sinceMs: undefined };
    return this.#shipped === undefined ? { commits: 1, sinceMs: this.#atMs } : { commits: 0, sinceMs: undefined };
  }

  #putTender(next: Tender, before: Tender | undefined): Promise<boolean> {
    const isNext = (row: Row): boolean => tenderFromRow(row).owner === next.owner;
    return this.#put(tenderKey, tenderAttributes(next), tenderIs(before), isNext);
  }

  #put(
    key: Key,
    attributes: Row['attributes'],
    condition: ReturnType<typeof cursorIs>,
    isOurs: (row: Row) => boolean,
  ): Promise<boolean> {
    const took = async (): Promise<boolean> => {
      const row = await this.#ports.panda.get(key);
      return row !== undefined && isOurs(row);
    };
    return transactUnlessConflict(this.#ports, [{ kind: 'put', ...key, attributes, if: condition }], took);
  }
}

const NOBODY = '-';

const isSame = (a: ShippedTo, b: ShippedTo | undefined): boolean => a.epoch === b?.epoch && samePoint(a, b);

const imageOf = ({ partition, sort, attributes }: ChangedRow): ImageRow => ({
  ...{ partition, sort },
  image: attributes === undefined ? undefined : rowBytesOf({ partition, sort }, attributes),
});

/** In memory, as a scan has no order: only where the ladder does not lead to the cursor. */
async function* allRows(panda: Panda): AsyncGenerator<ImageRow> {
  const images: ImageRow[] = [];
  for await (const page of panda.scan())
    for (const row of page) if (row.partition !== JOURNAL_PARTITION) images.push(imageOf(row));
  yield* images.sort(compareKeys);
}
