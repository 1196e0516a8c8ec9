// The protocols of docs/protocols.md as pure steps over a tiny store: a mover (encode, L2, L3), a top-off with its flip (L1), somebody who takes
// dead runs over (rightly or not: the old owner goes on as a zombie), the inspector who frees, GC, and a user who deletes and puts the
// same block again. Every process may stop for good at any step. Each condition has a name and can be left out, to see what it is for.

/** Volumes: S is drained, D is open, H is topped off. Buckets: b begins in S and holds the block, h stays in H. */
export type Volume = 'S' | 'D' | 'H';
export type Runner = 'A' | 'B' | 'C' | '';
type BucketName = 'b' | 'h';

interface Sealed {
  readonly st: 'sealed' | 'draining' | 'trash' | 'freed';
  readonly run: Runner;
  /** Zones of the current generation. */
  readonly zone: string;
  readonly next: string;
  readonly set: string;
}

export interface State {
  readonly S: Sealed;
  readonly H: Sealed;
  /** `directory`: what is found in it once it is sealed; undefined while it is open. */
  readonly D: { readonly token: number; readonly pending: number; readonly set: string; readonly directory?: string };
  readonly bucket: { readonly volume: Volume; readonly move: number; readonly token: number };
  readonly block: { readonly st: 'live' | 'trash' | 'gone'; readonly dead: boolean; readonly anew: boolean };
  /** What can be read, by zone (for D: by token): bucket letters. */
  readonly data: Readonly<Record<string, string>>;
  /** Zones a flip left, still to be erased. */
  readonly old: string;
  readonly zones: number;
  readonly A: { readonly at: number; readonly token: number; readonly move: number };
  readonly B: { readonly at: number; readonly zone: string; readonly move: number; readonly from: string };
  readonly C: number;
  readonly F: { readonly at: number; readonly zone: string };
  readonly gc: number;
  readonly user: number;
}

/** Every condition of the transactions below. */
export const CONDITIONS = {
  'lease: the volume has no run': 'two strategies own a volume',
  'move: my token still holds': 'a group is committed to a volume another process settled',
  'move: the source is still my run’s': 'a bucket moves out of a volume another run owns',
  'move: the bucket is where it was copied from': 'a bucket that has moved on is moved back in time',
  'retire: the bucket set is empty': 'a volume is freed with a bucket in it',
  'retire: still my run': 'a zombie retires what others own',
  'flip: still my run': 'a zombie flips a host to extents that were dropped',
  'flip: this very next': 'a host is flipped to extents of another try',
  'arrive: the host is at the new generation': 'buckets arrive in a host that was never flipped',
  'arrive: the source is still my run’s': 'a bucket moves out of a volume another run owns',
  'arrive: the bucket is where it was copied from': 'a bucket that has moved on is moved back in time',
  'free: the inspector saw every bucket elsewhere': 'an erased zone was the home of a bucket',
  'gc: the block is still in trash': 'a block somebody came back for is shredded',
  'put: the block is not gone': 'a put refers to a shredded block',
} as const;
export type Condition = keyof typeof CONDITIONS;

/** Pairs of which either alone suffices here; kept both, as each guards its own row. The search needs both left out to find what they are for. */
export const BACKED_BY: Partial<Readonly<Record<Condition, Condition>>> = {
  'move: the source is still my run’s': 'move: the bucket is where it was copied from',
  'move: the bucket is where it was copied from': 'move: the source is still my run’s',
  'retire: the bucket set is empty': 'free: the inspector saw every bucket elsewhere',
  'free: the inspector saw every bucket elsewhere': 'retire: the bucket set is empty',
  'flip: still my run': 'flip: this very next',
  'flip: this very next': 'flip: still my run',
  'arrive: the source is still my run’s': 'arrive: the bucket is where it was copied from',
  'arrive: the bucket is where it was copied from': 'arrive: the source is still my run’s',
};

/** Kept on purpose although no safety hangs on them here: without them work would be done twice or a live run ended by a zombie. */
export const REDUNDANT: ReadonlySet<Condition> = new Set<Condition>([
  'lease: the volume has no run',
  'retire: still my run',
]);

