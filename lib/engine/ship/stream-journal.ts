// The journal of a table as a batch of its stream: the newest images of the rows that changed. What was shipped before
// is a row of the table, as there is no other place that all processes see. docs/decisions/0029 has the steps.
import type { Clock } from '../../foundation/clock.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import { hexOf } from '../../foundation/ids.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { samePoint } from '../../journal/points.ts';
import {
  STAGE_CLAIM_LOOK_MS_MAX,
  STAGE_CLAIM_MS_MAX,
  STAGE_CLAIM_MS_MIN,
  STAGE_TEND_MS_MAX,
  STAGE_TEND_MS_MIN,
  STAGE_TEND_SHIPPINGS,
} from '../../limits/journal.ts';
import type { ChangedRow, ImageRow, JournalSource, JournalView, ShippedTo } from '../../panda/journal-source.ts';
import type { Condition, Key, Panda, Row } from '../../panda/panda.ts';
import { drivePartition } from '../../panda/rows/drives/drive-row.ts';
import {
  cursorKey,
  JOURNAL_PARTITION,
  type Shipping,
  shippingAttributes,
  shippingFromRow,
  shippingIs,
  type Tender,
  tenderAttributes,
  tenderFromRow,
  tenderIs,
  tenderKey,
} from '../../panda/rows/journal-rows.ts';
import { storeKey } from '../../panda/rows/store-row.ts';
import { compareKeys, keyText } from '../../panda/sort-order.ts';
import { rowBytesOf } from '../../panda/sqlite/row-bytes.ts';
import { rowsAt, rowsOf } from '../../volume/rows/read-rows.ts';
import { transactUnlessConflict } from '../../volume/rows/transact.ts';

