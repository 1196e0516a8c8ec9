// MERGE against everything that touches the same rows, over the store's own pure step functions: one block in bucket A of volume S,
// two mergers (the second one a rival, or what follows a zombie) that copy it into C of volume D or c of d, a mover that takes A to E, GC,
// two users who delete and put, one who recovers and takes dead runs over, and the inspector who frees S. Every actor may stop for
// good at any step, and reads now what it writes by later.
import { blockId, bucketId, type RecordId, type RunId, recordId, type VolumeId } from '../../lib/foundation/ids.ts';
import { type FreshBlock, planIndex } from '../../lib/frontend/index-plan.ts';
import { renewWrites } from '../../lib/frontend/renew-plan.ts';
import { isDoomed, shredWrites } from '../../lib/gc/collect-garbage.ts';
import type { Clause, Key, Write } from '../../lib/panda/panda.ts';
import { type BlockRow, blockAttributes, blockFromRow, blockKey } from '../../lib/panda/rows/block-row.ts';
import {
  type BucketRow,
  bucketFromRow,
  bucketKey,
  deadFromRow,
  deadKey,
  isDead,
} from '../../lib/panda/rows/bucket-row.ts';
import { groupFromRow, groupKey, type MergeGroupRow } from '../../lib/panda/rows/group-row.ts';
import { shredKey, type TrashRow, trashFromRow, trashKey } from '../../lib/panda/rows/trash-row.ts';
import { type VolumeRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import {
  isMergeable,
  type MergingBlock,
  mergeCommitWrites,
  mergeIndexWrites,
  mergeNoteWrite,
} from '../../lib/volume/steps/merge-steps.ts';
import { partsOf, settledWrite, unnamedWrites } from '../../lib/volume/steps/recover-steps.ts';
import { dropWrites } from '../../lib/volume/write/drop-bucket.ts';
import { moveWrites } from '../../lib/volume/write/move.ts';
import { numberAt, type Rows, rowAt, rowOf, transacted } from './rows.ts';
import { type NamedCondition, Turn, type TurnStep } from './turn.ts';

const CELL = 'c0';
const BYTES = 100;
const X = blockId('ab'.repeat(32));
const RECORD = recordId('11'.repeat(16));
const VOLUMES = {
  S: '5'.repeat(16),
  D: 'd'.repeat(16),
  d: `d${'0'.repeat(15)}`,
  E: 'e'.repeat(16),
} as Record<'S' | 'D' | 'd' | 'E', VolumeId>;
const BUCKETS = { A: bucketId('a'.repeat(16)), C: bucketId('c'.repeat(16)), c: bucketId(`c${'0'.repeat(15)}`) };
const FRESH = bucketId('f'.repeat(16));
type BucketName = keyof typeof BUCKETS;
type VolumeName = keyof typeof VOLUMES;

const nameOf = (id: string): BucketName | 'fresh' =>
  (Object.keys(BUCKETS) as BucketName[]).find((name) => BUCKETS[name] === id) ?? 'fresh';
const volumeAt = (name: VolumeName): Key => volumeKey(CELL, VOLUMES[name]);
const inVolume = (name: VolumeName): Pick<VolumeRow, 'id'> => ({ id: VOLUMES[name] });
const TRASH = (['A', 'C', 'c'] as const).map((name) => trashKey(CELL, BUCKETS[name], 0));
const BLOCK = blockKey(X);

/** `at`: the next step. The others are what an actor remembers: numbers of rows it read, its token, its sequence number. */
interface Actor {
  readonly at: number;
  readonly block?: number;
  readonly dead?: number;
  readonly deadTo?: number;
  readonly bucket?: number;
  readonly token?: number;
  readonly seq?: number;
  /** A transaction whose outcome it does not know is still under way. */
  readonly late?: number;
}
type ActorName = 'M' | 'm' | 'V' | 'R' | 'T' | 'G' | 'U' | 'u' | 'F';

export interface MergeState {
  readonly rows: Rows;
  /** Bucket and volume of every readable copy of the record: `AS`, `CD`, `AE`. */
  readonly copies: string;
  readonly actors: Readonly<Partial<Record<ActorName, Actor>>>;
  /** References that users were told of. */
  readonly held: readonly [number, number];
}

/** Who takes part, and what the users do: `+` puts, `-` deletes, `!` puts because the record cannot be read just now. */
export interface Cast {
  readonly actors: readonly ActorName[];
  readonly U?: string;
  readonly u?: string;
  /** The second merger writes into the first one's volume. */
  readonly shared?: boolean;
  /** A transaction of the first merger may take effect long after it was given up. */
  readonly late?: boolean;
}

/** As it is at the start. */
const BEGINS: BlockRow = {
  id: X,
  cell: CELL,
  bucket: BUCKETS.A,
  slot: 0,
  recordId: RECORD,
  recordBytes: BYTES,
  plaintextBytes: BYTES,
  hint: { volume: VOLUMES.S, generation: 1, seq: 1, token: 1, column: 0, offset: 0 },
  refs: 1,
  state: 'live',
  wrappedBek: new Uint8Array([1]),
  kekVersion: 1,
};

export function startOf(cast: Cast): MergeState {
  const puts: Write[] = [
    { kind: 'put', ...BLOCK, attributes: blockAttributes(BEGINS) },
    {
      kind: 'put',
      ...bucketKey(CELL, BUCKETS.A),
      attributes: { v: VOLUMES.S, m: 0, u: BYTES, l: BYTES, n: 1, a: 0 },
    },
    { kind: 'put', ...volumeAt('S'), attributes: { s: 'sealed', b: new Set([BUCKETS.A]) } },
    { kind: 'put', ...volumeAt('D'), attributes: { s: 'open', t: 0, n: 1 } },
    { kind: 'put', ...volumeAt('d'), attributes: { s: 'open', t: 0, n: 1 } },
    { kind: 'put', ...volumeAt('E'), attributes: { s: 'open', t: 1, n: 2, p: 1 } },
  ];
  const actors = Object.fromEntries(cast.actors.map((name) => [name, { at: 0 }]));
  return { rows: transacted([], puts) as Rows, copies: 'AS ', actors, held: [1, 0] };
}

/** Conditions of the transactions: the action before the colon, the rows of `table` it writes or checks, and the attributes named. */
export const MERGE_CONDITIONS = {
  'index: the token still holds': { table: 'volume', attributes: ['t'] },
  'index: the group is still pending': { table: 'volume', attributes: ['p'] },
  'index: the block is in the slot it was copied from': { table: 'block', attributes: ['p'] },
  'index: the block is live': { table: 'block', attributes: ['f'] },
  'delete: the block is in the slot that was read': { table: 'block', attributes: ['p'] },
  'put back: the block is in the slot that was read': { table: 'block', attributes: ['p'] },
  'renew: the block is in the state that was read': { table: 'block', attributes: ['f'] },
  'renew: the block is in the slot that was read': { table: 'block', attributes: ['p'] },
  'renew: the dead bits are as they were read': { table: 'dead', attributes: ['v', 'absent'] },
  'settle: the token still holds': { table: 'volume', attributes: ['t', 'p'] },
  'settle: the dead bits are as they were read': { table: 'dead', attributes: ['v', 'absent'] },
  'drop: nothing lives in the bucket': { table: 'bucket', attributes: ['l'] },
  'drop: the bucket is where it was': { table: 'bucket', attributes: ['v', 'm'] },
  'drop: the source is still my run’s': { table: 'volume', attributes: ['r'] },
  'retire: the bucket set is empty': { table: 'volume', attributes: ['b'] },
  'gc: the block is still in trash': { table: 'block', attributes: ['f'] },
  'gc: the trash row is the one that was read': { table: 'trash', attributes: ['a'] },
  'note: the source is still my run’s': { table: 'volume', attributes: ['r'] },
  'index: the block is that record': { table: 'block', attributes: ['r'] },
  'index: the dead bits are as they were read': { table: 'dead', attributes: ['v', 'absent'] },
} as const satisfies Record<string, { readonly table: string; readonly attributes: readonly string[] }>;
type Clauses = keyof typeof MERGE_CONDITIONS;
/** Not a clause: what recovery and settling compare. */
export const BOTH_COMPARED = 'settle: bucket and slot are compared, not the record alone';
export type MergeCondition = Clauses | typeof BOTH_COMPARED;

/** Either of a pair suffices here; both are kept, as each guards its own row. */
export const MERGE_BACKED_BY: Partial<Readonly<Record<MergeCondition, MergeCondition>>> = {
  'index: the block is in the slot it was copied from': 'index: the dead bits are as they were read',
  'index: the dead bits are as they were read': 'index: the block is in the slot it was copied from',
  'renew: the block is in the slot that was read': 'renew: the dead bits are as they were read',
  'renew: the dead bits are as they were read': 'renew: the block is in the slot that was read',
  'drop: the bucket is where it was': 'drop: the source is still my run’s',
  'drop: the source is still my run’s': 'drop: the bucket is where it was',
  'gc: the block is still in trash': 'gc: the trash row is the one that was read',
  'gc: the trash row is the one that was read': 'gc: the block is still in trash',
};

/** Kept on purpose, although nothing breaks here without them. */
export const MERGE_REDUNDANT: Readonly<Partial<Record<MergeCondition, string>>> = {
  'index: the group is still pending': 'a group is settled by its own merger last, or under a new token',
  'index: the block is that record': 'a slot never holds another record',
  'settle: the dead bits are as they were read': 'one row holds the bits of many slots: here a bucket has one',
  'note: the source is still my run’s': 'a note in a volume somebody else drains makes its inspector read more',
};

/** Small casts that together have every race. */
export const CASTS = {
  'a delete, GC and a recovery': { actors: ['M', 'R', 'U', 'G'], U: '-' },
  'two users': { actors: ['M', 'U', 'u'], U: '-+-', u: '+' },
  'a record stored anew': { actors: ['M', 'R', 'U', 'u'], U: '-', u: '!+' },
  'a record stored anew, and GC': { actors: ['M', 'G', 'U', 'u'], U: '-+', u: '!' },
  'a rival with a volume of its own': { actors: ['M', 'm', 'T'] },
  'a rival in the same volume': { actors: ['M', 'm', 'R', 'T'], shared: true },
  'a transaction that comes late': { actors: ['M', 'R', 'U'], U: '-', late: true },
  'a mover, a take-over and the inspector': { actors: ['M', 'T', 'R', 'V', 'F'] },
  'GC, and a block that comes back twice': { actors: ['M', 'G', 'U'], U: '-+-+' },
} as const satisfies Readonly<Record<string, Cast>>;

/** The cast that shows what a condition (with the one that backs it) is for. */
export const SHOWN_BY: Partial<Readonly<Record<MergeCondition, keyof typeof CASTS>>> = {
  'index: the token still holds': 'a delete, GC and a recovery',
  'index: the block is in the slot it was copied from': 'a rival with a volume of its own',
  'index: the block is live': 'two users',
  'delete: the block is in the slot that was read': 'two users',
  'put back: the block is in the slot that was read': 'two users',
  'renew: the block is in the slot that was read': 'a record stored anew',
  'renew: the block is in the state that was read': 'a record stored anew, and GC',
  'settle: the token still holds': 'a rival in the same volume',
  'drop: nothing lives in the bucket': 'two users',
  'drop: the bucket is where it was': 'a mover, a take-over and the inspector',
  'retire: the bucket set is empty': 'two users',
  'gc: the block is still in trash': 'GC, and a block that comes back twice',
  [BOTH_COMPARED]: 'a delete, GC and a recovery',
};

type MergeStep = TurnStep<MergeState>;

/** All that can happen next. */
export function mergeStepsOf(state: MergeState, cast: Cast, off: ReadonlySet<MergeCondition> = new Set()): MergeStep[] {
  return cast.actors.flatMap((name) => new MergeTurn(state, cast, name, off).steps());
}

const tableOf = (key: Key): string => key.partition.split('/')[0] as string;

/** What one actor may do next. */
class MergeTurn extends Turn<MergeState, Actor> {
  readonly #cast: Cast;

  constructor(state: MergeState, cast: Cast, name: ActorName, off: ReadonlySet<MergeCondition>) {
    super(state, name, off);
    this.#cast = cast;
  }

  protected override conditionOf(name: string): NamedCondition | undefined {
    if (!(name in MERGE_CONDITIONS)) return undefined;
    const { table, attributes } = MERGE_CONDITIONS[name as Clauses];
    return { isOn: (write) => tableOf(write) === table, attributes };
  }

  steps(): MergeStep[] {
    switch (this.name as ActorName) {
      case 'M':
        return [...this.#merger('C', 'D'), ...this.#lateIndex()];
      case 'm':
        return this.#merger('c', this.#cast.shared === true ? 'D' : 'd');
      case 'V':
        return this.#mover();
      case 'R':
        return this.#recoverer();
      case 'T':
        return this.#takeOver();
      case 'G':
        return this.#gc();
      case 'U':
        return this.#user(this.#cast.U ?? '', 0);
      case 'u':
        return this.#user(this.#cast.u ?? '', 1);
      case 'F':
        return this.#freer();
    }
  }

  // What is read.
  #row(key: Key) {
    return rowAt(this.state.rows, key);
  }
  #volume(name: VolumeName) {
    return this.#row(volumeAt(name))?.attributes ?? {};
  }
  #bucket(name: BucketName): BucketRow | undefined {
    const row = this.#row(bucketKey(CELL, BUCKETS[name]));
    return row === undefined ? undefined : bucketFromRow(row);
  }
  #dead(bucket: BlockRow['bucket'], number?: number) {
    const key = deadKey(CELL, bucket);
    return deadFromRow(number === undefined ? this.#row(key) : rowOf(key, number));
  }
  #number(key: Key): number {
    return numberAt(this.state.rows, key);
  }
  #blockRead(): BlockRow | undefined {
    const row = rowOf(BLOCK, this.me.block ?? 0);
    return row === undefined ? undefined : blockFromRow(row);
  }

  /** Protocol 21. */
  #merger(to: BucketName, into: VolumeName): MergeStep[] {
    const me = this.me;
    const run = this.name as string as RunId;
    switch (me.at) {
      case 0:
        return this.#takesS(1);
      case 1: {
        const block = this.#row(BLOCK);
        const isHere = block !== undefined && nameOf(blockFromRow(block).bucket) === 'A';
        const isReadable = this.state.copies.includes(this.#bucket('A')?.volume === VOLUMES.S ? 'AS' : 'AE');
        return this.go('copies', { at: isHere && isReadable ? 2 : 9 });
      }
      case 2:
        return this.#leases(into, 3);
      case 3: {
        const writes = mergeCommitWrites(
          CELL,
          { ...inVolume(into), generation: 1 } as VolumeRow,
          groupOf(me, to, run),
          { extentUsedBytes: [] },
          0,
        );
        return this.attempt('commit', writes, { at: 4 }, { at: 9 }, { copies: `${this.state.copies}${to}${into} ` });
      }
      case 4:
        return this.attempt('note', [mergeNoteWrite(CELL, VOLUMES.S, run, [BUCKETS[to]])], { at: 5 }, { at: 7 });
      case 5: {
        const block = this.#row(BLOCK);
        const isThere = isMergeable(block && blockFromRow(block), blockOf(to));
        if (!isThere) return this.go('finds it gone', { at: 7 });
        return this.go('looks', { at: 6, dead: this.#number(deadKey(CELL, BUCKETS.A)) });
      }
      case 6: {
        const out = this.attempt('index', this.#indexWrites(to, into), { at: 7 }, { at: 5 });
        if (this.#cast.late !== true || to !== 'C') return out;
        // It must not settle then: what it would read may change under the very token it holds.
        return [...out, ...this.go('hears nothing of index', { at: 9, late: 1 })];
      }
      case 7:
        return this.go('looks again', this.#readForSettle(8, to));
      case 8: {
        const settled = this.#settledWrites(into, groupOf(me, to, run), true);
        const isMine = this.#volume(into)['t'] === me.token;
        return this.attempt('settle', settled, { at: 9 }, { at: isMine ? 7 : 9 });
      }
      default:
        return this.#endsS(run);
    }
  }

  #takesS(next: number): MergeStep[] {
    const writes: Write[] = [
      {
        kind: 'update',
        ...volumeAt('S'),
        set: { s: 'draining', r: this.name },
        if: [
          { attribute: 's', equals: 'sealed' },
          { attribute: 'r', missing: true },
        ],
      },
    ];
    return this.after('lease', writes) === undefined ? [] : this.attempt('lease', writes, { at: next }, {});
  }

  #leases(into: VolumeName, next: number): MergeStep[] {
    const { t, n, p } = this.#volume(into) as { t: number; n: number; p?: number };
    // Whoever leases a volume with a pending group recovers it first: that is R's part.
    if (p !== undefined) return [];
    const rows = this.after('take', [{ kind: 'update', ...volumeAt(into), set: { t: t + 1 } }]) as Rows;
    return this.go(`leases ${into}`, { at: next, token: t + 1, seq: n }, { rows });
  }

  #indexWrites(to: BucketName, into: VolumeName): Write[] {
    const home = { volume: VOLUMES[into], token: this.me.token as number, seq: this.me.seq as number };
    const deads = new Map([[BUCKETS.A, this.#dead(BUCKETS.A, this.me.dead)]]);
    return mergeIndexWrites(CELL, home, [{ ...blockOf(to), row: BEGINS }], deads);
  }

  #lateIndex(): MergeStep[] {
    if (this.me.late !== 1) return [];
    const rows = this.after('index', this.#indexWrites('C', 'D'));
    return this.go(
      rows === undefined ? 'late index fails' : 'late index',
      { late: 0 },
      rows === undefined ? {} : { rows },
    );
  }

  #readForSettle(at: number, to: BucketName): Partial<Actor> {
    return { at, block: this.#number(BLOCK), deadTo: this.#number(deadKey(CELL, BUCKETS[to])) };
  }

  #settledWrites(into: VolumeName, group: MergeGroupRow, release: boolean): Write[] {
    const [part] = partsOf(group);
    const { bucket } = part as { bucket: BlockRow['bucket'] };
    const read = this.#blockRead();
    const isLax = this.off.has(BOTH_COMPARED) && read !== undefined;
    const rows = new Map([[X, isLax ? { ...read, bucket, slot: 0 } : read]]);
    const { token, seq } = this.me as { token: number; seq: number };
    return [
      settledWrite(CELL, inVolume(into), token, seq, release),
      ...unnamedWrites(CELL, partsOf(group), rows, new Map([[bucket, this.#dead(bucket, this.me.deadTo)]])),
    ];
  }

  /** From 9: drop A if it is empty, retire S if that is, else release it. */
  #endsS(run: RunId): MergeStep[] {
    const A = this.#bucket('A');
    switch (this.me.at) {
      case 9: {
        const isEmpty =
          A?.volume === VOLUMES.S && (A.liveBytes === 0 || this.off.has('drop: nothing lives in the bucket'));
        return this.go('looks at A', { at: isEmpty ? 10 : 11, bucket: this.#number(bucketKey(CELL, BUCKETS.A)) });
      }
      case 10: {
        const read = bucketFromRow(rowOf(bucketKey(CELL, BUCKETS.A), this.me.bucket ?? 0) as never);
        return this.attempt('drop', dropWrites(CELL, VOLUMES.S, run, read), { at: 11 }, { at: 11 });
      }
      case 11:
        return this.attempt('retire', [this.#endWrite(run, { s: 'trash' }, true)], { at: 13 }, { at: 12 });
      case 12:
        return this.attempt('release', [this.#endWrite(run, { s: 'sealed' }, false)], { at: 13 }, { at: 13 });
      default:
        return [];
    }
  }

  #endWrite(run: RunId, set: { s: string }, whenEmpty: boolean): Write {
    const held: Clause[] = [
      { attribute: 's', equals: 'draining' },
      { attribute: 'r', equals: run },
    ];
    const empty: Clause = { attribute: 'b', missing: true };
    return { kind: 'update', ...volumeAt('S'), set, remove: ['r'], if: whenEmpty ? [...held, empty] : held };
  }

  /** RECOVER of D, once; the token is broken whether its holder is dead or not. */
  #recoverer(): MergeStep[] {
    const D = this.#volume('D') as { t: number; p?: number };
    switch (this.me.at) {
      case 0: {
        if (D.p === undefined) return [];
        const rows = this.after('take D', [{ kind: 'update', ...volumeAt('D'), set: { t: D.t + 1 } }]) as Rows;
        return this.go('breaks the lease', { at: 1, token: D.t + 1, seq: D.p }, { rows });
      }
      case 1:
        return this.go('looks', this.#readForSettle(2, nameOf(this.#pending().buckets[0]?.bucket ?? '') as BucketName));
      case 2:
        return this.attempt(
          'settle',
          this.#settledWrites('D', this.#pending(), false),
          { at: 3 },
          { at: D.t === this.me.token ? 1 : 3 },
        );
      default:
        return [];
    }
  }

  #pending(): MergeGroupRow {
    const row = this.#row(groupKey(VOLUMES.D, 1, this.me.seq as number));
    return groupFromRow(row as NonNullable<typeof row>) as MergeGroupRow;
  }

  /** Takes S from a run it believes dead, and ends it. */
  #takeOver(): MergeStep[] {
    if (this.me.at > 0) return this.#endsS('T' as RunId);
    const S = this.#volume('S');
    if (S['s'] !== 'draining') return [];
    const held: Clause[] = [{ attribute: 'r', equals: S['r'] as string }];
    return this.attempt('adopt', [{ kind: 'update', ...volumeAt('S'), set: { r: 'T' }, if: held }], { at: 9 }, {});
  }

  /** Steps 9 to 12: A from S to E. */
  #mover(): MergeStep[] {
    const A = this.#bucket('A');
    switch (this.me.at) {
      case 0:
        return this.#takesS(1);
      case 1: {
        if (A?.volume !== VOLUMES.S) return this.go('finds nothing', { at: 9 });
        if (isDead(this.#dead(BUCKETS.A), 0)) return this.go('finds A empty', { at: 9 });
        const copies = this.state.copies.includes('AE') ? this.state.copies : `${this.state.copies}AE `;
        return this.go('copies', { at: 2, bucket: A.move }, { copies });
      }
      case 2: {
        const bucket = { id: BUCKETS.A, volume: VOLUMES.S, move: this.me.bucket as number };
        const writes = moveWrites(CELL, inVolume('E'), { token: 1, seq: 1 }, 'V' as RunId, [
          { source: inVolume('S'), bucket },
        ]);
        return this.attempt('move', writes, { at: 9 }, { at: 9 });
      }
      default:
        return this.#endsS('V' as RunId);
    }
  }

  /** Step 20, of one trash row after the other. */
  #gc(): MergeStep[] {
    const me = this.me;
    if (me.at === 0)
      return TRASH.flatMap((key, i) => {
        const trash = this.#number(key);
        return trash === 0 ? [] : this.go(`reads trash of ${'ACc'[i]}`, { at: 1 + i, bucket: trash });
      });
    if (me.at === 9) return [];
    const which = (me.at - 1) % 3;
    const trash = trashFromRow(rowOf(TRASH[which] as Key, me.bucket as number) as never) as TrashRow;
    if (me.at <= 3) {
      const row = this.#row(BLOCK);
      if (!isDoomed(row && blockFromRow(row), trash)) return this.go('leaves it', { at: 0, bucket: 0 });
      return this.go('looks', { at: me.at + 3, dead: this.#number(deadKey(CELL, trash.bucket)) });
    }
    const writes = shredWrites(CELL, [trash], this.#dead(trash.bucket, me.dead), 1, shredKey(CELL, 0, 'x'));
    return this.attempt('gc', writes, { at: 9 }, { at: 0, bucket: 0, dead: 0 });
  }

  /** Steps 17 to 19: reads, then writes by what was read; tries again when the row has changed. */
  #user(script: string, who: 0 | 1): MergeStep[] {
    const { at } = this.me;
    const what = script[at >> 1];
    if (what === undefined) return [];
    const held = this.state.held[who];
    if ((at & 1) === 0) {
      const block = this.#number(BLOCK);
      const old = this.#row(BLOCK);
      const dead = what === '!' && old !== undefined ? this.#number(deadKey(CELL, blockFromRow(old).bucket)) : 0;
      return this.go('reads', { at: at + 1, block, dead });
    }
    const row = this.#blockRead();
    const delta = what === '-' ? -1 : 1;
    const fresh = { ...FRESH_BLOCK, slot: at, recordId: `${who}${at % 10}`.repeat(16) as RecordId };
    if (what === '!') return this.#renews(row, fresh);
    const plan = planIndex({
      cell: CELL,
      nowMs: 5,
      changes: [],
      objects: [],
      extra: new Map([[X, delta]]),
      blocks: new Map([[X, row]]),
      fresh: new Map(row === undefined ? [[X, fresh]] : []),
    });
    const action = what === '-' ? 'delete' : 'put back';
    const next: [number, number] = [...this.state.held];
    next[who] = held + delta;
    return this.attempt(
      action,
      plan.writes,
      { at: at + 1, block: 0, dead: 0 },
      { at: at - 1, block: 0, dead: 0 },
      { held: next },
    );
  }

  /** RENEW, of a record that is taken for unreadable wherever it is, but for one that was stored anew. */
  #renews(row: BlockRow | undefined, fresh: FreshBlock): MergeStep[] {
    const { at } = this.me;
    const next = { at: at + 1, block: 0, dead: 0 };
    if (row === undefined || nameOf(row.bucket) === 'fresh') return this.go('has nothing to renew', next);
    const deads = new Map([[row.bucket, this.#dead(row.bucket, this.me.dead)]]);
    return this.attempt('renew', renewWrites(CELL, 6, [{ row, fresh }], deads), next, { ...next, at: at - 1 });
  }

  /** FREE: the inspector reads every bucket that left S, then its zones are erased. */
  #freer(): MergeStep[] {
    const S = this.#volume('S');
    if (S['s'] !== 'trash') return [];
    const left = [...((S['mv'] as ReadonlySet<string> | undefined) ?? [])].map(nameOf) as BucketName[];
    const isReadable = left.every((name) => {
      const bucket = this.#bucket(name);
      return bucket === undefined || this.state.copies.includes(placeOf(name, bucket));
    });
    if (!isReadable) return [];
    const rows = this.after('free', [{ kind: 'update', ...volumeAt('S'), set: { s: 'freed' } }]) as Rows;
    return this.go('frees S', {}, { rows, copies: this.state.copies.replace('AS ', '') });
  }
}

const blockOf = (to: BucketName): MergingBlock => ({
  blockId: X,
  recordId: RECORD,
  recordBytes: BYTES,
  from: { bucket: BUCKETS.A, slot: 0 },
  to: { bucket: BUCKETS[to], slot: 0 },
});

const groupOf = ({ seq, token }: Actor, to: BucketName, run: RunId): MergeGroupRow => ({
  kind: 'merge',
  seq: seq as number,
  token: token as number,
  columnBytes: [BYTES],
  run,
  buckets: [{ bucket: BUCKETS[to], slots: [{ blockId: X, recordId: RECORD, recordBytes: BYTES }] }],
});

const FRESH_BLOCK = {
  id: X,
  cell: CELL,
  bucket: FRESH,
  recordBytes: BYTES,
  plaintextBytes: BYTES,
  hint: { volume: VOLUMES.E, generation: 1, seq: 1, token: 1, column: 0, offset: 0 },
  wrappedBek: new Uint8Array([2]),
  kekVersion: 1,
};

const placeOf = (name: BucketName, { volume }: BucketRow): string =>
  `${name}${(Object.keys(VOLUMES) as VolumeName[]).find((v) => VOLUMES[v] === volume)}`;

/** What must hold in every state; undefined if it does. */
export function mergeViolationOf(state: MergeState): string | undefined {
  const { rows, held, copies } = state;
  const row = rowAt(rows, BLOCK);
  const block = row === undefined ? undefined : blockFromRow(row);
  const refs = held[0] + held[1];
  if ((block?.refs ?? 0) !== refs) return `${refs} references are held, the block has ${block?.refs ?? 'no row'}`;
  const home = block === undefined ? undefined : nameOf(block.bucket);
  for (const name of Object.keys(BUCKETS) as BucketName[]) {
    const isTrash = rowAt(rows, trashKey(CELL, BUCKETS[name], 0)) !== undefined;
    if (isTrash !== (block?.state === 'trash' && home === name))
      return `the block is ${block?.state ?? 'gone'}${home === undefined ? '' : ` in ${home}`}, ${name} has ${isTrash ? 'a' : 'no'} trash row`;
    const found = rowAt(rows, bucketKey(CELL, BUCKETS[name]));
    const holders = holdersOf(rows, BUCKETS[name]);
    const holder = found === undefined ? [] : [bucketFromRow(found).volume];
    if (holders.join() !== holder.join()) return `${name} is listed by [${holders}] and is in [${holder}]`;
    if (found === undefined) {
      if (home === name) return `the block is in ${name}, which has no row`;
      continue;
    }
    const bucket = bucketFromRow(found);
    const isLive = !isDead(deadFromRow(rowAt(rows, deadKey(CELL, BUCKETS[name]))), 0);
    if (bucket.liveBytes !== (isLive ? BYTES : 0))
      return `${name} counts ${bucket.liveBytes} live bytes, its slot is ${isLive ? 'live' : 'dead'}`;
    if (home === name && !isLive) return `the block is in ${name}, where its slot is dead`;
    const isPending = name !== 'A' && rowAt(rows, volumeKey(CELL, bucket.volume))?.attributes['p'] === bucket.seq;
    if (home !== name && isLive && !isPending) return `the slot in ${name} is live, and no block names it`;
    if (home === name && !copies.includes(placeOf(name, bucket)))
      return `the block cannot be read in ${placeOf(name, bucket)}`;
    if (
      name === 'A' &&
      bucket.volume === VOLUMES.S &&
      ['trash', 'freed'].includes(String(rowAt(rows, volumeAt('S'))?.attributes['s']))
    )
      return 'S was retired with A in it';
  }
  return undefined;
}

const holdersOf = (rows: Rows, bucket: string): VolumeId[] =>
  Object.values(VOLUMES).filter((id) => {
    const listed = rowAt(rows, volumeKey(CELL, id))?.attributes['b'];
    return listed instanceof Set && listed.has(bucket);
  });