export const START: State = {
  S: { st: 'sealed', run: '', zone: 's1', next: '', set: 'b' },
  H: { st: 'sealed', run: '', zone: 'h1', next: '', set: 'h' },
  D: { token: 0, pending: 0, set: '' },
  bucket: { volume: 'S', move: 0, token: 0 },
  block: { st: 'live', dead: false, anew: false },
  data: { s1: 'b', h1: 'h' },
  old: '',
  zones: 0,
  A: { at: 0, token: 0, move: 0 },
  B: { at: 0, zone: '', move: -1, from: '' },
  C: 0,
  F: { at: 0, zone: '' },
  gc: 0,
  user: 0,
};

export interface Step {
  readonly name: string;
  readonly next: State;
}
type Holds = (condition: Condition, value: boolean) => boolean;

const without = (set: string, one: BucketName): string => set.replace(one, '');
const withOne = (set: string, one: BucketName): string => (set.includes(one) ? set : set + one);
/** What a copier of b finds: nothing once its only slot is dead. */
const copied = (s: State): string => (s.block.dead ? '' : 'b');
const homeZone = (s: State): string =>
  s.bucket.volume === 'D' ? `d${s.bucket.token}` : s.bucket.volume === 'S' ? s.S.zone : s.H.zone;

/** All that can happen next. */
export function stepsOf(s: State, off: ReadonlySet<Condition> = new Set()): Step[] {
  const holds: Holds = (condition, value) => off.has(condition) || value;
  return [...mover(s, holds), ...topOff(s, holds), ...adopter(s), ...freer(s, holds), ...keeper(s, holds)];
}

function leased(volume: Sealed, run: Runner, holds: Holds): Sealed | undefined {
  const isFree = volume.st === 'sealed' || volume.st === 'draining';
  if (!isFree || !holds('lease: the volume has no run', volume.run === '' && volume.st === 'sealed')) return undefined;
  return { ...volume, st: 'draining', run };
}

/** RETIRE, or RELEASE when something is left. */
function ended(s: State, run: Runner, holds: Holds): Sealed {
  const isMine = holds('retire: still my run', s.S.run === run) && s.S.st === 'draining';
  if (!isMine) return s.S;
  if (holds('retire: the bucket set is empty', s.S.set === '')) return { ...s.S, st: 'trash', run: '' };
  return { ...s.S, st: 'sealed', run: '' };
}

/** Steps 9 to 12: S to D. */
function mover(s: State, holds: Holds): Step[] {
  const { A } = s;
  const go = (name: string, change: Partial<State>, at = A.at + 1): Step[] => [
    { name: `mover ${name}`, next: { ...s, A: { ...A, at }, ...change } },
  ];
  switch (A.at) {
    case 0: {
      const S = leased(s.S, 'A', holds);
      return S === undefined ? [] : go('leases S', { S });
    }
    case 1: {
      if (s.D.directory !== undefined) return go('finds D sealed', {}, 6);
      const token = s.D.token + 1;
      return go('leases D', { D: { ...s.D, token, pending: 0 }, A: { ...A, at: 2, token } });
    }
    case 2: {
      if (s.bucket.volume !== 'S' || !(s.data[s.S.zone] ?? '').includes('b')) return go('finds nothing', {}, 6);
      const data = { ...s.data, [`p${A.token}`]: copied(s) };
      return go('copies b', { data, A: { ...A, at: 3, move: s.bucket.move } });
    }
    case 3:
      if (!holds('move: my token still holds', s.D.token === A.token)) return go('lost D', {}, 6);
      return go('commits its group', {
        D: { ...s.D, pending: A.token },
        data: { ...s.data, [`d${A.token}`]: s.data[`p${A.token}`] ?? '' },
      });
    case 4: {
      const isHeld = holds('move: my token still holds', s.D.token === A.token && s.D.pending === A.token);
      const isOwn = holds('move: the source is still my run’s', s.S.run === 'A');
      const isThere = holds(
        'move: the bucket is where it was copied from',
        s.bucket.volume === 'S' && s.bucket.move === A.move,
      );
      if (!isHeld || !isOwn || !isThere) return go('does not commit b', {}, 6);
      return go('commits b', {
        S: { ...s.S, set: without(s.S.set, 'b') },
        D: { ...s.D, set: withOne(s.D.set, 'b') },
        bucket: { volume: 'D', move: A.move + 1, token: A.token },
      });
    }
    case 5:
      return go('settles', s.D.token === A.token ? { D: { ...s.D, pending: 0 } } : {});
    case 6:
      return go('ends its run', { S: ended(s, 'A', holds) });
    default:
      return [];
  }
}

