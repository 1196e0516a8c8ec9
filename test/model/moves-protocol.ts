// Moves, flips and freeing over the store's own pure step functions: bucket b begins in volume S, h in H, and D is open. A moves S into D
// (encode, L2, L3), B tops H off from S (L1), X is a second such run, or a repair that rewrites H alone, C takes over what it believes dead (the old owner goes on as a zombie), breaks D's lease and
// seals it, K shreds the last slot of b, and F frees what is in trash. Every actor may stop for good at any step, and writes later what
// it reads now.
import { bucketId, type RunId, type VolumeId } from '../../lib/foundation/ids.ts';
import type { Key, Write } from '../../lib/panda/panda.ts';
import {
  type BucketRow,
  bucketFromRow,
  bucketKey,
  deadFromRow,
  deadKey,
  NO_DEAD,
} from '../../lib/panda/rows/bucket-row.ts';
import {
  extentText,
  newVolumeAttributes,
  type VolumeRow,
  volumeFromRow,
  volumeKey,
} from '../../lib/panda/rows/volume-row.ts';
import { zoneAttributes, zoneKey } from '../../lib/panda/rows/zone-row.ts';
import { arrivalWrites, claimNextWrites, dropNextWrites, flipWrites } from '../../lib/volume/steps/flip-steps.ts';
import { diedWrites, settledWrite } from '../../lib/volume/steps/recover-steps.ts';
import {
  adoptRunWrite,
  eraseVolumeWrites,
  leaseWrite,
  releaseRunWrite,
  retireWrite,
  sealWrite,
  takeRunWrite,
} from '../../lib/volume/steps/volume-steps.ts';
import { dropWrites } from '../../lib/volume/write/drop-bucket.ts';
import { moveCommitWrites, moveWrites } from '../../lib/volume/write/move.ts';
import { numberAt, type Rows, rowAt, rowOf, transacted } from './rows.ts';
import { type NamedCondition, Turn, type TurnStep } from './turn.ts';

const CELL = 'c0';
const BYTES = 100;
const idOf = (digit: string): VolumeId => digit.repeat(16) as VolumeId;
/** 1, 2, 3: what flips left. */
const VOLUMES = { S: idOf('5'), H: idOf('6'), D: idOf('d'), 1: idOf('1'), 2: idOf('2'), 3: idOf('3') } as const;
type VolumeName = keyof typeof VOLUMES;
const NAMES = Object.keys(VOLUMES) as VolumeName[];
const BUCKETS = { b: bucketId('b'.repeat(16)), h: bucketId('a'.repeat(16)) } as const;
type BucketName = keyof typeof BUCKETS;
const ZONES_MAX = 6;

const volumeAt = (name: VolumeName): Key => volumeKey(CELL, VOLUMES[name]);
const bucketAt = (name: BucketName): Key => bucketKey(CELL, BUCKETS[name]);

interface Actor {
  readonly at: number;
  /** Numbers of rows it read. */
  readonly host?: number;
  readonly bucket?: number;
  readonly token?: number;
  readonly seq?: number;
  /** The zone it claimed. */
  readonly zone?: number;
}
export type ActorName = 'A' | 'B' | 'X' | 'C' | 'K' | 'F';

export interface MovesState {
  readonly rows: Rows;
  /** Readable copies: bucket@zone, and in D the group. */
  readonly copies: string;
  /** Buckets found in D's directories once it is sealed. */
  readonly directory: string;
  readonly actors: Readonly<Partial<Record<ActorName, Actor>>>;
}

