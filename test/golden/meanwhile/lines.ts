// One step of a volume, with what may happen meanwhile at each of its calls: somebody else changes a row just before it, a transaction is refused, or
// its answer is lost, done or not, and then somebody changes a row. What comes of it is a line for each call; a word for each change.
import { createHash } from 'node:crypto';
import { isPocketfulError, retryLater, unknownOutcome } from '../../../lib/foundation/errors.ts';
import { scriptedPlan } from '../../../lib/foundation/faults.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../../lib/panda/panda.ts';
import type { Process, StartOptions, World } from '../../store/harness.ts';
import { textOf } from '../seeded-rows.ts';

export interface Step {
  readonly prepare: () => Promise<World>;
  readonly options?: StartOptions;
  readonly act: (p: Process, world: World) => Promise<unknown>;
  /** What others may do meanwhile, by a name: of rows as they are when it happens. */
  readonly meanwhile: Readonly<Record<string, Meanwhile>>;
}

export type Meanwhile = (rows: readonly Row[]) => readonly Write[];

type Mode = 'before' | 'refused' | 'always refused' | 'lost' | 'done' | 'busy' | 'fails';
type DriveMode = 'drive refuses' | 'drive did it';

interface Happens {
  readonly mode: Mode | DriveMode;
  /** Of the calls of rows, or of drives. */
  readonly at: number;
  readonly change?: Meanwhile | undefined;
}

/** Whoever waits for others goes on till then. */
const CALLS_MAX = 600;
const GOES_ON = new Error('it goes on');
const PLACES_MAX = 14;

const sumOf = (value: unknown): string => createHash('sha256').update(textOf(value)).digest('hex').slice(0, 4);

class Calls {
  readonly words: string[] = [];
  readonly #happens: Happens | undefined;
  readonly #world: World;

  constructor(world: World, happens: Happens | undefined) {
    [this.#world, this.#happens] = [world, happens];
  }

  /** The mode of this call, if it is the one. */
  async next(word: string): Promise<Happens['mode'] | undefined> {
    this.words.push(word);
    if (this.words.length > CALLS_MAX) throw GOES_ON;
    const { mode, at } = this.#happens ?? {};
    const isIt = this.words.length === at;
    if (isIt && mode === 'before') await this.change();
    const isAlways = mode === 'always refused' || mode === 'busy' || mode === 'fails';
    return isIt || (isAlways && this.words.length >= (at ?? 0)) ? mode : undefined;
  }

  async change(): Promise<void> {
    const writes = this.#happens?.change?.(this.#world.panda.snapshot()) ?? [];
    if (writes.length > 0) await this.#world.panda.transact(writes);
  }
}

class MeanwhilePanda implements Panda {
  readonly refusesOverlap: boolean;
  readonly paysByWrite = true;
  readonly #inner: Panda;
  readonly #calls: Calls;

  constructor(inner: Panda, calls: Calls) {
    [this.#inner, this.#calls, this.refusesOverlap] = [inner, calls, inner.refusesOverlap];
  }

  async get(key: Key): Promise<Row | undefined> {
    await this.#read('get');
    return this.#inner.get(key);
  }

  async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    await this.#read('get');
    return this.#inner.getMany(keys, options);
  }

  async query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    await this.#read('query');
    return this.#inner.query(partition, range, options);
  }

  async transact(writes: readonly Write[]): Promise<void> {
    const mode = await this.#calls.next('write');
    if (mode === 'refused' || mode === 'always refused') throw new PandaConflict([0]);
    if (mode === 'busy') throw retryLater('PANDA_BUSY', 'busy');
    if (mode === 'done') await this.#inner.transact(writes);
    if (mode === 'done' || mode === 'lost') {
      await this.#calls.change();
      throw unknownOutcome('PANDA_UNKNOWN', 'lost');
    }
    return this.#inner.transact(writes);
  }

  async *scan(): AsyncIterable<readonly Row[]> {
    await this.#read('scan');
    yield* this.#inner.scan();
  }

  async close(): Promise<void> {}

