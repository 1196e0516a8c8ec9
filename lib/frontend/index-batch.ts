// The index transactions of one batch, over the group that holds its new records: records that cannot be read are
// renewed first, then the objects are written; the last transaction settles the group where it can.
import { assert } from '../foundation/assert.ts';
import { mapLimit } from '../foundation/concurrency.ts';
import { isKind, isPocketfulError } from '../foundation/errors.ts';
import type { BlockId } from '../foundation/ids.ts';
import { INDEX_TRANSACTIONS_AT_ONCE } from '../limits/frontend.ts';
import { PAIRS_PER_TRANSACTION } from '../limits/panda.ts';
import type { Write } from '../panda/panda.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';
import type { ObjectRow } from '../panda/rows/object-row.ts';
import type { Components } from '../volume/rows/components.ts';
import type { GroupShare } from '../volume/write/append-bulk.ts';
import type { AppendedGroup } from '../volume/write/appended-group.ts';
import { inTransactions, isGuardFailure, notKnown, runIndex } from './index-objects.ts';
import type { FreshBlock, ObjectChange } from './index-plan.ts';
import { isThereToStay, type NamedOutcome, type NamedPuts, putNamed } from './named/put-named.ts';
import { renewRecords } from './renew-records.ts';

/** New records, stored and committed. */
export interface Appended {
  /** This batch's alone, or its share of a larger one. */
  readonly group: AppendedGroup | GroupShare;
  readonly fresh: ReadonlyMap<BlockId, FreshBlock>;
}

export interface IndexBatchRequest {
  readonly changes: readonly ObjectChange[];
  /** References beside those of the changes: a segment's. */
  readonly extra?: ReadonlyMap<BlockId, number> | undefined;
  /** Further writes of the (then single) transaction. */
  readonly guards?: readonly Write[] | undefined;
  readonly took?: (() => Promise<boolean>) | undefined;
  /** Of all blocks, as read. */
  readonly rows: ReadonlyMap<BlockId, BlockRow | undefined>;
  /** Known blocks among them whose record cannot be read; `appended` has a new one for each. */
  readonly lost: ReadonlyMap<BlockId, BlockRow>;
  readonly appended: Appended | undefined;
  /** By change, as read. */
  readonly olds: readonly (ObjectRow | undefined)[];
  /** Changes among them that are put by plain writes: their block is a new one of `appended`. */
  readonly named: NamedPuts;
}

export interface IndexBatchResult {
  /** Must be done again with new records: the lease was broken, or GC took a known block away. */
  readonly again: readonly ObjectChange[];
  /** The same of `extra`. */
  readonly isLost: boolean;
  readonly errors: ReadonlyMap<ObjectChange, Error>;
}

export class IndexBatch {
  readonly #components: Components;
  readonly #request: IndexBatchRequest;
  readonly #objects = new Map<ObjectChange, ObjectRow | undefined>();
  /** Those that earlier transactions of the batch made are not as they were read. */
  readonly #blocks: Map<BlockId, BlockRow | undefined>;
  readonly #used = new Set<BlockId>();
  /**
   * New records that no row named yet. Once one did, GC may have taken its row away, and its slot is dead then: it
   * is not named again.
   */
  readonly #unnamed: Map<BlockId, FreshBlock>;
  readonly #again: ObjectChange[] = [];
  readonly #errors = new Map<ObjectChange, Error>();
  #isLost = false;
  /** Transactions that may come yet, though only while the group is this batch's. */
  readonly #unsure: ObjectChange[] = [];
  #named: NamedOutcome = { written: [], unsure: [], refused: [], errors: new Map() };
  /** The group is settled, and its lease given back, by one of the transactions. */
  #isSettled = false;

  constructor(components: Components, request: IndexBatchRequest) {
    this.#components = components;
    this.#request = request;
    this.#blocks = new Map(request.rows);
    this.#unnamed = new Map(request.appended?.fresh);
  }

