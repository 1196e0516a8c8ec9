// What use-cases call, in their order: every call of the metadata store and of drives, as few words and a sum of all that is in it, and what they
// leave. Calls are what a store costs; one more, or another order, is seen here first.
import { createHash } from 'node:crypto';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { type FaultMode, scriptedPlan } from '../../lib/foundation/faults.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';
import type { UseCase } from '../faults/use-cases.ts';
import type { World } from '../store/harness.ts';
import { textOf } from './seeded-rows.ts';

const sumOf = (value: unknown): string => createHash('sha256').update(textOf(value)).digest('hex').slice(0, 6);
const tableOf = ({ partition }: Pick<Key, 'partition'>): string => partition.split('/')[0] as string;

/** `block block volume` as `block 2 volume`. */
function counted(names: readonly string[]): string {
  const counts = Map.groupBy(names, (name) => name);
  return [...counts].map(([name, of]) => (of.length === 1 ? name : `${name} ${of.length}`)).join(', ');
}

class RecordingPanda implements Panda {
  readonly refusesOverlap: boolean;
  readonly paysByWrite = true;
  readonly #inner: Panda;
  readonly #say: (line: string) => void;

  constructor(inner: Panda, say: (line: string) => void) {
    [this.#inner, this.#say, this.refusesOverlap] = [inner, say, inner.refusesOverlap];
  }

  get(key: Key): Promise<Row | undefined> {
    this.#say(`get ${tableOf(key)} ${sumOf(key)}`);
    return this.#inner.get(key);
  }

  getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    this.#say(
      `get ${counted(keys.map(tableOf))}${options?.consistency === 'eventual' ? ' eventually' : ''} ${sumOf(keys)}`,
    );
    return this.#inner.getMany(keys, options);
  }

  query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    this.#say(`query ${tableOf({ partition })} ${sumOf([partition, range, options])}`);
    return this.#inner.query(partition, range, options);
  }

  transact(writes: readonly Write[]): Promise<void> {
    this.#say(`write ${counted(writes.map((write) => `${write.kind} ${tableOf(write)}`))} ${sumOf(writes)}`);
    return this.#inner.transact(writes);
  }

  scan(): AsyncIterable<readonly Row[]> {
    this.#say('scan all');
    return this.#inner.scan();
  }

  async close(): Promise<void> {}
}

/** Calls of the same words one after the other are one line. */
function folded(lines: readonly string[]): string[] {
  const out: { words: string; count: number; sums: string[] }[] = [];
  for (const line of lines) {
    const at = line.lastIndexOf(' ');
    const [words, sum] = [line.slice(0, at), line.slice(at + 1)];
    const last = out.at(-1);
    if (last?.words === words) {
      last.count += 1;
      last.sums.push(sum);
    } else out.push({ words, count: 1, sums: [sum] });
  }
  return out.map(({ words, count, sums }) =>
    count === 1 ? `${words} ${sums[0]}` : `${count} times ${words} ${sumOf(sums)}`,
  );
}

