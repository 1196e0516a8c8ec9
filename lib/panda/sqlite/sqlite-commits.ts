// The transactions of a SqlitePanda. Every COMMIT is an fsync, so those that are pending together share one (group
// commit): each is still all or nothing by itself, has its own answer, and none resolves before the COMMIT. Once a
// process has written much, a thread of its own does it: the main thread has other work than waiting for a disk.
import { WRITES_PER_COMMIT, WRITES_PER_COMMIT_SHORT } from '../../limits/panda.ts';
import { ownedAttribute } from '../attributes.ts';
import type { Write } from '../panda.ts';
import { rowBytesOf } from './row-bytes.ts';
import type { BatchAnswer, Committer, KeptWrites } from './sqlite-batch.ts';
import type { MakeRoom } from './sqlite-file.ts';
import type { CommitThread } from './sqlite-thread.ts';

/** One call of transact, waiting for its COMMIT. */
interface Pending extends KeptWrites {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  /** On this thread. */
  readonly here: Committer;
  readonly startThread: () => CommitThread;
  /** Writes after which there is one. */
  readonly threadAfterWrites: number;
  readonly makeRoom?: MakeRoom | undefined;
  /** Stamps commits in the journal; undefined: what changes is not journalled, as nobody will ship it. */
  readonly nowMs: (() => number) | undefined;
}

export class GroupCommit {
  readonly #here: Committer;
  readonly #startThread: () => CommitThread;
  #writesUntilThread: number;
  #thread: CommitThread | undefined;
  readonly #makeRoom: MakeRoom | undefined;
  readonly #nowMs: (() => number) | undefined;
  #writesPerCommit = WRITES_PER_COMMIT;
  #pending: Pending[] = [];
  /** The flush that will commit what is pending now. */
  #flush: Promise<void> | undefined;

  constructor({ here, startThread, threadAfterWrites, makeRoom, nowMs }: GroupCommitOptions) {
    this.#here = here;
    this.#startThread = startThread;
    this.#writesUntilThread = threadAfterWrites;
    this.#makeRoom = makeRoom;
    this.#nowMs = nowMs;
  }

  /** `writes` are checked ones. Resolves when they are durable; what the caller changes later does not reach them. */
  add(writes: readonly Write[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.push({ ...keptApart(writes), resolve, reject });
    this.#flush ??= new Promise<void>((done) => setImmediate(done)).then(() => this.#commitPending());
    return promise;
  }

  /** If there is one, and it is ready. */
  get thread(): CommitThread | undefined {
    return this.#thread?.isOpen === true ? this.#thread : undefined;
  }

  async beginThread(): Promise<void> {
    this.#thread ??= this.#startThread();
    await this.#thread.begun();
  }

  /** Waits for what is pending. */
  async close(): Promise<void> {
    while (this.#flush !== undefined) await this.#flush;
    await this.#thread?.close();
  }

  async #commitPending(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const batch = takeBatch(this.#pending, this.#writesPerCommit);
        this.#settle(batch, await this.#committer(batch).commit(batch, this.#nowMs?.()));
        if (this.#pending.length > 0) await new Promise((done) => setImmediate(done));
      }
    } finally {
      this.#flush = undefined;
    }
  }

  /** The thread takes over when it is ready, and gives back if it dies. */
  #committer(batch: readonly Pending[]): Committer {
    if (this.#writesUntilThread <= 0) this.#thread ??= this.#startThread();
    for (const { writes } of batch) this.#writesUntilThread -= writes.length;
    return this.thread ?? this.#here;
  }

  /** What had no room comes again, in smaller parts, where the log or whoever keeps a reserve makes some. */
  #settle(batch: readonly Pending[], { refused, failed }: BatchAnswer): void {
    if (failed?.isFull === true && (failed.hasRoom || this.#makeRoom?.('write') === true)) {
      this.#writesPerCommit = WRITES_PER_COMMIT_SHORT;
      this.#pending.unshift(...batch);
      return;
    }
    for (const [number, pending] of batch.entries()) {
      if (failed !== undefined) pending.reject(failed.error);
      else if (refused.has(number)) pending.reject(refused.get(number));
      else pending.resolve();
    }
  }
}

function keptApart(writes: readonly Write[]): KeptWrites {
  const values = writes.map((write) => (write.kind === 'put' ? rowBytesOf(write, write.attributes) : undefined));
  const kept = writes.map((write): Write => {
    if (write.kind !== 'update' || write.set === undefined) return write;
    const set = Object.entries(write.set).map(([name, value]) => [name, ownedAttribute(value) ?? new Set<string>()]);
    return { ...write, set: Object.fromEntries(set) };
  });
  return { writes: kept, values };
}

/** The next transactions to share a COMMIT, taken out of `pending`; at least one. */
function takeBatch(pending: Pending[], writesMax: number): Pending[] {
  let writes = 0;
  let count = 0;
  while (count < pending.length && (count === 0 || writes < writesMax)) {
    writes += pending[count]?.writes.length ?? 0;
    count += 1;
  }
  return pending.splice(0, count);
}