/** Steps 14 and 15: H from S. */
function topOff(s: State, holds: Holds): Step[] {
  const { B } = s;
  const go = (name: string, change: Partial<State>, at = B.at + 1): Step[] => [
    { name: `top-off ${name}`, next: { ...s, B: { ...B, at }, ...change } },
  ];
  switch (B.at) {
    case 0: {
      const H = leased(s.H, 'B', holds);
      return H === undefined ? [] : go('leases H', { H });
    }
    case 1: {
      const S = leased(s.S, 'B', holds);
      return S === undefined ? go('ends', endHost(s, 'B'), 9) : go('leases S', { S });
    }
    case 2: {
      if (s.H.run !== 'B' || s.H.next !== '') return go('lost H', {}, 8);
      const zone = `h${s.zones + 2}`;
      return go('claims extents', {
        H: { ...s.H, next: zone },
        zones: s.zones + 1,
        B: { ...B, at: 3, zone, from: s.H.zone },
      });
    }
    case 3: {
      const isThere = s.bucket.volume === 'S' && (s.data[s.S.zone] ?? '').includes('b');
      const own = s.data[s.H.zone] ?? '';
      const data = { ...s.data, [B.zone]: own + (isThere ? copied(s) : '') };
      return go('copies', { data, B: { ...B, at: 4, move: isThere ? s.bucket.move : -1 } });
    }
    case 4: {
      const isOwn = holds('flip: still my run', s.H.run === 'B');
      if (!isOwn || !holds('flip: this very next', s.H.next === B.zone)) return go('does not flip', {}, 8);
      return go('flips', { H: { ...s.H, zone: B.zone, next: '' }, old: `${s.old} ${s.H.zone}` });
    }
    case 5: {
      if (B.move < 0) return go('has no arrivals', {}, 8);
      const isHost = holds('arrive: the host is at the new generation', s.H.run === 'B' && s.H.zone === B.zone);
      const isOwn = holds('arrive: the source is still my run’s', s.S.run === 'B');
      const isThere = holds(
        'arrive: the bucket is where it was copied from',
        s.bucket.volume === 'S' && s.bucket.move === B.move,
      );
      if (!isHost || !isOwn || !isThere) return go('does not commit b', {}, 8);
      return go(
        'commits b',
        {
          S: { ...s.S, set: without(s.S.set, 'b') },
          H: { ...s.H, set: withOne(s.H.set, 'b') },
          bucket: { volume: 'H', move: B.move + 1, token: 0 },
        },
        8,
      );
    }
    case 8:
      return go('ends', { ...endHost(s, 'B'), S: ended(s, 'B', holds) });
    default:
      return [];
  }
}

/** A next that is not flipped to is dropped, then the host is released. */
function endHost(s: State, run: Runner): Partial<State> {
  if (s.H.run !== run) return {};
  return {
    H: { ...s.H, st: 'sealed', run: '', next: '' },
    old: s.H.next === '' ? s.old : `${s.old} ${s.H.next}`,
  };
}

/** Takes over what it believes dead, once for each volume, and ends it without copying. It also breaks D's lease. */
function adopter(s: State): Step[] {
  const out: Step[] = [];
  if ((s.C & 1) === 0 && s.S.st === 'draining' && s.S.run !== 'C')
    out.push({ name: `adopts S of ${s.S.run}`, next: { ...s, C: s.C | 1, S: { ...s.S, run: 'C' } } });
  if ((s.C & 2) === 0 && s.H.st === 'draining' && s.H.run !== 'C')
    out.push({ name: `adopts H of ${s.H.run}`, next: { ...s, C: s.C | 2, H: { ...s.H, run: 'C' } } });
  if (s.S.run === 'C') {
    const st = s.S.set === '' ? 'trash' : 'sealed';
    out.push({ name: 'ends S', next: { ...s, S: { ...s.S, st, run: '' } } });
  }
  if (s.H.run === 'C') out.push({ name: 'ends H', next: { ...s, ...endHost(s, 'C') } });
  if ((s.C & 4) === 0 && s.D.token > 0)
    out.push({
      name: 'breaks and seals D',
      next: { ...s, C: s.C | 4, D: { ...s.D, token: s.D.token + 1, pending: 0, directory: s.D.set } },
    });
  if ((s.C & 8) === 0 && s.H.run === 'C' && s.H.next === '') {
    const zone = `h${s.zones + 2}`;
    out.push({
      name: 'flips H once more',
      next: {
        ...s,
        C: s.C | 8,
        H: { ...s.H, zone },
        zones: s.zones + 1,
        old: `${s.old} ${s.H.zone}`,
        data: { ...s.data, [zone]: [...s.H.set].filter((b) => (s.data[s.H.zone] ?? '').includes(b)).join('') },
      },
    });
  }
  return out;
}

