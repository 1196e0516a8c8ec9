// What use-cases call, in their order: every call of the metadata store and of drives, as few words and a sum of all that is in it, and what they
// leave. Calls are what a store costs; one more, or another order, is seen here first.
import { createHash } from 'node:crypto';
import { scriptedPlan } from '../../lib/foundation/faults.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';
import type { UseCase } from '../faults/use-cases.ts';
import type { World } from '../store/harness.ts';
import { textOf } from './seeded-rows.ts';

export const sumOf = (value: unknown): string => createHash('sha256').update(textOf(value)).digest('hex').slice(0, 6);
const tableOf = ({ partition }: Pick<Key, 'partition'>): string => partition.split('/')[0] as string;

/** `block block volume` as `block 2 volume`. */
function counted(names: readonly string[]): string {
  const counts = Map.groupBy(names, (name) => name);
  return [...counts].map(([name, of]) => (of.length === 1 ? name : `${name} ${of.length}`)).join(', ');
}

export class RecordingPanda implements Panda {
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

export async function left(world: World): Promise<string> {
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

/** A use-case says so of itself where what it is for was not there to be done. */
export const foundNothing = (error: unknown): boolean => error instanceof Error && error.name === 'AssertionError';
