// Rows as DynamoDB items and back: string S, number N, bytes B, list L, set SS; the keys are the strings `pk` and `sk`.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { corrupt } from '../foundation/errors.ts';
import { PARTITION_ATTRIBUTE, SORT_ATTRIBUTE } from './attributes.ts';
import type { Attribute, Attributes, Key, Row } from './panda.ts';

export type Item = Record<string, AttributeValue>;

export const keyItem = (key: Key): Item => ({
  [PARTITION_ATTRIBUTE]: { S: key.partition },
  [SORT_ATTRIBUTE]: { S: key.sort },
});

/** Empty sets have no form in DynamoDB; the caller leaves them out or removes the attribute. */
export function encodedValue(value: Attribute): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (value instanceof Uint8Array) return { B: value };
  if (Array.isArray(value)) return { L: value.map(encodedValue) };
  return { SS: [...(value as ReadonlySet<string>)] };
}

export const isEmptySet = (value: Attribute): boolean => value instanceof Set && value.size === 0;

export function itemOf(key: Key, attributes: Attributes): Item {
  const item = keyItem(key);
  for (const [name, value] of Object.entries(attributes)) if (!isEmptySet(value)) item[name] = encodedValue(value);
  return item;
}

export function rowOf(item: Item): Row {
  const { [PARTITION_ATTRIBUTE]: partition, [SORT_ATTRIBUTE]: sort, ...rest } = item;
  if (partition?.S === undefined || sort?.S === undefined) throw malformed('its keys are not strings');
  const attributes: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(rest)) attributes[name] = attributeOf(value);
  return { partition: partition.S, sort: sort.S, attributes };
}

const malformed = (why: string): Error => corrupt('ROW_MALFORMED', `a row of the metadata table is damaged: ${why}`);

function attributeOf(value: AttributeValue): Attribute {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return integerOf(value.N);
  // A copy, so that a kept row does not keep the whole response.
  if (value.B !== undefined) return new Uint8Array(value.B);
  if (value.SS !== undefined) return new Set(value.SS);
  if (value.L === undefined) throw malformed('an attribute of no known type');
  return value.L.map((item) => {
    if (item.S !== undefined) return item.S;
    if (item.N !== undefined) return integerOf(item.N);
    throw malformed('a list of something else than strings and integers');
  });
}

function integerOf(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw malformed('a number that is not a safe integer');
  return value;
}