  async #read(word: string): Promise<void> {
    if ((await this.#calls.next(word)) === 'busy') throw retryLater('PANDA_BUSY', 'busy');
  }
}

async function leftIn(world: World): Promise<string> {
  const objects: unknown[] = [];
  for (const drive of world.drives)
    for (const zone of await drive.zones())
      for (const { name, bytes } of await drive.list(zone)) objects.push([drive.label, zone, name, bytes]);
  return sumOf([world.panda.snapshot(), objects]);
}

interface Outcome {
  readonly words: readonly string[];
  readonly driveWords: readonly string[];
  readonly told: string;
  readonly left: string;
}

async function run(prepared: World, { act, options = {} }: Step, happens?: Happens): Promise<Outcome> {
  const world = prepared.clone();
  const calls = new Calls(world, happens);
  const driveWords: string[] = [];
  const plan = scriptedPlan(({ port, operation }) => {
    if (port !== 'drive') return 'none';
    driveWords.push(operation);
    if (driveWords.length > CALLS_MAX) throw GOES_ON;
    const { mode, at = 0 } = happens ?? {};
    // Every one after so many calls of rows, or one alone.
    if (mode === 'fails') return calls.words.length >= at ? 'before-error' : 'none';
    if (driveWords.length !== at) return 'none';
    return mode === 'drive refuses' ? 'before-error' : mode === 'drive did it' ? 'after-error' : 'none';
  });
  const p = world.start({ ...options, plan, panda: new MeanwhilePanda(world.panda, calls) });
  const told = await act(p, world).then(
    (value) => sumOf(value ?? ''),
    (error: unknown) => {
      if (error === GOES_ON) return 'goes on';
      if (isPocketfulError(error)) return error.code;
      if (error instanceof Error && error.name === 'AssertionError') return 'is never so';
      throw error;
    },
  );
  return { words: calls.words, driveWords, told, left: await leftIn(world) };
}

const shortOf = ({ words, told, left }: Outcome, calm: Outcome): string =>
  `${told === calm.told ? 'the same' : told} ${words.length} ${left === calm.left ? '=' : left}`;

const MODES: readonly (readonly [Mode, ofWrites: boolean, changes: boolean])[] = [
  ['before', false, true],
  ['refused', true, false],
  ['always refused', true, false],
  ['lost', true, true],
  ['done', true, true],
  ['busy', false, false],
  ['fails', false, false],
];

/** Writes and reads of single rows, and of queries the first one of those behind each other. */
function placesIn(words: readonly string[]): number[] {
  const places = words.flatMap((word, i) => (word === 'query' && words[i - 1] === 'query' ? [] : [i + 1]));
  return places.slice(0, PLACES_MAX);
}

export async function meanwhileLines(step: Step): Promise<readonly string[]> {
  const prepared = await step.prepare();
  const calm = await run(prepared, step);
  const lines = [`${calm.told}, leaves ${calm.left}: ${calm.words.join(' ')}`];
  const places = placesIn(calm.words);
  const changes = Object.entries(step.meanwhile);
  for (const at of places)
    for (const [mode, isOfWrites, hasChanges] of MODES) {
      if (isOfWrites && calm.words[at - 1] !== 'write') continue;
      const some: readonly (readonly [string, Meanwhile | undefined])[] = hasChanges
        ? [...(mode === 'before' ? [] : [['nothing', undefined] as const]), ...changes]
        : [['', undefined]];
      const told: string[] = [];
      for (const [name, change] of some) {
        const text = shortOf(await run(prepared, step, { mode, at, change }), calm);
        told.push(name === '' ? text : `${name}: ${text}`);
      }
      const isCalm = told.every((text) => text.endsWith(`the same ${calm.words.length} =`));
      if (!isCalm) lines.push(`${mode} ${at} ${calm.words[at - 1]} | ${told.join(' | ')}`);
    }
  for (const at of calm.driveWords.slice(0, PLACES_MAX).keys())
    for (const mode of ['drive refuses', 'drive did it'] as const) {
      const text = shortOf(await run(prepared, step, { mode, at: at + 1 }), calm);
      if (text !== `the same ${calm.words.length} =`) lines.push(`${mode} ${at + 1} ${calm.driveWords[at]} | ${text}`);
    }
  return lines;
}