  /** Every way out ends the group: one that is kept would keep its volume from all later puts of this process. */
  async run(): Promise<IndexBatchResult> {
    try {
      await this.#inTurn(() => this.#write());
    } catch (error) {
      await this.#endAfter(error);
      throw error;
    }
    await this.#end();
    return { again: this.#again, isLost: this.#isLost, errors: this.#errors };
  }

  /** All transactions of a group check the row of its volume. */
  async #inTurn(write: () => Promise<void>): Promise<void> {
    const group = this.#request.appended?.group;
    if (group?.isShared !== true || !this.#components.panda.refusesOverlap) return write();
    const end = await group.turn();
    try {
      await write();
    } finally {
      end();
    }
  }

  async #write(): Promise<void> {
    const { extra, guards = [], named, olds: all } = this.#request;
    if (!(await this.#renew())) {
      this.#putOff(this.#request.changes);
      return;
    }
    for (const [i, change] of this.#request.changes.entries()) this.#objects.set(change, all[i]);
    const changes = this.#request.changes.filter((change) => !named.has(change));
    const olds = changes.map((change) => this.#objects.get(change));
    const inTrash = (id: BlockId): boolean => this.#blocks.get(id)?.state === 'trash';
    const transactions =
      extra === undefined
        ? inTransactions(changes, olds, PAIRS_PER_TRANSACTION, guards.length + 1, inTrash)
        : [[...changes]];
    // All of them check the row of the group's volume.
    const atOnce =
      this.#request.appended !== undefined && this.#components.panda.refusesOverlap ? 1 : INDEX_TRANSACTIONS_AT_ONCE;
    await mapLimit(transactions.slice(0, -1), atOnce, (some) => this.#attempt(some, false));
    const last = transactions.at(-1);
    if (last !== undefined) await this.#attempt(last, named.size === 0);
    if (named.size > 0) await this.#putNamed();
  }

  async #putNamed(): Promise<void> {
    const { appended, named } = this.#request;
    assert(appended?.group.isShared === false, 'what is put plain was appended, as a group of its own');
    const outcome = await putNamed(this.#components, appended.group, named, appended.fresh);
    this.#named = outcome;
    for (const [change, error] of outcome.errors) this.#errors.set(change, error);
    for (const change of outcome.written) this.#use(named.get(change) as BlockId);
    this.#putOff(outcome.refused);
  }

  /** False if the group is this batch's no more. */
  async #renew(): Promise<boolean> {
    const { lost, appended } = this.#request;
    if (lost.size === 0 || appended === undefined) return true;
    const guards = [appended.group.check()];
    try {
      for (const [id, row] of await renewRecords(this.#components, { lost, fresh: appended.fresh, guards })) {
        this.#use(id);
        this.#blocks.set(id, row);
      }
      // One that was renewed by somebody else, or shredded, is not as it was read.
      for (const id of lost.keys()) if (!this.#used.has(id)) this.#blocks.delete(id);
      return true;
    } catch (error) {
      if (isGuardFailure(error)) return false;
      throw error;
    }
  }

  /** One transaction; where it fails by what is in it, its halves, so that one object does no harm to another. */
  async #attempt(changes: readonly ObjectChange[], isLast: boolean): Promise<void> {
    const { appended, extra } = this.#request;
    try {
      await this.#transact(changes, isLast);
    } catch (error) {
      if (appended !== undefined && isGuardFailure(error, 0)) this.#putOff(changes);
      else if (isKind(error, 'conflict', 'corrupt') && extra === undefined) {
        const half = Math.ceil(changes.length / 2);
        if (changes.length === 1) this.#errors.set(changes[0] as ObjectChange, error);
        else for (const some of [changes.slice(0, half), changes.slice(half)]) await this.#attempt(some, false);
      } else if (isKind(error, 'unknown') && extra === undefined) {
        if (appended !== undefined) this.#unsure.push(...changes);
        else for (const change of changes) this.#errors.set(change, error);
      } else throw error;
    }
  }

  async #transact(changes: readonly ObjectChange[], isLast: boolean): Promise<void> {
    const { appended, extra, took, guards: own = [] } = this.#request;
    const fresh = appended?.fresh ?? new Map<BlockId, FreshBlock>();
    let settles = false;
    const guards = (using: readonly BlockId[]): Write[] => {
      if (appended === undefined) return [...own];
      const { group } = appended;
      if (group.isShared) return [group.check(), ...own];
      // The last transaction settles the group too, if with it no slot stays unused: a block that turned out to be
      // known leaves its slot to be marked dead.
      const named = new Set([...this.#used, ...using]);
      settles = isLast && [...fresh.keys()].every((id) => named.has(id));
      return [settles ? group.finish() : group.check(), ...own];
    };
    const outcome = await runIndex(this.#components, {
      changes,
      fresh: this.#unnamed,
      guards,
      seen: { objects: this.#objects, blocks: this.#blocks },
      ...(extra ? { extra } : {}),
      ...(took ? { took } : {}),
    });
    if (!outcome.ok) {
      this.#putOff(changes);
      return;
    }
    for (const id of outcome.used) {
      this.#use(id);
      this.#blocks.delete(id);
    }
    this.#isSettled = settles;
  }

  #use(id: BlockId): void {
    this.#used.add(id);
    this.#unnamed.delete(id);
  }

  #putOff(changes: readonly ObjectChange[]): void {
    this.#again.push(...changes);
    this.#isLost ||= this.#request.extra !== undefined;
  }

  async #end(): Promise<void> {
    const { appended } = this.#request;
    if (appended === undefined) return;
    const { group, fresh } = appended;
    const unsure = [...this.#unsure, ...this.#named.unsure];
    if (group.isShared) {
      const isFinal = unsure.length === 0 || (await group.recover());
      if (unsure.length === 0) await group.settle([...fresh.keys()].every((id) => this.#used.has(id)));
      return this.#judge(unsure, isFinal);
    }
    if (this.#isSettled) {
      group.finished();
      return this.#judge(unsure, true);
    }
    const { written } = this.#named;
    const areAllUsed = written.length > 0 && [...fresh.keys()].every((id) => this.#used.has(id));
    let isFinal = true;
    if (unsure.length > 0) isFinal = await group.recover();
    else if (!areAllUsed) await group.settle();
    else if (await group.tryFinish()) return;
    // What SETTLE has not made final may have been recovered, and is what it is by now.
    await this.#judge([...written, ...unsure], isFinal);
  }

  async #judge(doubtful: readonly ObjectChange[], isFinal: boolean): Promise<void> {
    if (doubtful.length === 0) return;
    let there: ReadonlySet<ObjectChange> = new Set();
    let isKnown = isFinal;
    try {
      there = await isThereToStay(this.#components, doubtful);
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      isKnown = false;
    }
    const missing = doubtful.filter((change) => !there.has(change));
    if (isKnown) return this.#putOff(missing);
    // It may still come: done again it could meet itself, and be told that somebody else was first.
    for (const change of missing) this.#errors.set(change, notKnown());
  }

  async #endAfter(error: unknown): Promise<void> {
    const group = this.#request.appended?.group;
    if (group === undefined || this.#isSettled) return;
    if (isKind(error, 'unknown') || this.#unsure.length + this.#named.unsure.length > 0) group.leave();
    else if (isPocketfulError(error)) await (group.isShared ? group.settle(false) : group.settle());
  }
}
