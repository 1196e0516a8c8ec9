// A plain model of Panda for property tests, written from the words of panda.ts alone and in another manner than the
// bodies: rows are Maps, sets are sorted arrays, order is taken from encoded bytes. Also the generators of transactions.
import fc from 'fast-check';
import type { Attribute, Attributes, Clause, Row, Write } from '../../lib/panda/panda.ts';

type ModelValue = string | number | Uint8Array | (string | number)[] | { members: string[] };
type ModelRow = Map<string, ModelValue>;

const modelValue = (value: Attribute): ModelValue => {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Set) return { members: [...value].sort() };
  return [...(value as readonly (string | number)[])];
};
const isSet = (value: ModelValue | undefined): value is { members: string[] } =>
  typeof value === 'object' && 'members' in value;

export class PandaModel {
  readonly rows = new Map<string, ModelRow>();

  /** Applies all or nothing; answers the indexes of the writes whose condition did not hold. */
  transact(writes: readonly Write[]): number[] {
    const failed = writes.flatMap((write, index) => {
      const row = this.rows.get(`${write.partition}\n${write.sort}`);
      const clauses: Clause[] = [...(write.if ?? [])];
      if (write.kind === 'update') clauses.push('exists');
      return clauses.some((clause) => !PandaModel.#true(clause, row)) ? [index] : [];
    });
    if (failed.length === 0) for (const write of writes) this.#apply(write);
    return failed;
  }

  static #true(clause: Clause, row: ModelRow | undefined): boolean {
    if (clause === 'exists') return row !== undefined;
    if (clause === 'absent') return row === undefined;
    const value = row?.get(clause.attribute);
    if ('missing' in clause) return value === undefined;
    if (value === undefined) return false;
    if ('contains' in clause) return isSet(value) && value.members.includes(clause.contains);
    if ('atLeast' in clause) return typeof value === 'number' && !(value < clause.atLeast);
    if ('atMost' in clause) return typeof value === 'number' && !(value > clause.atMost);
    if ('oneOf' in clause) return (clause.oneOf as unknown[]).includes(value);
    if (clause.equals instanceof Uint8Array)
      return value instanceof Uint8Array && value.join() === clause.equals.join();
    return value === clause.equals;
  }

  #apply(write: Write): void {
    const key = `${write.partition}\n${write.sort}`;
    if (write.kind === 'delete') this.rows.delete(key);
    if (write.kind === 'put')
      this.rows.set(key, new Map(Object.entries(write.attributes).map(([n, v]) => [n, modelValue(v)])));
    const row = this.rows.get(key);
    if (write.kind === 'update' && row !== undefined) {
      for (const [name, value] of Object.entries(write.set ?? {})) row.set(name, modelValue(value));
      for (const [name, value] of Object.entries(write.add ?? {})) row.set(name, Number(row.get(name) ?? 0) + value);
      for (const name of write.remove ?? []) row.delete(name);
      for (const [name, given] of Object.entries(write.insert ?? {}))
        row.set(name, { members: [...new Set([...this.#members(row, name), ...given])].sort() });
      for (const [name, given] of Object.entries(write.discard ?? {}))
        row.set(name, { members: this.#members(row, name).filter((member) => !given.includes(member)) });
    }
    for (const [name, value] of row ?? []) if (isSet(value) && value.members.length === 0) row?.delete(name);
  }

  #members(row: ModelRow, name: string): string[] {
    const value = row.get(name);
    return isSet(value) ? value.members : [];
  }

  /** Rows of a partition in the order Panda must give them. */
  partition(partition: string): Row[] {
    const found: Row[] = [];
    for (const [key, row] of this.rows) {
      const [left, sort] = key.split('\n') as [string, string];
      if (left === partition) found.push({ partition, sort, attributes: PandaModel.#attributes(row) });
    }
    return found.sort((a, b) => Buffer.compare(Buffer.from(a.sort), Buffer.from(b.sort)));
  }

  static #attributes(row: ModelRow): Attributes {
    return Object.fromEntries([...row].map(([name, value]) => [name, isSet(value) ? new Set(value.members) : value]));
  }
}

export const MODEL_PARTITIONS = ['p', 'q'] as const;
const SORTS = ['a', 'a\u0000', 'ab', '\u{1F600}', '\uFFFD', 'é'];

// Every name has a type of its own, so that no `add` meets a string: that would be a programmer error.
const key = fc.record({ partition: fc.constantFrom(...MODEL_PARTITIONS), sort: fc.constantFrom(...SORTS) });
const word = fc.constantFrom('', 'x', 'name', '\u{1F600}');
const member = fc.constantFrom('m', 'n', 'o');
const members = fc.uniqueArray(member, { maxLength: 3 });
const integer = fc.integer({ min: -3, max: 3 });
const bytes = fc.uint8Array({ maxLength: 2 });

const attributes = fc.record(
  {
    count: integer,
    size: integer,
    name: word,
    status: fc.oneof(word, integer),
    hash: bytes,
    list: fc.array(fc.oneof(word, integer), { maxLength: 3 }),
    set: members.map((all): Attribute => new Set(all)),
    tags: members.map((all): Attribute => new Set(all)),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Attributes>;

const attribute = fc.constantFrom('count', 'size', 'name', 'status', 'hash', 'list', 'set', 'tags');
const clause: fc.Arbitrary<Clause> = fc.oneof(
  fc.constantFrom<Clause>('exists', 'exists', 'absent'),
  fc.record({ attribute, equals: fc.oneof(integer, word, bytes) }),
  fc.record({ attribute, atLeast: integer }),
  fc.record({ attribute, atMost: integer }),
  fc.record({ attribute, oneOf: fc.array(fc.oneof(word, integer), { maxLength: 3 }) }),
  fc.record({ attribute, contains: member }),
  fc.record({ attribute, missing: fc.constant(true as const) }),
);
const condition = fc.array(clause, { maxLength: 2 });

const update = fc
  .tuple(attributes, fc.array(integer, { minLength: 2, maxLength: 2 }), members, members, fc.infiniteStream(fc.nat(3)))
  .map(([set, added, inserted, discarded, choices]) => {
    const chosen: Record<string, Attribute> = { ...set };
    const take = (name: string): boolean => {
      const taken = choices.next().value === 0;
      if (taken) delete chosen[name];
      return taken;
    };
    return {
      add: { ...(take('count') && { count: added[0] as number }), ...(take('size') && { size: added[1] as number }) },
      insert: { ...(take('set') && { set: inserted }) },
      discard: { ...(take('tags') && { tags: discarded }) },
      remove: ['name', 'hash', 'list'].filter(take),
      set: chosen,
    };
  });

const write: fc.Arbitrary<Write> = fc
  .tuple(key, fc.option(condition, { nil: undefined, freq: 2 }), attributes, update, fc.nat(9), condition)
  .map(([where, when, put, change, kind, checked]): Write => {
    const condition = when === undefined ? {} : { if: when };
    if (kind < 4) return { kind: 'put', ...where, attributes: put, ...condition };
    if (kind < 8) return { kind: 'update', ...where, ...change, ...condition };
    if (kind === 8) return { kind: 'delete', ...where, ...condition };
    return { kind: 'check', ...where, if: checked };
  });

/** Transactions of a few writes on twelve rows, most of which meet rows and conditions that matter. */
export const transactions = (lengthMax: number): fc.Arbitrary<Write[][]> =>
  fc.array(fc.uniqueArray(write, { minLength: 1, maxLength: 4, selector: (w) => `${w.partition}\n${w.sort}` }), {
    minLength: 1,
    maxLength: lengthMax,
  });
