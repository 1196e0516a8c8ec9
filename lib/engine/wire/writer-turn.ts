// May this process write? Asked once before its first change, then again and again (Components.mayWrite). The drives
// remember which Panda wrote last and how many writers it had had (lib/drive/directory-witness.ts), so a copy of it, or
// an earlier state put back, is told apart before it does harm; docs/decisions/0015 has the steps and what a crash
// after each leaves.
import { realpathSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { DriveIdentity } from '../../drive/directory-marker.ts';
import { readWitness, type Witness, writeWitness } from '../../drive/directory-witness.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import { conflict, corrupt, denied, isKind, isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import { driveId, hexOf } from '../../foundation/ids.ts';
import { TURN_ATTEMPTS_MAX, TURN_BELIEVED_MS } from '../../limits/engine.ts';
import type { Write } from '../../panda/panda.ts';
import { type Lineage, lastMarkIs, lineageFromRow, setLineage } from '../../panda/rows/lineage.ts';
import { storeKey } from '../../panda/rows/store-row.ts';
import { pandaBehind, refuseIfBehind } from '../../volume/behind/newer-chunks.ts';
import type { Components } from '../../volume/rows/components.ts';
import { transact } from '../../volume/rows/transact.ts';
import { pandaPath } from './store-layout.ts';

const MARK_BYTES = 8;
const REFUSALS = new Set<ErrorCode>(['PANDA_BEHIND', 'STORE_COPIED', 'STORE_REPLACED']);

export class WriterTurn {
  readonly #path: string;
  readonly #components: Components;
  readonly #roots: readonly string[];
  readonly #file: string | undefined;
  #begun: Promise<Lineage> | undefined;
  #checking: Promise<void> | undefined;
  #checkedAtMs = Number.NEGATIVE_INFINITY;

  /** `roots`: the directories of the drives, by drive id. */
  constructor(path: string, components: Components, roots: readonly string[]) {
    this.#path = realpathSync(path);
    this.#components = components;
    this.#roots = roots;
    this.#file = fileIdentity(path);
  }

  /** Throws `corrupt` PANDA_BEHIND, `denied` STORE_COPIED, `conflict` STORE_REPLACED. */
  async mayWrite(): Promise<void> {
    const isFirst = this.#begun === undefined;
    this.#begun ??= this.#begin().catch((error: unknown) => {
      this.#begun = undefined; // it may be mended while this process runs
      throw error;
    });
    const mine = await this.#begun;
    const nowMs = this.#components.clock.monotonicMs();
    if (isFirst) this.#checkedAtMs = nowMs;
    if (nowMs - this.#checkedAtMs < TURN_BELIEVED_MS) return;
    this.#checking ??= this.#check(mine).finally(() => {
      this.#checking = undefined;
    });
    await this.#checking;
    this.#checkedAtMs = nowMs;
  }

  /** Why it may not, if so; changes nothing. */
  async refusal(): Promise<PocketfulError | undefined> {
    try {
      const seen = await this.#witnesses();
      this.#refuse(seen, await this.#lineage());
      await refuseIfBehind(this.#components);
      return undefined;
    } catch (error) {
      if (isPocketfulError(error) && REFUSALS.has(error.code)) return error;
      throw error;
    }
  }

  /** The drives first, then the row: what a writer of this very Panda left on a drive is in the row by then. */
  async #begin(): Promise<Lineage> {
    for (let attempt = 0; ; attempt++) {
      const seen = await this.#witnesses();
      const before = await this.#lineage();
      this.#refuse(seen, before);
      const mark = hexOf(this.#components.randomness.bytes(MARK_BYTES));
      const instance = before.instance ?? hexOf(this.#components.randomness.bytes(MARK_BYTES));
      const mine: Lineage = { ...before, instance, opens: before.opens + 1, mark };
      if (attempt === 0) await refuseIfBehind(this.#components);
      if (!(await this.#put(before, mine)) && attempt < TURN_ATTEMPTS_MAX) continue;
      await this.#tell(mine);
      if (mine.isTakingOver) await this.#put(mine, { ...mine, isTakingOver: false });
      return mine;
    }
  }

  /** What it has become since is asked anew. */
  forget(): void {
    this.#begun = undefined;
  }

  async #check(mine: Lineage): Promise<void> {
    const file = fileIdentity(this.#path);
    if (file !== this.#file) throw replaced(this.#path);
    const seen = await this.#witnesses();
    const now = await this.#lineage();
    if (now.epoch !== mine.epoch || now.instance !== mine.instance) throw replaced(this.#path);
    this.#refuse(seen, now);
  }

  #refuse(seen: readonly Witness[], now: Lineage): void {
    if (now.isTakingOver) return;
    const foreign = seen.find((witness) => isOfAnother(witness, now));
    if (foreign !== undefined) throw this.#strange(foreign);
  }

  #strange(witness: Witness): PocketfulError {
    const isHere = witness.host === hostname();
    const theirs = isHere ? fileIdentity(witness.path) : undefined;
    // Where the other one is not seen to be another file, this one was put back to an earlier state.
    if (isHere && (theirs === undefined || theirs === this.#file))
      return pandaBehind('the drives have had a writer since that it does not know');
    const where = isHere ? witness.path : `${witness.path} on ${witness.host}`;
    return denied(
      'STORE_COPIED',
      `a copy of this store, in ${where}, writes to the same drives: use that one, or let this one have them and give up what the other wrote: pocketful adopt --store file:${this.#path}`,
    );
  }

  #witnesses(): Promise<Witness[]> {
    const all = Promise.all(this.#roots.map((root, id) => readWitness(root, this.#identity(id))));
    return all.then((found) => found.filter((witness) => witness !== undefined));
  }

  async #tell({ epoch, instance = '', opens, mark = '' }: Lineage): Promise<void> {
    const witness = { epoch, instance, opens, mark, path: this.#path, host: hostname() };
    await Promise.all(this.#roots.map((root, id) => writeWitness(root, this.#identity(id), witness, mark)));
  }

  #identity(id: number): DriveIdentity {
    return { storeId: this.#components.storeId, driveId: driveId(id) };
  }

  async #lineage(): Promise<Lineage> {
    const row = await this.#components.panda.get(storeKey);
    if (row === undefined) throw corrupt('STORE_INCOMPLETE', `the metadata in ${this.#path} is of no finished store`);
    return lineageFromRow(row);
  }

  /** False: another process was first. */
  async #put(before: Lineage, next: Lineage): Promise<boolean> {
    const took = async (): Promise<boolean> => (await this.#lineage()).mark === next.mark;
    const write: Write = {
      kind: 'update',
      ...storeKey,
      ...setLineage(before, next),
      if: [lastMarkIs(before.mark)],
    };
    try {
      await transact(this.#components, [write], took);
      return true;
    } catch (error) {
      if (isKind(error, 'conflict')) return false;
      throw error;
    }
  }
}

/**
 * Whether a drive has met a writer of another Panda: another instance, a later writer, or another one of the same
 * number.
 */
export function isOfAnother(witness: Witness, now: Lineage): boolean {
  if (witness.instance !== now.instance) return true;
  return witness.opens > now.opens || (witness.opens === now.opens && witness.mark !== now.mark);
}

const replaced = (path: string): PocketfulError =>
  conflict('STORE_REPLACED', `the metadata in ${path} was replaced while this process ran: start it again`);

/** Which file the metadata is; a restore puts another one in its place. */
function fileIdentity(path: string): string | undefined {
  const found = statSync(pandaPath(path), { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
