// Writes and conditions as DynamoDB's expressions. Every name goes through a placeholder, because many words are
// reserved; so does every value. Pure: it builds the input of a request and calls nothing.
import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { unreachable } from '../foundation/assert.ts';
import { PARTITION_ATTRIBUTE, SORT_ATTRIBUTE } from './attributes.ts';
import { encodedValue, isEmptySet, itemOf, keyItem } from './dynamo-items.ts';
import type { Attribute, Clause, Condition, SortRange, Update, Write } from './panda.ts';

interface UsedPlaceholders {
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

/** Collects the placeholders of one request; a name or value used twice has one. */
class Placeholders {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, AttributeValue> = {};

  name(attribute: string): string {
    const known = this.#names.get(attribute);
    if (known !== undefined) return known;
    const placeholder = `#${this.#names.size}`;
    this.#names.set(attribute, placeholder);
    return placeholder;
  }

  value(value: Attribute): string {
    const placeholder = `:${Object.keys(this.#values).length}`;
    this.#values[placeholder] = encodedValue(value);
    return placeholder;
  }

  /** DynamoDB refuses empty maps, so that they are left out. */
  get used(): UsedPlaceholders {
    const names = Object.fromEntries([...this.#names].map(([attribute, placeholder]) => [placeholder, attribute]));
    return {
      ...(this.#names.size > 0 && { ExpressionAttributeNames: names }),
      ...(Object.keys(this.#values).length > 0 && { ExpressionAttributeValues: this.#values }),
    };
  }
}

function conditionText(condition: Condition, use: Placeholders): string | undefined {
  const clauses = condition.map((clause) => clauseText(clause, use));
  return clauses.length === 0 ? undefined : clauses.join(' AND ');
}

function clauseText(clause: Clause, use: Placeholders): string {
  if (clause === 'exists') return `attribute_exists(${use.name(PARTITION_ATTRIBUTE)})`;
  if (clause === 'absent') return `attribute_not_exists(${use.name(PARTITION_ATTRIBUTE)})`;
  const name = use.name(clause.attribute);
  if ('missing' in clause) return `attribute_not_exists(${name})`;
  if ('equals' in clause) return `${name} = ${use.value(clause.equals)}`;
  if ('atLeast' in clause) return `${name} >= ${use.value(clause.atLeast)}`;
  if ('atMost' in clause) return `${name} <= ${use.value(clause.atMost)}`;
  if ('oneOf' in clause) {
    // No value can be in an empty list, and DynamoDB has no word for false.
    if (clause.oneOf.length === 0) return `(attribute_exists(${name}) AND attribute_not_exists(${name}))`;
    return `${name} IN (${clause.oneOf.map((value) => use.value(value)).join(', ')})`;
  }
  // `contains` alone would also find substrings and members of lists.
  if ('contains' in clause)
    return `(attribute_type(${name}, ${use.value('SS')}) AND contains(${name}, ${use.value(clause.contains)}))`;
  return unreachable(clause);
}

/** An UpdateExpression, or undefined where the update changes nothing. */
function updateText(update: Update, use: Placeholders): string | undefined {
  const set: string[] = [];
  const remove: string[] = [];
  const add: string[] = [];
  const discard: string[] = [];
  for (const [name, value] of Object.entries(update.set ?? {})) {
    if (isEmptySet(value)) remove.push(use.name(name));
    else set.push(`${use.name(name)} = ${use.value(value)}`);
  }
  for (const name of update.remove ?? []) remove.push(use.name(name));
  for (const [name, value] of Object.entries(update.add ?? {})) add.push(`${use.name(name)} ${use.value(value)}`);
  for (const [name, members] of Object.entries(update.insert ?? {}))
    if (members.length > 0) add.push(`${use.name(name)} ${use.value(new Set(members))}`);
  for (const [name, members] of Object.entries(update.discard ?? {}))
    if (members.length > 0) discard.push(`${use.name(name)} ${use.value(new Set(members))}`);
  const parts = { SET: set, REMOVE: remove, ADD: add, DELETE: discard };
  const text = Object.entries(parts)
    .filter(([, actions]) => actions.length > 0)
    .map(([word, actions]) => `${word} ${actions.join(', ')}`)
    .join(' ');
  return text === '' ? undefined : text;
}

/** One element of TransactWriteItems; its Put, Update or Delete is at once the input of the request of that name. */
export function transactItem(table: string, write: Write): TransactWriteItem {
  const use = new Placeholders();
  const where = { TableName: table, Key: keyItem(write) };
  if (write.kind === 'update') return updateItem(where, write, use);
  const condition = conditionText(write.if ?? [], use);
  const rest = { ...(condition !== undefined && { ConditionExpression: condition }), ...use.used };
  switch (write.kind) {
    case 'put':
      return { Put: { TableName: table, Item: itemOf(write, write.attributes), ...rest } };
    case 'delete':
      return { Delete: { ...where, ...rest } };
    case 'check':
      return checkItem(where, condition, use);
    default:
      return unreachable(write);
  }
}

interface Where {
  readonly TableName: string;
  readonly Key: Record<string, AttributeValue>;
}

function updateItem(where: Where, write: Update, use: Placeholders): TransactWriteItem {
  const condition = conditionText(['exists', ...(write.if ?? [])], use);
  const text = updateText(write, use);
  if (text === undefined) return checkItem(where, condition, use);
  return { Update: { ...where, UpdateExpression: text, ConditionExpression: condition, ...use.used } };
}

/** DynamoDB wants a condition of every check: the empty one is a condition that always holds. */
function checkItem(where: Where, condition: string | undefined, use: Placeholders): TransactWriteItem {
  return { ConditionCheck: { ...where, ConditionExpression: condition ?? always(use), ...use.used } };
}

function always(use: Placeholders): string {
  const name = use.name(PARTITION_ATTRIBUTE);
  return `(attribute_exists(${name}) OR attribute_not_exists(${name}))`;
}

/** The key condition of a query; both bounds are non-empty and short enough to be keys. */
export function rangeCondition(
  partition: string,
  range: SortRange,
): { KeyConditionExpression: string } & UsedPlaceholders {
  const use = new Placeholders();
  const { from, to } = range;
  const clauses = [`${use.name(PARTITION_ATTRIBUTE)} = ${use.value(partition)}`];
  if (from !== undefined && to !== undefined)
    clauses.push(`${use.name(SORT_ATTRIBUTE)} BETWEEN ${use.value(from)} AND ${use.value(to)}`);
  else if (from !== undefined) clauses.push(`${use.name(SORT_ATTRIBUTE)} >= ${use.value(from)}`);
  else if (to !== undefined) clauses.push(`${use.name(SORT_ATTRIBUTE)} <= ${use.value(to)}`);
  return { KeyConditionExpression: clauses.join(' AND '), ...use.used };
}
