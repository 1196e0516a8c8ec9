// The Panda port: an ordered, versioned key-value store with the transactions of DynamoDB and nothing more. Typed rows
// are made of it in the repositories (rows/); a body only knows keys, attributes and conditions.

/**
 * What an attribute may hold. Numbers are safe integers. A set is a set of non-empty strings; the empty set and the
 * absent attribute are the same thing. Lists keep their order and are replaced as a whole.
 */
export type Attribute = string | number | Uint8Array | readonly (string | number)[] | ReadonlySet<string>;
export type Attributes = Readonly<Record<string, Attribute>>;

/**
 * Rows of a partition are ordered by the UTF-8 bytes of `sort`. Neither is empty; at most 1,024 bytes each; no lone
 * surrogates.
 */
export interface Key {
  readonly partition: string;
  readonly sort: string;
}

export interface Row extends Key {
  readonly attributes: Attributes;
  /**
   * Why the stored form cannot be understood; `attributes` is empty then. Only `query` and `scan` give such rows, so
   * that one of them is in the way of no other: whoever reads a row goes through rows/row-reader.ts, which refuses it.
   */
  readonly damaged?: string;
}

/** One clause; a condition is all of its clauses. On an absent row only `absent` and `{attribute, missing}` hold. */
export type Clause =
  | 'exists'
  | 'absent'
  | { readonly attribute: string; readonly equals: string | number | Uint8Array }
  | { readonly attribute: string; readonly atLeast: number }
  | { readonly attribute: string; readonly atMost: number }
  | { readonly attribute: string; readonly oneOf: readonly (string | number)[] }
  | { readonly attribute: string; readonly contains: string }
  | { readonly attribute: string; readonly missing: true };
export type Condition = readonly Clause[];

/** Replaces the whole row. Without a condition it overwrites. */
export interface Put extends Key {
  readonly kind: 'put';
  readonly attributes: Attributes;
  readonly if?: Condition;
}

/**
 * Changes single attributes of a row that exists (an update of an absent row fails its condition): so two writers of
 * disjoint attributes do not disturb each other. An attribute may be named in one of the five only.
 */
export interface Update extends Key {
  readonly kind: 'update';
  readonly set?: Attributes;
  /** Adds to a number; an absent one counts as 0. */
  readonly add?: Readonly<Record<string, number>>;
  readonly remove?: readonly string[];
  readonly insert?: Readonly<Record<string, readonly string[]>>;
  readonly discard?: Readonly<Record<string, readonly string[]>>;
  readonly if?: Condition;
}

/** Deleting an absent row succeeds unless a condition says otherwise. */
export interface Delete extends Key {
  readonly kind: 'delete';
  readonly if?: Condition;
}

export interface Check extends Key {
  readonly kind: 'check';
  readonly if: Condition;
}

export type Write = Put | Update | Delete | Check;

/** Both bounds are inclusive and optional. */
export interface SortRange {
  readonly from?: string;
  readonly to?: string;
}

export interface Page {
  readonly rows: readonly Row[];
  /** Ask again with `from` = this to go on; absent at the end of the range. */
  readonly next?: string;
}

export interface QueryOptions {
  /** At most this many rows (1..1,000; default 1,000). A page may be shorter and still have a `next`. */
  readonly limit?: number;
  /**
   * The attributes that are read; a body may give the others as well. Bytes are not to be written to then: they may be
   * a part of something.
   */
  readonly only?: ReadonlySet<string>;
}

export interface ReadOptions {
  /**
   * `eventual`, at half the price: each row as it is or as it was a while ago, not all of one time. Only for a first
   * look whose every conclusion is a condition of the transaction that follows. `strong` if not told; a body may always
   * read strongly.
   */
  readonly consistency?: 'strong' | 'eventual';
}

/**
 * Errors of every body (PocketfulError):
 * - `conflict` CONDITION_FAILED  (PandaConflict) nothing was written; `failed` are the indexes of the writes whose
 *   condition did not hold
 * - `retry`    PANDA_BUSY        nothing was written: throttled, or in conflict with another transaction
 * - `retry`    PANDA_FULL        nothing was written: no space left, and waiting makes none
 * - `unknown`  PANDA_UNKNOWN     it may have been written or not: read the rows again
 * - `denied`   PANDA_DENIED
 * - `corrupt`  PANDA_CORRUPT     the whole of it; nothing is written from then on
 * - `corrupt`  ROW_DAMAGED       a row that was asked for, or that a condition or an update is about
 * Programmer errors (an assertion): the same key twice, no writes, more than TRANSACTION_ITEMS_MAX, a row too large.
 */
export interface Panda {
  /**
   * True where of two transactions under way on one row the later one is refused (`retry`), even if both only check it.
   * Whoever sends several that share a row sends them one after the other there; elsewhere they share a commit.
   */
  readonly refusesOverlap: boolean;
  /**
   * True where a transaction costs twice what its writes cost alone, in money: objects are put by plain writes there,
   * in more steps. Elsewhere writes that are independent share a commit anyway.
   */
  readonly paysByWrite: boolean;
  /** Strongly consistent. */
  get(key: Key): Promise<Row | undefined>;
  /**
   * Strongly consistent unless told otherwise, one answer per key in the order asked; at most 100 keys. Not a snapshot.
   */
  getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]>;
  /** Strongly consistent rows of a partition in ascending order of sort key. */
  query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page>;
  /**
   * All or nothing, serializable. The same array sent again is the same request: where a request may be done long after
   * its answer was lost, it is done once however often it was sent (transactions of more than one write).
   */
  transact(writes: readonly Write[]): Promise<void>;
  /**
   * Every row of the store, partition by partition in any order, for backup and for doctor; pages so that memory stays
   * bounded. Each page is consistent in itself at most.
   */
  scan(): AsyncIterable<readonly Row[]>;
  close(): Promise<void>;
}
