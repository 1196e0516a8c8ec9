// Puts by plain writes, with the group row as intent, against everything that touches the same rows: two putters of one content (the
// second refers to the first one's block, or stores it anew), who recovers, a user who deletes, GC, a merger, and who drops empty
// buckets. Every actor may stop for good at any step, and reads now what it writes by later. A plain write whose answer got lost may
// take effect at any time, however much later.
import type { Key, Write } from '../../lib/panda/panda.ts';
import {
  BLOCK,
  type Block,
  blockWrite,
  bucketAt,
  commitWrites,
  deadAt,
  deleteWrites,
  diesWrites,
  dropVoidWrite,
  dropWrites,
  endWrite,
  freshWrite,
  type Group,
  giveBackWrite,
  type Home,
  mergeWrites,
  type Named,
  noteWrite,
  type ObjectName,
  objectAt,
  objectWrite,
  placeOf,
  putWrites,
  type Release,
  recoverWrites,
  referWrite,
  releaseAt,
  type Slot,
  settleWrite,
  uncountWrites,
  type Version,
  volumeAt,
} from './put-rows.ts';
import { numberAt, type Rows, rowAt, rowOf, transacted } from './rows.ts';
import { type NamedCondition, Turn, type TurnStep } from './turn.ts';

export type ActorName = 'P' | 'p' | 'R' | 'U' | 'u' | 'G' | 'g' | 'M' | 'C' | 'W';

/** `at`: the next step. The others are what an actor remembers: numbers of rows it read, its volume and token. */
interface Actor {
  readonly at: string;
  readonly object?: number;
  readonly block?: number;
  readonly release?: number;
  readonly token?: number;
  readonly home?: Home;
  readonly version?: Version;
  /** A plain write under way whose answer got lost: it is made of what is remembered, too. */
  readonly late?: string;
}

export interface PutState {
  readonly rows: Rows;
  readonly actors: Readonly<Partial<Record<ActorName, Actor>>>;
  /** Versions whose puts were acknowledged. */
  readonly acknowledged: string;
  /** Versions that anybody may have seen. */
  readonly seen: string;
  /** Versions that were deleted or overwritten. */
  readonly gone: string;
}

export interface Cast {
  readonly actors: readonly ActorName[];
  /** What the second putter puts the same content as. */
  readonly as?: ObjectName;
  /** Actors whose plain writes may come late. */
  readonly late?: readonly ActorName[];
}

/** Conditions of the steps: the action before the colon, the rows of `table` it is on, and the attributes its clauses look at. */
export const PUT_CONDITIONS = {
  '4a: there is no block, or that void one': { table: 'block', attributes: ['absent', 'r', 'p'] },
  '4a: a void block is in the slot that was read': { table: 'block', attributes: ['p'] },
  '4b: there is no object': { table: 'object', attributes: ['absent'] },
  'settle: the token still holds': { table: 'volume', attributes: ['t'] },
  'recover: the token still holds': { table: 'volume', attributes: ['t', 'p'] },
  'recover: the block is as it was read': { table: 'block', attributes: ['absent', 'r', 'o', 'p', 'f'] },
  'recover: nobody counts on the block': { table: 'block', attributes: ['f'] },
  'recover: the object is as it was read': { table: 'object', attributes: ['absent', 'v'] },
  'refer: the record is the one that was read': { table: 'block', attributes: ['r'] },
  'refer: the object is as it was read': { table: 'object', attributes: ['absent', 'v'] },
  'delete: the object is as it was read': { table: 'object', attributes: ['absent', 'v'] },
  'give back: the record is the one that was read': { table: 'block', attributes: ['r'] },
  'give back: the reference is that version’s': { table: 'block', attributes: ['o'] },
  'give back: nobody counts on the block': { table: 'block', attributes: ['f'] },
  'give back: the block is in the slot that was read': { table: 'block', attributes: ['p'] },
  'note: the release is as it was read': { table: 'release', attributes: ['s'] },
  'uncount: the release is as it was read': { table: 'release', attributes: ['s'] },
  'uncount: as many count on the block as were read': { table: 'block', attributes: ['f'] },
  'uncount: the named version is the one that was read': { table: 'block', attributes: ['o'] },
  'uncount: the block is in the slot that was read': { table: 'block', attributes: ['p'] },
  'end: the release is as it was read': { table: 'release', attributes: ['s'] },
  'rewrap: the void row is the one that was read': { table: 'block', attributes: ['r', 'p', 'o', 'f'] },
  'merge: the record is the one that was read': { table: 'block', attributes: ['r'] },
  'merge: the block is in the slot it was copied from': { table: 'block', attributes: ['p'] },
} as const satisfies Record<string, { readonly table: string; readonly attributes: readonly string[] }>;