export interface StreamJournalOptions {
  /** To a point of its own, although nothing changed: what others began before leads nowhere from then on. */
  readonly movesOn?: boolean;
  /** A snapshot is not merged out of what was shipped, as part of the stream was lost. */
  readonly scansAnew?: boolean;
}

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
  readonly #options: StreamJournalOptions;
  /** What the cursor's row said when this one looked, and after it claimed. */
  #looked: Shipping | undefined;
  #claimed: Shipping | undefined;
  #shipped: ShippedTo | undefined;
  /** The cursor was moved by another invocation after this one had looked. */
  #wasOvertaken = false;

  /** `changed`: in the order of the stream; `atMs`: when the last of it was written. */
  constructor(
    ports: StreamJournalPorts,
    changed: readonly ChangedRow[],
    atMs: number,
    options: StreamJournalOptions = {},
  ) {
    this.#options = options;
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
    this.#looked = found === undefined ? undefined : shippingFromRow(found);
    const { cursor, claim } = this.#looked ?? {};
    const store = await panda.get(storeKey);
    const drives: Row[] = [];
    for await (const row of rowsOf(panda, drivePartition)) drives.push(row);
    const hasRows = this.#changes.length > 0;
    const next = {
      // Above any that was claimed: what is written under the highest number leads on from all that was shipped.
      sequence: Math.max(cursor?.sequence ?? 0, claim?.sequence ?? 0) + 1,
      mark: hexOf(randomness.bytes(MARK_BYTES)),
      // The latest of all that was shipped, not of the last batch: shards are read each at its pace.
      atMs: hasRows || cursor === undefined ? Math.max(cursor?.atMs ?? 0, this.#atMs) : cursor.atMs,
    };
    const isNew = hasRows || cursor === undefined || this.#options.movesOn === true;
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
      isScanned: this.#options.scansAnew !== true,
      all: () => allRows(panda),
      passedOver: () => [],
      close: () => {},
    };
  }

  /** Waits a while if another invocation is writing. Whoever stands still for long loses its claim, and ships again. */
  async claim(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean> {
    const { clock, randomness } = this.#ports;
    const is = this.#looked;
    if (!isFrom(is?.cursor, before, next.epoch)) return false;
    const restMs = this.#othersRestMs(is);
    if (restMs > 0) {
      await clock.sleep(1 + randomness.below(Math.min(restMs, STAGE_CLAIM_LOOK_MS_MAX)));
      return false;
    }
    const { epoch, sequence, mark } = next;
    const sinceMs = Math.max(0, clock.nowMs());
    const claimed = { cursor: is?.cursor, claim: { epoch, sequence, mark, sinceMs } };
    const took = await this.#putShipping(claimed, is);
    this.#claimed = took ? claimed : undefined;
    return took;
  }

  /** The number stays taken. If this fails as well, others wait a while. */
  async letGo(): Promise<void> {
    const claimed = this.#claimed;
    if (claimed?.claim === undefined) return;
    this.#claimed = undefined;
    const over = { ...claimed, claim: { ...claimed.claim, sinceMs: 0 } };
    try {
      await this.#putShipping(over, claimed);
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
    }
  }

  async advance(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean> {
    const claimed = this.#claimed;
    this.#wasOvertaken = true;
    const isClaimed = claimed?.claim?.epoch === next.epoch && samePoint(claimed.claim, next);
    if (!isClaimed || !isFrom(claimed.cursor, before, next.epoch)) return false;
    const moved = await this.#putShipping({ cursor: next, claim: undefined }, claimed);
    this.#claimed = undefined;
    if (moved) this.#shipped = next;
    return moved;
  }

  /** How long another may still be writing. Only manners: the conditions decide, whatever clocks say. */
  #othersRestMs(is: Shipping | undefined): number {
    const claim = is?.claim;
    if (claim === undefined || claim.mark === this.#claimed?.claim?.mark) return 0;
    const ageMs = Math.max(0, this.#ports.clock.nowMs()) - claim.sinceMs;
    // Each claim since the cursor moved, but the first, was of one who took those before it for dead.
    const claims = Math.max(1, claim.sequence - (is?.cursor?.sequence ?? 0));
    const patienceMs = Math.min(STAGE_CLAIM_MS_MAX, STAGE_CLAIM_MS_MIN * 2 ** Math.min(claims - 1, 20));
    return ageMs < 0 ? 0 : Math.max(0, patienceMs - ageMs);
  }

  /** Read after the cursor: whatever is shipped of these rows is no newer, as long as the cursor is where it was. */
  async #asTheyAre(): Promise<ImageRow[]> {
    const keys = this.#changes.map(({ partition, sort }) => ({ partition, sort }));
    const rows = await rowsAt(this.#ports.panda, keys);
    return keys.map((key, i) => imageOf({ ...key, attributes: rows[i]?.attributes }));
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

  #putShipping(next: Shipping, before: Shipping | undefined): Promise<boolean> {
    const isNext = (row: Row): boolean => {
      const { cursor, claim } = shippingFromRow(row);
      return isSame(next.cursor, cursor) && next.claim?.mark === claim?.mark;
    };
    return this.#put(cursorKey, shippingAttributes(next), shippingIs(before), isNext);
  }

  #putTender(next: Tender, before: Tender | undefined): Promise<boolean> {
    const isNext = (row: Row): boolean => tenderFromRow(row).owner === next.owner;
    return this.#put(tenderKey, tenderAttributes(next), tenderIs(before), isNext);
  }

  #put(key: Key, attributes: Row['attributes'], condition: Condition, isOurs: (row: Row) => boolean): Promise<boolean> {
    const took = async (): Promise<boolean> => {
      const row = await this.#ports.panda.get(key);
      return row !== undefined && isOurs(row);
    };
    return transactUnlessConflict(this.#ports, [{ kind: 'put', ...key, attributes, if: condition }], took);
  }
}

const NOBODY = '-';

const isSame = (a: ShippedTo | undefined, b: ShippedTo | undefined): boolean =>
  a === undefined || b === undefined ? a === b : a.epoch === b.epoch && samePoint(a, b);

/** One of another epoch is none: then the first of this one replaces it. */
const isFrom = (cursor: ShippedTo | undefined, before: ShippedTo | undefined, epoch: number): boolean =>
  before === undefined ? cursor?.epoch !== epoch : isSame(cursor, before);

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