async function left(world: World): Promise<string> {
  const rows = world.panda.snapshot();
  const tables = [...Map.groupBy(rows, tableOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  const objects: string[] = [];
  for (const drive of world.drives)
    for (const zone of await drive.zones())
      for (const { name } of await drive.list(zone))
        objects.push(`${drive.label} ${textOf(zone)} ${name} ${sumOf(await drive.read(zone, name))}`);
  return `${tables.map(([name, of]) => `${of.length} ${name} ${sumOf(of)}`).join(', ')}; ${objects.length} objects ${sumOf(objects)}`;
}

export async function transcriptOf({ prepare, act }: UseCase): Promise<readonly string[]> {
  const prepared = await prepare();
  const world = prepared.world.clone();
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const plan = scriptedPlan(({ port, operation }, detail) => {
    if (port === 'drive') say(`${operation} drive ${sumOf(detail)}`);
    return 'none';
  });
  const told = await act(world.start({ plan, panda: new RecordingPanda(world.panda, say) }), prepared.model.clone());
  return [
    ...folded(lines),
    `tells ${textOf(told ?? '').slice(0, 600)}, ${sumOf(told ?? '')}`,
    `leaves ${await left(world)}`,
  ];
}

const PLACES = [1 / 7, 1 / 2, 6 / 7];
/** What may happen to a call: it is done or not, and its answer is lost, or it is refused for now; and to all from there on. */
const INTERRUPTIONS: readonly (readonly [calls: string, mode: FaultMode | 'conflict', span: 'once' | 'always'])[] = [
  ['panda transact', 'after-error', 'once'],
  ['panda transact', 'before-error', 'once'],
  ['panda transact', 'before-error', 'always'],
  ['panda transact', 'conflict', 'once'],
  ['panda transact', 'conflict', 'always'],
  ['panda get', 'before-error', 'once'],
  ['panda query', 'before-error', 'once'],
  ['drive append', 'after-error', 'once'],
  ['drive append', 'before-error', 'once'],
  ['drive append', 'before-error', 'always'],
  ['drive read', 'before-error', 'once'],
  ['drive read', 'before-error', 'always'],
];
/** Whoever waits for others to give way goes on till then. */
const CALLS_MAX = 2_000;
const GOES_ON = new Error('it goes on');

class ConflictingPanda extends RecordingPanda {
  readonly #isRefused: () => boolean;

  constructor(inner: Panda, isRefused: () => boolean) {
    super(inner, () => undefined);
    this.#isRefused = isRefused;
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    if (this.#isRefused()) throw new PandaConflict([0]);
    return super.transact(writes);
  }
}

/** So many answers of transactions are lost of those whose every answer is to be. */
const ANSWERS_MAX = 25;

/** What comes of it when one of its calls fails, early, in the middle and late; or, of answers, when any is lost. */
export async function interruptedLines({ prepare, act }: UseCase, everyAnswer = false): Promise<readonly string[]> {
  const prepared = await prepare();
  const run = async (calls: string, at: number, mode: FaultMode | 'conflict', span: 'once' | 'always') => {
    const world = prepared.world.clone();
    const counts = new Map<string, number>();
    let all = 0;
    const isHit = (name: string): boolean => {
      const count = counts.get(name) ?? 0;
      return name === calls && (count === at || (span === 'always' && count > at));
    };
    const plan = scriptedPlan(({ port, operation }) => {
      const name = `${port} ${operation}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      all += 1;
      if (all > CALLS_MAX) throw GOES_ON;
      return mode !== 'conflict' && isHit(name) ? mode : 'none';
    });
    const panda = new ConflictingPanda(world.panda, () => mode === 'conflict' && isHit('panda transact'));
    const told = await act(world.start({ plan, panda }), prepared.model.clone()).then(
      (value) => `tells ${sumOf(value ?? '')}`,
      (error: unknown) => {
        if (error === GOES_ON) return 'goes on';
        if (isPocketfulError(error)) return `fails ${error.code} ${error.message}`;
        throw error;
      },
    );
    return { counts, told, all, leaves: await left(world) };
  };
  const calm = await run('', 0, 'none', 'once');
  const lines = [`${calm.told}, ${calm.all} calls, leaves ${calm.leaves}`];
  for (const [calls, mode, span] of INTERRUPTIONS) {
    const count = calm.counts.get(calls) ?? 0;
    const some = (span === 'once' ? PLACES : PLACES.slice(0, 2)).map((part) => Math.ceil(count * part));
    const isEvery = everyAnswer && calls === 'panda transact' && mode === 'after-error';
    const places = isEvery ? Array.from({ length: Math.min(count, ANSWERS_MAX) }, (_, i) => i + 1) : new Set(some);
    for (const at of places) {
      if (at === 0) continue;
      const { told, all, leaves } = await run(calls, at, mode, span);
      const same = (one: string, other: string): string => (one === other ? 'the same' : one);
      lines.push(
        `${calls} ${at} ${mode} ${span}: ${same(told, calm.told)}, ${all} calls, leaves ${same(leaves, calm.leaves)}`,
      );
    }
  }
  return lines;
}