const VOID_RULE = 'look: an object that was put plain counts only while its block names it';

/** What is not a clause but an order, or something looked at. */
export const PUT_RULES = [
  'put: it is acknowledged after SETTLE only',
  'put: the volume is looked at between blocks and objects',
  'refer: a block whose slot is dead counts as unknown',
  'refer: a block whose bucket is gone counts as unknown',
  VOID_RULE,
  'give back: a named reference is never given back as a counted one',
  'give back: the slot is noted before the row goes',
  'end: every slot that was noted is dead, or a block row names it',
  'end: the named reference is given back',
] as const;
export type PutCondition = keyof typeof PUT_CONDITIONS | (typeof PUT_RULES)[number];

const INTENTS = { D: { key: 'A', version: 'a' }, d: { key: 'B', version: 'b' } } as const;

export function startOf(cast: Cast): PutState {
  const volumes = (['D', 'd'] as const).map(
    (name): Write => ({ kind: 'put', ...volumeAt(name), attributes: { t: 0 } }),
  );
  const actors = Object.fromEntries(cast.actors.map((name) => [name, { at: 'begin' }]));
  return { rows: transacted([], volumes) as Rows, actors, acknowledged: '', seen: '', gone: '' };
}

type Step = TurnStep<PutState>;

export function putStepsOf(state: PutState, cast: Cast, off: ReadonlySet<PutCondition> = new Set()): Step[] {
  const goesByName = off.has(VOID_RULE);
  return cast.actors
    .flatMap((name) => new PutTurn(state, cast, name, off).steps())
    .map(({ name, next }) => {
      const seen = VERSIONS.filter((one) => state.seen.includes(one) || isVisible(next.rows, one, goesByName));
      return { name, next: { ...next, seen: seen.join('') } };
    });
}

const VERSIONS: readonly Version[] = ['a', 'b'];

class PutTurn extends Turn<PutState, Actor> {
  readonly #cast: Cast;

  constructor(state: PutState, cast: Cast, name: ActorName, off: ReadonlySet<PutCondition>) {
    super(state, name, off);
    this.#cast = cast;
  }

  protected override conditionOf(name: string): NamedCondition | undefined {
    if (!(name in PUT_CONDITIONS)) return undefined;
    const { table, attributes } = PUT_CONDITIONS[name as keyof typeof PUT_CONDITIONS];
    return { isOn: ({ partition }) => partition === table, attributes };
  }

  steps(): Step[] {
    return [...this.#own(), ...this.#lands()];
  }

  #own(): Step[] {
    switch (this.name as ActorName) {
      case 'P':
        return this.#putter('D', 'A', 'a');
      case 'p':
        return this.#putter('d', this.#cast.as ?? 'B', 'b');
      case 'R':
        return this.me.at === 'begin' ? this.#breaksALease() : this.#recovers();
      case 'U':
        return this.#deletes('A');
      case 'u':
        return this.#deletes('B');
      case 'G':
      case 'g':
        return this.#collects();
      case 'M':
        return this.#merges();
      case 'C':
        return this.#drops();
      case 'W':
        return this.#rewraps();
    }
  }

