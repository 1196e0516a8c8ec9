// The semantics of a transaction, pure and without storage: what a transaction may look like (anything else is a
// programmer error), when a condition holds, and what a write leaves behind. Memory and SQLite run it; DynamoDB does
// the same by itself.
import { assert, unreachable } from '../foundation/assert.ts';
import {
  EXPRESSION_PARTS_MAX,
  GET_MANY_MAX,
  PAGE_ROWS_MAX,
  TRANSACTION_BYTES_MAX,
  TRANSACTION_ITEMS_MAX,
} from '../limits/panda.ts';
import {
  attributesBytes,
  checkAttribute,
  checkKey,
  checkMembers,
  checkName,
  checkNumber,
  checkRowBytes,
  checkString,
  keyBytes,
  ownedAttribute,
  ownedAttributes,
  utf8Bytes,
} from './attributes.ts';
import { PandaConflict } from './conflict.ts';
import type { Attribute, Attributes, Clause, Condition, Key, QueryOptions, SortRange, Update, Write } from './panda.ts';

/** One string per key, different for different keys. */
export const keyText = (key: Key): string => `${key.partition.length} ${key.partition}${key.sort}`;

export function checkGetMany(keys: readonly Key[]): void {
  assert(keys.length <= GET_MANY_MAX, () => `getMany of ${keys.length} keys, more than ${GET_MANY_MAX}`);
  for (const key of keys) checkKey(key);
}

/** Checks a query and gives its page length. */
export function checkQuery(partition: string, range: SortRange, options: QueryOptions): number {
  checkKey({ partition, sort: 'x' });
  for (const bound of [range.from, range.to])
    assert(bound === undefined || bound.isWellFormed(), 'a bound has a lone surrogate');
  const limit = options.limit ?? PAGE_ROWS_MAX;
  assert(Number.isInteger(limit) && limit >= 1 && limit <= PAGE_ROWS_MAX, `a page of ${limit} rows`);
  return limit;
}

/** Asserts all that does not depend on the rows. */
export function checkTransaction(writes: readonly Write[]): void {
  const count = writes.length;
  assert(count >= 1 && count <= TRANSACTION_ITEMS_MAX, () => `a transaction of ${count} writes`);
  const seen = new Set<string>();
  let bytes = 0;
  for (const write of writes) {
    checkKey(write);
    const key = keyText(write);
    assert(!seen.has(key), () => `the row ${write.partition} is written twice in one transaction`);
    seen.add(key);
    if (write.if !== undefined) checkCondition(write.if);
    bytes += checkWrite(write);
  }
  assert(bytes <= TRANSACTION_BYTES_MAX, () => `a transaction of ${bytes} bytes, more than ${TRANSACTION_BYTES_MAX}`);
}

/** Size of a write as it counts for TRANSACTION_BYTES_MAX. */
function checkWrite(write: Write): number {
  switch (write.kind) {
    case 'put':
      for (const [name, value] of Object.entries(write.attributes)) checkAttribute(name, value);
      return checkRowBytes(write, write.attributes);
    case 'update':
      return keyBytes(write) + checkUpdate(write);
    case 'delete':
    case 'check':
      return keyBytes(write);
    default:
      return unreachable(write);
  }
}

function checkUpdate(update: Update): number {
  let bytes = 0;
  const named = new Set<string>();
  const name = (attribute: string): void => {
    checkName(attribute);
    assert(!named.has(attribute), () => `attribute ${attribute} is named twice in one update`);
    named.add(attribute);
    bytes += utf8Bytes(attribute);
  };
  for (const [attribute, value] of Object.entries(update.set ?? {})) {
    name(attribute);
    checkAttribute(attribute, value);
  }
  bytes += attributesBytes(update.set ?? {});
  for (const [attribute, value] of Object.entries(update.add ?? {})) {
    name(attribute);
    checkNumber(value, attribute);
  }
  for (const attribute of update.remove ?? []) name(attribute);
  for (const changes of [update.insert ?? {}, update.discard ?? {}])
    for (const [attribute, members] of Object.entries(changes)) {
      name(attribute);
      checkMembers(members, attribute);
      for (const member of members) bytes += utf8Bytes(member);
    }
  assert(named.size <= EXPRESSION_PARTS_MAX, () => `an update of ${named.size} attributes`);
  return bytes;
}

function checkCondition(condition: Condition): void {
  assert(condition.length <= EXPRESSION_PARTS_MAX, () => `a condition of ${condition.length} clauses`);
  for (const clause of condition) {
    if (typeof clause === 'string') continue;
    checkName(clause.attribute);
    for (const value of operands(clause)) {
      if (typeof value === 'string') checkString(value, clause.attribute);
      else if (typeof value === 'number') checkNumber(value, clause.attribute);
    }
    if ('oneOf' in clause)
      assert(clause.oneOf.length <= EXPRESSION_PARTS_MAX, `a clause with ${clause.oneOf.length} values`);
    if ('contains' in clause) assert(clause.contains !== '', 'no set has an empty member');
  }
}