/** FREE: the inspector looks, then the zones are erased. */
function freer(s: State, holds: Holds): Step[] {
  const out: Step[] = [];
  const erased = (zone: string): State['data'] => ({ ...s.data, [zone]: '' });
  if (s.S.st === 'trash' && holds('free: the inspector saw every bucket elsewhere', s.bucket.volume !== 'S'))
    out.push({ name: 'frees S', next: { ...s, S: { ...s.S, st: 'freed' }, data: erased(s.S.zone) } });
  const [zone] = s.old.trim().split(' ');
  if (zone !== undefined && zone !== '' && holds('free: the inspector saw every bucket elsewhere', s.H.zone !== zone))
    out.push({ name: `erases ${zone}`, next: { ...s, old: s.old.replace(` ${zone}`, ''), data: erased(zone) } });
  return out;
}

/** Steps 17 to 20: a user deletes the block and puts it again, GC shreds in between; both look first and write later. */
function keeper(s: State, holds: Holds): Step[] {
  const out: Step[] = [];
  const { block } = s;
  if (s.user === 0) out.push({ name: 'user deletes', next: { ...s, user: 1, block: { ...block, st: 'trash' } } });
  if (s.user === 1) out.push({ name: 'user looks', next: { ...s, user: block.st === 'gone' ? 3 : 2 } });
  if (s.user === 2) {
    if (holds('put: the block is not gone', block.st !== 'gone'))
      out.push({ name: 'user puts again', next: { ...s, user: 4, block: { ...block, st: 'live' } } });
    else out.push({ name: 'user has to look again', next: { ...s, user: 1 } });
  }
  if (s.user === 3)
    out.push({ name: 'user stores anew', next: { ...s, user: 4, block: { ...block, st: 'live', anew: true } } });
  if (s.gc === 0 && block.st === 'trash') out.push({ name: 'GC looks', next: { ...s, gc: 1 } });
  if (s.gc === 1 && !block.anew) {
    if (holds('gc: the block is still in trash', block.st === 'trash'))
      out.push({ name: 'GC shreds', next: { ...s, gc: 2, block: { ...block, st: 'gone', dead: true } } });
    else out.push({ name: 'GC leaves it', next: { ...s, gc: 2 } });
  }
  return out;
}

/** What must hold in every state; undefined if it does. */
export function violationOf(s: State): string | undefined {
  const { bucket, block } = s;
  const holders = (['S', 'D', 'H'] as const).filter((name) => s[name].set.includes('b'));
  if (holders.length !== 1 || holders[0] !== bucket.volume)
    return `b is listed by [${holders}] and is in ${bucket.volume}`;
  if (s.user === 4 && block.st === 'gone') return 'an acknowledged block is shredded';
  if (s.user === 4 && block.dead && !block.anew) return 'an acknowledged block is dead';
  if (bucket.volume === 'D' && s.D.directory !== undefined && !s.D.directory.includes('b'))
    return 'b cannot be found in D, which was sealed without it';
  if (!block.dead && !block.anew && !(s.data[homeZone(s)] ?? '').includes('b'))
    return `b cannot be read in ${bucket.volume}`;
  if (!(s.data[s.H.zone] ?? '').includes('h')) return 'h cannot be read in H';
  if (s.S.st === 'freed' && bucket.volume === 'S') return 'S was freed with b in it';
  if ((s.S.st === 'trash' || s.S.st === 'freed') && s.S.run !== '') return 'S is owned after its end';
  return undefined;
}