  // What is read, and what was.
  #number(key: Key): number {
    return numberAt(this.state.rows, key);
  }
  #now<T>(key: Key): T | undefined {
    return rowAt(this.state.rows, key)?.attributes as T | undefined;
  }
  #blockRead(): Block | undefined {
    return rowOf(BLOCK, this.me.block ?? 0)?.attributes as Block | undefined;
  }
  #objectRead(): Named | undefined {
    return rowOf(objectAt('A'), this.me.object ?? 0)?.attributes as Named | undefined;
  }
  #isDead(slot: Slot): boolean {
    return this.#number(deadAt(slot)) !== 0;
  }
  #isOff(rule: (typeof PUT_RULES)[number]): boolean {
    return this.off.has(rule);
  }
  #keyOf(home: Home): ObjectName {
    return home === 'D' ? 'A' : (this.#cast.as ?? 'B');
  }

  /** A block row whose slot died before it came is void. */
  #isKnown(block: Block | undefined): block is Block {
    if (block === undefined) return false;
    const isDead = this.#isDead(block.p) && !this.#isOff('refer: a block whose slot is dead counts as unknown');
    const isGone =
      this.#number(bucketAt(block.p)) === 0 && !this.#isOff('refer: a block whose bucket is gone counts as unknown');
    return !isDead && !isGone;
  }

  /** Undefined for one that is as good as absent; its block was read after it. */
  #validOf(object: Named | undefined, block: Block | undefined): Named | undefined {
    const isVoid = object?.n === 1 && block?.o !== object.v;
    return isVoid && !this.#isOff(VOID_RULE) ? undefined : object;
  }

  /** A plain write: its answer may get lost, and then it may come at any time; nobody sends it again. */
  #plain(action: string, write: Write, done: Partial<Actor>, failed: Partial<Actor>): Step[] {
    const out = this.attempt(action, [write], done, failed);
    if (this.#cast.late?.includes(this.name as ActorName) !== true) return out;
    return [...out, ...this.go(`hears nothing of ${action}`, { at: 'end', late: action })];
  }

  #lands(): Step[] {
    const { late } = this.me;
    if (late === undefined) return [];
    const rows = this.after(late, [this.#plainWrite(late)]);
    const { late: _, ...me } = this.me;
    const actors = { ...this.state.actors, [this.name]: me };
    return [
      {
        name: `${this.name}'s ${late} ${rows === undefined ? 'fails' : 'lands'}`,
        next: { ...this.state, actors, rows: rows ?? this.state.rows },
      },
    ];
  }

  #plainWrite(action: string): Write {
    const { home, version } = this.me;
    if (action === '4a') return blockWrite(home as Home, version as Version, this.#blockRead());
    if (action === '4b') return objectWrite(this.#keyOf(home as Home), version as Version);
    return giveBackWrite(version as Version, this.#blockRead() as Block);
  }

  /** Protocol 1 to 4, and 18 where the block is known. */
  #putter(home: Home, key: ObjectName, version: Version): Step[] {
    const group: Group = { home, token: this.me.token ?? 0 };
    switch (this.me.at) {
      case 'begin':
        return this.#leases(home, 'look', { version });
      case 'look':
        return this.go('reads the object', { at: 'look 2', object: this.#number(objectAt(key)) });
      case 'look 2':
        return this.go('reads the block', { at: 'look 3', block: this.#number(BLOCK) });
      case 'look 3': {
        const isKnown = this.#isKnown(this.#blockRead());
        return this.go(isKnown ? 'knows it' : 'does not know it', { at: isKnown ? 'refer' : 'commit' });
      }
      case 'refer':
        return this.#refers('refer', [], key, version, referWrite(this.#blockRead() as Block), 'look');
      case 'commit': {
        const next = this.#objectRead() === undefined ? '4a' : 'index';
        return this.attempt('commit', commitWrites(group), { at: next }, { at: 'end' });
      }
      case 'index':
        return this.#refers(
          'index',
          [settleWrite(group)],
          key,
          version,
          freshWrite(home, this.#blockRead()),
          'recover',
        );
      case '4a':
        return this.#plain('4a', this.#plainWrite('4a'), { at: 'check' }, { at: 'recover' });
      case 'check': {
        const volume = this.#now<{ t: number; p?: number }>(volumeAt(home));
        const isMine = volume?.t === group.token && volume.p === 1;
        const goesOn = isMine || this.#isOff('put: the volume is looked at between blocks and objects');
        return this.go('looks at the volume', { at: goesOn ? '4b' : 'end' });
      }
      case '4b': {
        const steps = this.#plain('4b', this.#plainWrite('4b'), { at: 'settle' }, { at: 'recover' });
        if (!this.#isOff('put: it is acknowledged after SETTLE only')) return steps;
        return steps.map(({ name, next }) => ({
          name,
          next: next.actors[this.name as ActorName]?.at === 'settle' ? acknowledged(next, version) : next,
        }));
      }
      case 'settle':
        return this.#acknowledges(this.attempt('settle', [settleWrite(group)], { at: 'done' }, { at: 'end' }), version);
      default:
        return this.#recovers();
    }
  }

  #leases(home: Home, at: string, me: Partial<Actor> = {}): Step[] {
    const { t, p } = this.#now<{ t: number; p?: number }>(volumeAt(home)) as { t: number; p?: number };
    // Whoever leases a volume with a pending group recovers it first: that is R's part.
    if (p !== undefined) return [];
    const rows = this.after('lease', [{ kind: 'update', ...volumeAt(home), set: { t: t + 1 } }]) as Rows;
    return this.go('leases', { ...me, at, home, token: t + 1 }, { rows });
  }

  #refers(
    action: string,
    guards: readonly Write[],
    key: ObjectName,
    version: Version,
    block: Write,
    otherwise: string,
  ): Step[] {
    const object = this.#objectRead();
    const old = this.#validOf(object, this.#blockRead());
    const writes = [...guards, ...putWrites(key, version, object, old, block)];
    const gone = old === undefined ? this.state.gone : this.state.gone + old.v;
    return this.#acknowledges(this.attempt(action, writes, { at: 'done' }, { at: otherwise }, { gone }), version);
  }

  #acknowledges(steps: readonly Step[], version: Version): Step[] {
    return steps.map(({ name, next }) => ({
      name,
      next: next.actors[this.name as ActorName]?.at === 'done' ? acknowledged(next, version) : next,
    }));
  }

  /** R: the token is broken whether its holder is dead or not. */
  #breaksALease(): Step[] {
    return (['D', 'd'] as const).flatMap((home) => {
      const { t, p } = this.#now<{ t: number; p?: number }>(volumeAt(home)) as { t: number; p?: number };
      if (p === undefined) return [];
      const rows = this.after('break', [{ kind: 'update', ...volumeAt(home), set: { t: t + 1 } }]) as Rows;
      return this.go(`breaks the lease of ${home}`, { at: 'recover', home, token: t + 1 }, { rows });
    });
  }

  /** 5, under whichever token. */
  #recovers(): Step[] {
    const home = this.me.home as Home;
    const intent = { ...INTENTS[home], key: this.#keyOf(home) };
    switch (this.me.at) {
      case 'recover':
        return this.go('reads the object', { at: 'recover 2', object: this.#number(objectAt(intent.key)) });
      case 'recover 2':
        return this.go('reads the block', { at: 'recover 3', block: this.#number(BLOCK) });
      case 'recover 3': {
        const group: Group = { home, token: this.me.token as number };
        const isDead = (slot: Slot): boolean => this.#isDead(slot);
        const writes = recoverWrites(group, intent, this.#blockRead(), this.#objectRead(), isDead);
        const isMine = this.#now<{ t: number }>(volumeAt(home))?.t === group.token;
        return this.attempt('recover', writes, { at: 'end' }, { at: isMine ? 'recover' : 'end' });
      }
      default:
        return [];
    }
  }

  /** 19. */
  #deletes(key: ObjectName): Step[] {
    switch (this.me.at) {
      case 'begin':
        return this.#number(objectAt(key)) === 0
          ? []
          : this.go('reads the object', { at: 'look', object: this.#number(objectAt(key)) });
      case 'look':
        return this.go('reads the block', { at: 'delete', block: this.#number(BLOCK) });
      case 'delete': {
        const object = this.#validOf(this.#objectRead(), this.#blockRead());
        if (object === undefined) return this.go('finds it void', { at: 'end' });
        const gone = this.state.gone + object.v;
        return this.attempt('delete', deleteWrites(key, object), { at: 'end' }, { at: 'end' }, { gone });
      }
      default:
        return [];
    }
  }

  /** 20, of one release row after the other. */
  #collects(): Step[] {
    const version = this.me.version as Version;
    switch (this.me.at) {
      case 'begin':
        return VERSIONS.flatMap((one) =>
          this.#number(releaseAt(one)) === 0 ? [] : this.go(`takes up ${one}`, { at: 'look', version: one }),
        );
      case 'look': {
        const release = this.#number(releaseAt(version));
        if (release === 0) return this.go('finds it done', { at: 'begin' });
        return this.go('reads the release', { at: 'look 2', release });
      }
      case 'look 2': {
        const release = this.#releaseRead();
        const block = this.#now<Block>(BLOCK);
        const at = this.#nextOf(release, block);
        return this.go('reads the block', { block: this.#number(BLOCK), at });
      }
      case 'note':
        return this.attempt(
          'note',
          [noteWrite(version, this.#releaseRead(), this.#blockRead() as Block)],
          { at: 'give back' },
          { at: 'look' },
        );
      case 'give back':
        return this.#plain('give back', this.#plainWrite('give back'), { at: 'look' }, { at: 'look' });
      case 'uncount': {
        const block = this.#blockRead() as Block;
        if (block?.f === undefined) return this.go('finds nothing counted', { at: 'look' });
        const writes = uncountWrites(version, this.#releaseRead(), block);
        return this.attempt('uncount', writes, { at: 'look' }, { at: 'look' });
      }
      case 'bury':
        return this.#buries();
      case 'finish':
        return this.attempt('end', [endWrite(version, this.#releaseRead())], { at: 'begin' }, { at: 'look' });
      default:
        return [];
    }
  }

  #releaseRead(): Release {
    return rowOf(releaseAt('a'), this.me.release ?? 0)?.attributes as unknown as Release;
  }

  #nextOf(release: Release, block: Block | undefined): string {
    if (release.k === 1) return 'uncount';
    const countsAll = this.#isOff('give back: a named reference is never given back as a counted one');
    const isHeld = block?.o === this.me.version;
    if (release.n === 1 && !isHeld && countsAll && block?.f !== undefined) return 'uncount';
    if (release.n !== 1 || !isHeld) return 'bury';
    const isNoted = release.g?.has(placeOf(block as Block)) || (block as Block).f !== undefined;
    if (this.#isOff('end: the named reference is given back') && release.g?.has(placeOf(block as Block))) return 'bury';
    return isNoted || this.#isOff('give back: the slot is noted before the row goes') ? 'give back' : 'note';
  }

  /** What is read here changes no more: a slot that no block row names is never named again. */
  #buries(): Step[] {
    const noted = [...(this.#releaseRead().g ?? [])];
    const block = this.#now<Block>(BLOCK);
    const dying = noted
      .filter((place) => block === undefined || place !== placeOf(block))
      .map((place) => place[1] as Slot)
      .find((slot) => !this.#isDead(slot) && this.#number(bucketAt(slot)) !== 0);
    if (dying === undefined || this.#isOff('end: every slot that was noted is dead, or a block row names it'))
      return this.go('finds all buried', { at: 'finish' });
    return this.attempt('bury', diesWrites(dying, false), { at: 'bury' }, { at: 'bury' });
  }

  /** 21, once. */
  #merges(): Step[] {
    switch (this.me.at) {
      case 'begin':
        return this.#isKnown(this.#now<Block>(BLOCK))
          ? this.go('copies', { at: 'merge', block: this.#number(BLOCK) })
          : [];
      case 'merge': {
        const block = this.#blockRead() as Block;
        return this.attempt('merge', mergeWrites(block, this.#isDead(block.p)), { at: 'end' }, { at: 'end' });
      }
      default:
        return [];
    }
  }

  /** Buckets of which nothing lives, of volumes where nothing is pending. */
  /** What meets a row whose key is gone: it goes if it is void. */
  #rewraps(): Step[] {
    const block = this.#blockRead();
    switch (this.me.at) {
      case 'begin':
        return this.go('reads the block', { at: 'ask', block: this.#number(BLOCK) });
      case 'ask': {
        const isVoid = block !== undefined && block.f === undefined && !this.#isKnown(block);
        return this.go(isVoid ? 'finds it void' : 'rewraps it', { at: isVoid ? 'rewrap' : 'begin' });
      }
      default:
        return this.attempt('rewrap', [dropVoidWrite(block as Block)], { at: 'end' }, { at: 'begin' });
    }
  }

  #drops(): Step[] {
    return (['D', 'd'] as const).flatMap((home) => {
      const isPending = this.#now<{ p?: number }>(volumeAt(home))?.p !== undefined;
      const rows = isPending || this.#number(bucketAt(home)) === 0 ? undefined : this.after('drop', dropWrites(home));
      return rows === undefined ? [] : this.go(`drops ${home}`, {}, { rows });
    });
  }
}

function acknowledged(state: PutState, version: Version): PutState {
  return {
    ...state,
    acknowledged: state.acknowledged.includes(version) ? state.acknowledged : state.acknowledged + version,
  };
}

const blockNow = (rows: Rows): Block | undefined => rowAt(rows, BLOCK)?.attributes as Block | undefined;
const namesNow = (rows: Rows): Named[] =>
  (['A', 'B'] as const).flatMap((key) => (rowAt(rows, objectAt(key))?.attributes as Named | undefined) ?? []);

function isVisible(rows: Rows, version: Version, goesByName = false): boolean {
  const block = blockNow(rows);
  return namesNow(rows).some(({ v, n }) => v === version && (goesByName || n === undefined || block?.o === v));
}

/** What must hold in every state; undefined if it does. */
export function putViolationOf(state: PutState): string | undefined {
  const { rows, acknowledged: known, seen, gone } = state;
  const block = blockNow(rows);
  for (const version of VERSIONS) {
    const isThere = isVisible(rows, version);
    if (known.includes(version) && !gone.includes(version) && !isThere) return 'what was acknowledged is not there';
    if (seen.includes(version) && !gone.includes(version) && !isThere) return 'what was seen is not there';
    if (gone.includes(version) && isThere) return 'what was deleted is there';
  }
  const anyVisible = VERSIONS.some((version) => isVisible(rows, version));
  const isAlive = (slot: Slot): boolean => Number(rowAt(rows, bucketAt(slot))?.attributes['l'] ?? 0) === 1;
  if (anyVisible && (block === undefined || !isAlive(block.p))) return 'an object cannot be read';
  for (const slot of ['D', 'd', 'M'] as const) {
    const bucket = rowAt(rows, bucketAt(slot));
    if (bucket === undefined) continue;
    const live = rowAt(rows, deadAt(slot)) === undefined ? 1 : 0;
    if (bucket.attributes['l'] !== live) return `${slot} counts ${bucket.attributes['l']} live slots, not ${live}`;
  }
  const counted = namesNow(rows).filter(({ n }) => n === undefined).length;
  const owed = VERSIONS.filter((version) => rowAt(rows, releaseAt(version))?.attributes['k'] === 1).length;
  if ((block?.f ?? 0) !== counted + owed)
    return `${counted + owed} references are counted, the block has ${block?.f ?? 0}`;
  return leakOf(state, isAlive);
}

/** When nothing is under way, a slot lives if a block row names it, and a block row is there if an object refers to it. */
function leakOf({ rows, actors }: PutState, isAlive: (slot: Slot) => boolean): string | undefined {
  const isPending = (['D', 'd'] as const).some((home) => rowAt(rows, volumeAt(home))?.attributes['p'] !== undefined);
  const isOwed = VERSIONS.some((version) => rowAt(rows, releaseAt(version)) !== undefined);
  const isUnderWay = Object.values(actors).some(({ late }) => late !== undefined);
  if (isPending || isOwed || isUnderWay) return undefined;
  const block = blockNow(rows);
  for (const slot of ['D', 'd', 'M'] as const)
    if (isAlive(slot) && block?.p !== slot) return `the slot in ${slot} is live, and no block names it`;
  if (block !== undefined && isAlive(block.p) && block.f === undefined && !VERSIONS.some((one) => isVisible(rows, one)))
    return 'nobody refers to the block';
  return undefined;
}