function operands(clause: Exclude<Clause, string>): readonly (string | number | Uint8Array)[] {
  if ('equals' in clause) return [clause.equals];
  if ('atLeast' in clause) return [clause.atLeast];
  if ('atMost' in clause) return [clause.atMost];
  if ('oneOf' in clause) return clause.oneOf;
  return 'contains' in clause ? [clause.contains] : [];
}

/** True if every clause of the condition holds of the row; `undefined` is the absent row. */
export const holds = (condition: Condition, row: Attributes | undefined): boolean =>
  condition.every((clause) => clauseHolds(clause, row));

function clauseHolds(clause: Clause, row: Attributes | undefined): boolean {
  if (clause === 'exists') return row !== undefined;
  if (clause === 'absent') return row === undefined;
  const value = row !== undefined && Object.hasOwn(row, clause.attribute) ? row[clause.attribute] : undefined;
  if ('missing' in clause) return value === undefined;
  if ('equals' in clause) return same(value, clause.equals);
  if ('atLeast' in clause) return typeof value === 'number' && value >= clause.atLeast;
  if ('atMost' in clause) return typeof value === 'number' && value <= clause.atMost;
  if ('oneOf' in clause) return clause.oneOf.some((wanted) => value === wanted);
  if ('contains' in clause) return value instanceof Set && value.has(clause.contains);
  return unreachable(clause);
}

function same(value: Attribute | undefined, wanted: string | number | Uint8Array): boolean {
  if (!(wanted instanceof Uint8Array)) return value === wanted;
  return value instanceof Uint8Array && Buffer.compare(value, wanted) === 0;
}

/** True if a write depends on the row it meets. */
export const readsRow = (write: Write): boolean => write.kind === 'update' || (write.if?.length ?? 0) > 0;

/**
 * Throws PandaConflict unless all conditions of a checked transaction hold of the rows as they are (in the order of the
 * writes; undefined = absent). The rows of writes that depend on none may be left out.
 */
export function checkConditions(writes: readonly Write[], before: readonly (Attributes | undefined)[]): void {
  const failed: number[] = [];
  for (const [index, write] of writes.entries()) {
    const row = before[index];
    const impossible = write.kind === 'update' && row === undefined;
    if (impossible || (write.if !== undefined && !holds(write.if, row))) failed.push(index);
  }
  if (failed.length > 0) throw new PandaConflict(failed);
}

/**
 * What the rows of a checked transaction become, given what they are. Throws PandaConflict if a condition does not
 * hold; nothing that is given is changed.
 */
export function outcome(
  writes: readonly Write[],
  before: readonly (Attributes | undefined)[],
): (Attributes | undefined)[] {
  checkConditions(writes, before);
  return writes.map((write, index) => applied(write, before[index]));
}

/** What one write makes of a row, its condition aside. The result shares nothing with the write that can be changed. */
export function applied(write: Write, row: Attributes | undefined): Attributes | undefined {
  switch (write.kind) {
    case 'put':
      return ownedAttributes(write.attributes);
    case 'update':
      assert(row !== undefined, 'an update of an absent row');
      return updated(write, row);
    case 'delete':
      return undefined;
    case 'check':
      return row;
    default:
      return unreachable(write);
  }
}

function updated(update: Update, row: Attributes): Attributes {
  const next: Record<string, Attribute> = { ...row };
  for (const [name, value] of Object.entries(update.set ?? {})) {
    const owned = ownedAttribute(value);
    if (owned === undefined) delete next[name];
    else next[name] = owned;
  }
  for (const [name, value] of Object.entries(update.add ?? {})) {
    const current = attributeOf(row, name) ?? 0;
    assert(typeof current === 'number', `attribute ${name} of row ${update.partition} is not a number`);
    checkNumber(current + value, name);
    next[name] = current + value;
  }
  for (const name of update.remove ?? []) delete next[name];
  for (const [name, members] of Object.entries(update.insert ?? {}))
    keepSet(next, name, new Set([...membersOf(update, row, name), ...members]));
  for (const [name, members] of Object.entries(update.discard ?? {})) {
    const kept = new Set(membersOf(update, row, name));
    for (const member of members) kept.delete(member);
    keepSet(next, name, kept);
  }
  checkRowBytes(update, next);
  return Object.freeze(next);
}

const attributeOf = (row: Attributes, name: string): Attribute | undefined =>
  Object.hasOwn(row, name) ? row[name] : undefined;

function membersOf(update: Update, row: Attributes, name: string): ReadonlySet<string> {
  const current = attributeOf(row, name) ?? new Set<string>();
  assert(current instanceof Set, `attribute ${name} of row ${update.partition} is not a set`);
  return current;
}

function keepSet(next: Record<string, Attribute>, name: string, members: Set<string>): void {
  if (members.size === 0) delete next[name];
  else next[name] = members;
}
