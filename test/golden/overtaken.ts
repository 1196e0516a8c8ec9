// A use-case that stands still at one of its calls while another process does something in full, and then goes on: what it tells and leaves, and that
// all adds up once whoever comes next has ended what was left.
import { createHash } from 'node:crypto';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';
import type { UseCase } from '../faults/use-cases.ts';
import type { Model } from '../store/crash.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { bothOf, HeardModel, OVERTAKES, type Overtakes } from './overtaking.ts';
import { textOf } from './seeded-rows.ts';
import { foundNothing } from './transcripts.ts';

type Kind = 'write' | 'read';

interface Place {
  readonly kind: Kind;
  readonly at: number;
}

const tableOf = ({ partition }: Pick<Key, 'partition'>): string => partition.split('/')[0] as string;
const tablesOf = (keys: readonly Key[]): string => [...new Set(keys.map(tableOf))].join(' ');

class OvertakenPanda implements Panda {
  readonly refusesOverlap = true;
  readonly paysByWrite = true;
  readonly calls = { write: 0, read: 0 };
  met = '';
  readonly #inner: MemoryPanda;
  readonly #place: Place;
  readonly #other: () => Promise<void>;
  #busy: Promise<void> | undefined;

  constructor(inner: MemoryPanda, place: Place, other: () => Promise<void>) {
    [this.#inner, this.#place, this.#other] = [inner, place, other];
  }

  get = (key: Key): Promise<Row | undefined> => this.#do('read', `get ${tableOf(key)}`, () => this.#inner.get(key));
  getMany = (keys: readonly Key[], _options?: ReadOptions): Promise<(Row | undefined)[]> =>
    this.#do('read', `get ${tablesOf(keys)}`, () => this.#inner.getMany(keys));
  query = (partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> =>
    this.#do('read', `query ${tableOf({ partition })}`, () => this.#inner.query(partition, range, options));
  transact = (writes: readonly Write[]): Promise<void> =>
    this.#do('write', tablesOf(writes), () => this.#inner.transact(writes));
  scan = (): AsyncIterable<readonly Row[]> => this.#inner.scan();
  async close(): Promise<void> {}

  async #do<T>(kind: Kind, what: string, call: () => Promise<T>): Promise<T> {
    // Nothing of this process goes on meanwhile.
    await this.#busy;
    this.calls[kind] += 1;
    if (kind === this.#place.kind && this.calls[kind] === this.#place.at) {
      this.met = what;
      this.#busy = this.#other();
      await this.#busy;
    }
    return call();
  }
}

const sumOf = (value: unknown): string => createHash('sha256').update(textOf(value)).digest('hex').slice(0, 6);

async function leftIn(world: World): Promise<string> {
  const rows = world.panda.snapshot();
  const hash = createHash('sha256');
  let objects = 0;
  for (const drive of world.drives)
    for (const at of await drive.zones())
      for (const { name } of await drive.list(at)) {
        hash.update(`${drive.label}/${at.zone}/${at.generation}/${name}`).update(await drive.read(at, name));
        objects += 1;
      }
  return `${rows.length} rows ${sumOf(rows)}, ${objects} objects ${hash.digest('hex').slice(0, 6)}`;
}

const toldBy = (what: Promise<unknown>): Promise<{ failed: boolean; told: string }> =>
  what.then(
    (value) => ({ failed: false, told: `tells ${sumOf(value ?? '')}` }),
    (error: unknown) => {
      // What a use-case is for was done by the other one.
      if (foundNothing(error)) return { failed: true, told: 'finds it done' };
      if (!isPocketfulError(error)) throw error;
      return { failed: true, told: `fails ${error.code}` };
    },
  );

/** Whoever comes next ends what was left; then all adds up. */
async function ended(world: World, model: Model | undefined): Promise<string> {
  const next = world.start({ othersDead: true });
  await recover(next.volumes, next.frontend, { sweep: true });
  await model?.expectIn(next);
  await expectSound(next);
  return leftIn(world);
}

/** By the process itself most often: it wants the same. */
const PLACES = { itself: { writes: 12, reads: 5 }, others: { writes: 6, reads: 2 } };

/** Every one, or so many of them, evenly; others of them by another `shift` from 0 to 1. */
const spread = (count: number, max: number, shift: number): number[] =>
  count <= max
    ? Array.from({ length: count }, (_, i) => i + 1)
    : Array.from({ length: max }, (_, i) => 1 + Math.floor(((i + shift) * count) / max));

/** `by`: one of `OVERTAKES`. `every`: of so many places one, where each takes long. */
export async function overtakenLines({ prepare, act }: UseCase, by: string, every = 1): Promise<readonly string[]> {
  const prepared = await prepare();
  const overtakes = OVERTAKES[by] as Overtakes;
  const run = async (place: Place, isKnown: boolean) => {
    const world = prepared.world.clone();
    const mine = HeardModel.of(prepared.model);
    const theirs = HeardModel.of(prepared.model);
    let other = { failed: false, told: '' };
    const panda = new OvertakenPanda(world.panda, place, async () => {
      other = await toldBy(overtakes(world, theirs, act, place.at));
    });
    const { failed, told } = await toldBy(act(world.start({ panda }), mine));
    const left = await leftIn(world);
    const isDecided = isKnown && !failed && !other.failed;
    const then = await ended(world, isDecided ? bothOf(mine, theirs) : undefined).catch((error: Error) => {
      error.message = `${place.kind} ${place.at} (${panda.met}) overtaken by ${by}, ${told}: ${error.message}`;
      throw error;
    });
    return { panda, other, told, left, then };
  };
  const nobody: Place = { kind: 'write', at: 0 };
  const isKnown = await run(nobody, true).then(
    () => true,
    () => false,
  );
  const calm = await run(nobody, isKnown);
  const { write: writes, read: reads } = calm.panda.calls;
  const does = ({ told, left, then }: typeof calm): string =>
    `${told}, leaves ${left}${then === left ? '' : `, then ${then}`}`;
  const words = isKnown ? '' : ', and the model does not know of it';
  const lines = [`in peace: ${writes} writes, ${reads} reads, ${does(calm)}${words}`];
  const max = by === 'itself' ? PLACES.itself : PLACES.others;
  const shift = ((Object.keys(OVERTAKES).indexOf(by) * 3) % 8) / 8;
  const places: readonly Place[] = [
    ...spread(writes, Math.ceil(max.writes / every), shift).map((at) => ({ kind: 'write' as const, at })),
    ...spread(reads, Math.ceil(max.reads / every), shift).map((at) => ({ kind: 'read' as const, at })),
  ];
  for (const place of places) {
    const done = await run(place, isKnown);
    const { panda, other } = done;
    lines.push(
      `${place.kind} ${place.at} (${panda.met}), after that ${other.told}: ${panda.calls.write} writes, ${panda.calls.read} reads, ${does(done)}`,
    );
  }
  return lines;
}