export function movesStart(actors: readonly ActorName[]): MovesState {
  const volume = (name: 'S' | 'H' | 'D', zone: number, more: object): Write[] => [
    {
      kind: 'put',
      ...volumeAt(name),
      attributes: {
        ...newVolumeAttributes({
          class: 'warm',
          codec: 'single',
          extents: [{ drive: 0, zone, zoneGeneration: 1 }],
          createdAtMs: 0,
          token: 0,
        }),
        ...more,
      },
    },
    {
      kind: 'put',
      ...zoneKey(0, zone),
      attributes: zoneAttributes({ generation: 1, state: 'used', volume: VOLUMES[name] }),
    },
  ];
  const bucket = (name: BucketName, home: VolumeName): Write => ({
    kind: 'put',
    ...bucketAt(name),
    attributes: { v: VOLUMES[home], m: 0, u: BYTES, l: BYTES, n: 1, a: 0 },
  });
  const rows = transacted(
    [],
    [
      ...volume('S', 0, { s: 'sealed', b: new Set([BUCKETS.b]) }),
      ...volume('H', 1, { s: 'sealed', b: new Set([BUCKETS.h]) }),
      ...volume('D', 2, {}),
      bucket('b', 'S'),
      bucket('h', 'H'),
    ],
  ) as Rows;
  return {
    rows,
    copies: 'b@0:0:1 h@0:1:1 ',
    directory: '',
    actors: Object.fromEntries(actors.map((name) => [name, { at: 0 }])),
  };
}

/** Conditions: the action before the colon, the rows it writes or checks, and the attributes named. */
export const MOVES_CONDITIONS = {
  'take: the volume has no run': { row: /^volume/, attributes: ['s', 'r'] },
  'commit: my token still holds': { row: /^volume/, attributes: ['t', 'n'] },
  'move: my token still holds': { row: /^volume.*d{16}/, attributes: ['t', 'p'] },
  'move: the source is still my run’s': { row: /^volume.*5{16}/, attributes: ['r'] },
  'move: the bucket is where it was copied from': { row: /^bucket/, attributes: ['v', 'm'] },
  'retire: the bucket set is empty': { row: /^volume/, attributes: ['b'] },
  'retire: still my run': { row: /^volume/, attributes: ['r'] },
  'seal: nothing is pending': { row: /^volume/, attributes: ['p'] },
  'claim: there is no next yet': { row: /^volume/, attributes: ['ng'] },
  'flip: still my run': { row: /^volume/, attributes: ['r'] },
  'flip: this very next': { row: /^volume/, attributes: ['ng'] },
  'flip: the host has not been flipped since': { row: /^volume/, attributes: ['g'] },
  'flip: the old zones are the host’s': { row: /^zone/, attributes: ['v', 'g'] },
  'arrive: the host is at the new generation': { row: /^volume.*6{16}/, attributes: ['g', 'r'] },
  'arrive: the source is still my run’s': { row: /^volume.*5{16}/, attributes: ['r'] },
  'arrive: the bucket is where it was copied from': { row: /^bucket/, attributes: ['v', 'm'] },
  'drop: nothing lives in the bucket': { row: /^bucket/, attributes: ['l'] },
} as const satisfies Record<string, { readonly row: RegExp; readonly attributes: readonly string[] }>;
/** Not a clause. */
export const INSPECTED = 'erase: the inspector saw every bucket elsewhere';
export type MovesCondition = keyof typeof MOVES_CONDITIONS | typeof INSPECTED;

/** Either of a pair suffices; both are kept, as each guards its own row. */
export const MOVES_BACKED_BY: Partial<Readonly<Record<MovesCondition, MovesCondition>>> = {
  'move: the source is still my run’s': 'move: the bucket is where it was copied from',
  'move: the bucket is where it was copied from': 'move: the source is still my run’s',
  'arrive: the source is still my run’s': 'arrive: the bucket is where it was copied from',
  'arrive: the bucket is where it was copied from': 'arrive: the source is still my run’s',
};

/** Kept on purpose, although nothing breaks here without them. */
export const MOVES_REDUNDANT: Readonly<Partial<Record<MovesCondition, string>>> = {
  'take: the volume has no run': 'work would be done twice',
  'commit: my token still holds': 'a group nobody points to; its row must be absent, too',
  'retire: still my run': 'a zombie would end a live run: what is empty may go',
  'seal: nothing is pending': 'the token has changed before, so the group stays unused',
  'claim: there is no next yet': 'only the run claims, and it drops an old next first',
  'flip: this very next': 'the run has one next at a time',
  'flip: the host has not been flipped since': 'a flip takes the next away',
  'flip: the old zones are the host’s': 'they are while the host is at that generation',
  [INSPECTED]: 'the bucket set is empty before a volume goes to trash; the inspector is there for what cannot be read',
};

type MovesStep = TurnStep<MovesState>;

export const movesSteps = (state: MovesState, off: ReadonlySet<MovesCondition> = new Set()): MovesStep[] =>
  (Object.keys(state.actors) as ActorName[]).flatMap((name) => new MovesTurn(state, name, off).steps());

class MovesTurn extends Turn<MovesState, Actor> {
  protected override conditionOf(name: string): NamedCondition | undefined {
    if (!(name in MOVES_CONDITIONS)) return undefined;
    const { row, attributes } = MOVES_CONDITIONS[name as keyof typeof MOVES_CONDITIONS];
    return { isOn: (write) => row.test(`${write.partition} ${write.sort}`), attributes };
  }

  steps(): MovesStep[] {
    switch (this.name as ActorName) {
      case 'A':
        return this.#mover();
      case 'B':
      case 'X':
        return this.#topOff();
      case 'C':
        return [...this.#takesOver('S', 1), ...this.#takesOver('H', 2), ...this.#breaksD()];
      case 'K':
        return this.#killer();
      case 'F':
        return NAMES.flatMap((name) => this.#frees(name));
    }
  }

  #volume(name: VolumeName): VolumeRow | undefined {
    const row = rowAt(this.state.rows, volumeAt(name));
    return row === undefined ? undefined : volumeFromRow(row);
  }
  #bucket(name: BucketName): BucketRow | undefined {
    const row = rowAt(this.state.rows, bucketAt(name));
    return row === undefined ? undefined : bucketFromRow(row);
  }
  #sees(name: BucketName, volume: VolumeRow): boolean {
    return this.state.copies.includes(`${name}@${placeOf(volume)} `);
  }
  get #run(): RunId {
    return this.name as string as RunId;
  }

  /** A step that waits until it can be done. */
  #when(action: string, writes: readonly Write[], done: Partial<Actor>): MovesStep[] {
    const rows = this.after(action, writes);
    return rows === undefined ? [] : this.go(action, done, { rows });
  }

  /** Steps 9 to 12. */
  #mover(): MovesStep[] {
    const me = this.me;
    const D = this.#volume('D') as VolumeRow;
    switch (me.at) {
      case 0:
        return this.#when('take', [takeRunWrite(CELL, VOLUMES.S, this.#run)], { at: 1 });
      case 1:
        if (D.state !== 'open') return this.go('finds D sealed', { at: 9 });
        if (D.pendingSeq !== undefined) return [];
        return this.#when('lease D', [leaseWrite(CELL, D, 'A', 0)], { at: 2, token: D.token + 1, seq: D.nextSeq });
      case 2: {
        const b = this.#bucket('b');
        const S = this.#volume('S') as VolumeRow;
        const isThere = b?.volume === S.id && b.liveBytes > 0 && this.#sees('b', S);
        return isThere ? this.go('copies b', { at: 3, bucket: b.move }) : this.go('finds nothing', { at: 9 });
      }
      case 3: {
        const { seq, token } = me as { seq: number; token: number };
        const writes = moveCommitWrites(
          CELL,
          D,
          { kind: 'move', seq, token, columnBytes: [BYTES], run: this.#run },
          { extentUsedBytes: [0] },
        );
        const copies = `${this.state.copies}b@${placeOf(D)}/${seq}-${token} `;
        return this.attempt('commit', writes, { at: 4 }, { at: 9 }, { copies });
      }
      case 4: {
        const bucket = { id: BUCKETS.b, volume: VOLUMES.S, move: me.bucket as number };
        const lease = { token: me.token as number, seq: me.seq as number };
        const writes = moveWrites(CELL, D, lease, this.#run, [{ source: { id: VOLUMES.S }, bucket }]);
        return this.attempt('move', writes, { at: 5 }, { at: 5 });
      }
      case 5:
        return this.attempt(
          'settle',
          [settledWrite(CELL, D, me.token as number, me.seq as number, true)],
          { at: 9 },
          { at: 9 },
        );
      default:
        return this.#ends('S', 9, 99);
    }
  }

  /** From `first`: an empty b is dropped, then the volume is retired, or released; at `next` it is done. */
  #ends(name: 'S' | 'H', first: number, next: number): MovesStep[] {
    const id = VOLUMES[name];
    switch (this.me.at - first) {
      case 0: {
        const b = this.#bucket('b');
        const isEmpty = b?.volume === id && (b.liveBytes === 0 || this.off.has('drop: nothing lives in the bucket'));
        if (!isEmpty) return this.go(`looks at ${name}`, { at: first + 1 });
        return this.go('finds b empty', { at: first + 3, bucket: numberAt(this.state.rows, bucketAt('b')) });
      }
      case 1: {
        const retired = this.after('retire', [retireWrite(CELL, id, this.#run, 0)]);
        if (retired !== undefined) return this.go(`retire ${name}`, { at: next }, { rows: retired });
        return this.attempt('release', [releaseRunWrite(CELL, id, this.#run)], { at: next }, { at: next });
      }
      case 3: {
        const read = bucketFromRow(rowOf(bucketAt('b'), this.me.bucket as number) as never);
        return this.attempt('drop', dropWrites(CELL, id, this.#run, read), { at: first + 1 }, { at: first + 1 });
      }
      default:
        return [];
    }
  }

  /** Steps 14 and 15. */
  #topOff(): MovesStep[] {
    const me = this.me;
    const H = this.#volume('H') as VolumeRow;
    switch (me.at) {
      case 0:
        return this.#when('take', [takeRunWrite(CELL, VOLUMES.H, this.#run)], { at: 1 });
      case 1:
        return this.attempt(
          'take',
          [takeRunWrite(CELL, VOLUMES.S, this.#run)],
          { at: 2 },
          { at: this.name === 'X' ? 2 : 7 },
        );
      case 2: {
        const zone = Array.from({ length: ZONES_MAX }, (_, i) => i + 3).find(
          (z) => rowAt(this.state.rows, zoneKey(0, z)) === undefined,
        );
        if (zone === undefined || H.run !== this.#run) return this.go('lost H', { at: 7 });
        const writes = claimNextWrites(CELL, this.#run, H, [extentOf(zone)], [takeZone(zone, H.id)]);
        const host = numberAt(this.state.rows, volumeAt('H'));
        return this.attempt('claim', writes, { at: 3, zone, host }, { at: 7 });
      }
      case 3: {
        const S = this.#volume('S') as VolumeRow;
        const b = this.#bucket('b');
        const isFed = this.name === 'B' || S.run === this.#run;
        const isThere = isFed && b?.volume === S.id && b.liveBytes > 0 && this.#sees('b', S);
        const own = NAMES_OF_BUCKETS.filter((name) => H.buckets.has(BUCKETS[name]) && this.#sees(name, H));
        const at = extentText(extentOf(me.zone as number));
        const copies = `${this.state.copies}${[...own, ...(isThere ? ['b'] : [])].map((name) => `${name}@${at} `).join('')}`;
        return this.go('copies', { at: 4, ...(isThere ? { bucket: b.move } : { seq: 1 }) }, { copies });
      }
      case 4: {
        const host = this.#hostRead();
        const old = this.#unused();
        const next = { ...this.#flipped(host), extentUsedBytes: [0], nextSeq: 2 };
        return this.attempt('flip', flipWrites(CELL, this.#run, host, next, old, 0), { at: 5 }, { at: 7 });
      }
      case 5: {
        if (me.seq === 1) return this.go('has no arrivals', { at: 7 });
        const arriving = { bucket: BUCKETS.b, source: VOLUMES.S, move: me.bucket as number, seq: 1 };
        const host = { id: H.id, ...this.#flipped(this.#hostRead()) };
        return this.attempt('arrive', arrivalWrites(CELL, this.#run, host, arriving), { at: 7 }, { at: 7 });
      }
      case 7:
        return this.#dropsNext(8);
      case 8:
        return this.attempt('release', [releaseRunWrite(CELL, VOLUMES.H, this.#run)], { at: 9 }, { at: 9 });
      default:
        return this.#ends('S', 9, 99);
    }
  }

  #hostRead(): VolumeRow {
    return volumeFromRow(rowOf(volumeAt('H'), this.me.host as number) as never);
  }

  #flipped(host: VolumeRow) {
    return { generation: host.generation + 1, extents: [extentOf(this.me.zone as number)], token: host.token + 1 };
  }

  #unused(): VolumeId {
    const free = (['1', '2', '3'] as const).find((name) => this.#volume(name as unknown as VolumeName) === undefined);
    return VOLUMES[(free ?? '3') as unknown as VolumeName];
  }

  /** Whatever next H has, if H is mine. */
  #dropsNext(at: number): MovesStep[] {
    const H = this.#volume('H') as VolumeRow;
    if (H.run !== this.#run || H.next === undefined) return this.go('has nothing to drop', { at });
    return this.attempt('undo', dropNextWrites(CELL, this.#run, H, H.next, this.#unused(), 0), { at }, { at });
  }

  /** Each volume once; `at` holds a bit for each. */
  #takesOver(name: 'S' | 'H', bit: number): MovesStep[] {
    const volume = this.#volume(name) as VolumeRow;
    const { at } = this.me;
    if (volume.run === 'C') {
      if (name === 'H' && volume.next !== undefined) return this.#dropsNext(at);
      const retired = this.after('retire', [retireWrite(CELL, volume.id, this.#run, 0)]);
      const b = this.#bucket('b');
      if (b?.volume === volume.id && b.liveBytes === 0)
        return this.attempt('drop', dropWrites(CELL, volume.id, this.#run, b), {}, {});
      if (retired !== undefined) return this.go(`retire ${name}`, {}, { rows: retired });
      return this.attempt('release', [releaseRunWrite(CELL, volume.id, this.#run)], {}, {});
    }
    if ((at & bit) !== 0 || volume.state !== 'draining') return [];
    return this.attempt(
      `adopt ${name}`,
      [adoptRunWrite(CELL, volume.id, volume.run as RunId, this.#run)],
      { at: at | bit },
      {},
    );
  }

  /** RECOVER of a move group, then SEAL. */
  #breaksD(): MovesStep[] {
    const D = this.#volume('D') as VolumeRow;
    const { at, token = 0 } = this.me;
    if ((at & 4) === 0 && D.state === 'open')
      return this.#when('lease D', [leaseWrite(CELL, D, 'C', 0)], {
        at: at | 4,
        token: D.token + 1,
        seq: D.pendingSeq ?? 0,
      });
    if ((at & 12) === 4 && (D.pendingSeq ?? 0) !== 0 && !this.off.has('seal: nothing is pending'))
      return this.attempt('settle', [settledWrite(CELL, D, token, D.pendingSeq as number, false)], {}, { at: at | 8 });
    if ((at & 12) !== 4) return [];
    const directory = NAMES_OF_BUCKETS.filter((name) => D.buckets.has(BUCKETS[name])).join('') || '-';
    return this.attempt('seal', [sealWrite(CELL, D.id, token, 0, true)], { at: at | 8 }, { at: at | 8 }, { directory });
  }

  #killer(): MovesStep[] {
    const b = this.#bucket('b');
    if (this.me.at > 0 || b === undefined || b.liveBytes === 0) return [];
    const dead = deadFromRow(rowAt(this.state.rows, deadKey(CELL, BUCKETS.b)) ?? undefined) ?? NO_DEAD;
    return this.#when('shreds b', diedWrites(CELL, BUCKETS.b, dead, [{ slot: 0, recordBytes: BYTES }]), { at: 1 });
  }

  /** The inspector reads every bucket that left it, then its zones are erased. */
  #frees(name: VolumeName): MovesStep[] {
    const volume = this.#volume(name);
    if (volume?.state !== 'trash') return [];
    const isElsewhere = NAMES_OF_BUCKETS.every((bucket) => {
      const row = this.#bucket(bucket);
      if (row === undefined || !volume.moved.has(BUCKETS[bucket])) return true;
      return (
        row.volume !== volume.id && (row.liveBytes === 0 || this.state.copies.includes(homeOf(this.state, bucket, row)))
      );
    });
    if (!isElsewhere && !this.off.has(INSPECTED)) return [];
    const place = placeOf(volume);
    const copies = this.state.copies
      .split(' ')
      .filter((copy) => copy !== '' && !copy.split('/')[0]?.endsWith(`@${place}`))
      .map((copy) => `${copy} `)
      .join('');
    const rows = this.after('erase', eraseVolumeWrites(CELL, volume));
    return rows === undefined ? [] : this.go(`erases ${name}`, {}, { rows, copies });
  }
}

const NAMES_OF_BUCKETS = Object.keys(BUCKETS) as BucketName[];
const extentOf = (zone: number) => ({ drive: 0, zone, zoneGeneration: 1 });
const placeOf = (volume: VolumeRow): string => extentText(volume.extents[0] as VolumeRow['extents'][number]);
const takeZone = (zone: number, volume: VolumeId): Write => ({
  kind: 'put',
  ...zoneKey(0, zone),
  attributes: zoneAttributes({ generation: 1, state: 'used', volume }),
  if: ['absent'],
});

/** Where a reader looks for a bucket. */
function homeOf(state: MovesState, name: BucketName, bucket: BucketRow): string {
  const row = rowAt(state.rows, volumeKey(CELL, bucket.volume));
  if (row === undefined) return 'nowhere';
  const place = `${name}@${placeOf(volumeFromRow(row))}`;
  return bucket.volume === VOLUMES.D ? `${place}/${bucket.seq}-${bucket.token} ` : `${place} `;
}

/** What must hold in every state; undefined if it does. */
export function movesViolation(state: MovesState): string | undefined {
  const volumes = NAMES.flatMap((name) => {
    const row = rowAt(state.rows, volumeAt(name));
    return row === undefined ? [] : [{ name, volume: volumeFromRow(row) }];
  });
  for (const name of NAMES_OF_BUCKETS) {
    const row = rowAt(state.rows, bucketAt(name));
    const bucket = row === undefined ? undefined : bucketFromRow(row);
    const holders = volumes.filter(({ volume }) => volume.buckets.has(BUCKETS[name]));
    const home = bucket === undefined ? [] : [bucket.volume];
    if (holders.map(({ volume }) => volume.id).join() !== home.join())
      return `${name} is listed by [${holders.map((holder) => holder.name)}] and is in [${home}]`;
    if (bucket === undefined) {
      if (name === 'h' || (rowAt(state.rows, deadKey(CELL, BUCKETS.b)) === undefined && !wasShredded(state)))
        return `${name} is gone`;
      continue;
    }
    if (bucket.liveBytes > 0 && !state.copies.includes(homeOf(state, name, bucket))) return `${name} cannot be read`;
    if (bucket.volume === VOLUMES.D && state.directory !== '' && !state.directory.includes(name))
      return `${name} is not in the directories of D`;
    const holder = holders[0]?.volume.state;
    if (holder === 'trash' || holder === 'erasing') return `${name} is in a volume that is ${holder}`;
  }
  for (const { name, volume } of volumes)
    for (const { zone } of [...volume.extents, ...(volume.next?.extents ?? [])]) {
      const owner = rowAt(state.rows, zoneKey(0, zone))?.attributes['v'];
      if (owner !== volume.id) return `zone ${zone} of ${name} belongs to ${owner}`;
    }
  return undefined;
}

const wasShredded = (state: MovesState): boolean => (state.actors.K?.at ?? 0) > 0;

/** The cast that shows what a condition (with the one that backs it) is for. */
export const MOVES_SHOWN_BY: Partial<Readonly<Record<MovesCondition, string>>> = {
  'move: my token still holds': 'AC',
  'move: the source is still my run’s': 'ABC',
  'retire: the bucket set is empty': 'AC',
  'flip: still my run': 'BXC',
  'arrive: the host is at the new generation': 'BXC',
  'arrive: the source is still my run’s': 'ABC',
  'drop: nothing lives in the bucket': 'AC',
};
