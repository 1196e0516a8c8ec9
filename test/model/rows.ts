// Rows for the models: each different row is kept once and named by a number, so that a state is a short list of numbers. What a
// transaction does to them is what Panda does (lib/panda/transaction.ts).
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { Attributes, Clause, Key, Row, Write } from '../../lib/panda/panda.ts';
import { keyText, outcome } from '../../lib/panda/transaction.ts';

/** By column: a row's number, 0 for none. */
export type Rows = readonly number[];

const columns = new Map<string, number>();
const values: (Attributes | undefined)[] = [undefined];
const numbers = new Map<string, number>();

function columnOf(key: Key): number {
  const text = keyText(key);
  const known = columns.get(text);
  if (known !== undefined) return known;
  columns.set(text, columns.size);
  return columns.size - 1;
}

const textOf = (_: string, value: unknown): unknown => {
  if (value instanceof Set) return [...value].sort();
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
};

function numberOf(attributes: Attributes | undefined): number {
  if (attributes === undefined) return 0;
  const text = JSON.stringify(Object.entries(attributes).sort(), textOf);
  const known = numbers.get(text);
  if (known !== undefined) return known;
  numbers.set(text, values.length);
  return values.push(attributes) - 1;
}

/** The number of a row: what an actor remembers of what it read. */
export const numberAt = (rows: Rows, key: Key): number => rows[columnOf(key)] ?? 0;

export const rowOf = (key: Key, number: number): Row | undefined => {
  const attributes = values[number];
  return attributes === undefined ? undefined : { ...key, attributes };
};

export const rowAt = (rows: Rows, key: Key): Row | undefined => rowOf(key, numberAt(rows, key));

/** Left out of a write by a mutant: this clause of it. */
export type Without = (write: Write, clause: Clause) => boolean;

/** The rows after a transaction; undefined when a condition does not hold. */
export function transacted(rows: Rows, writes: readonly Write[], without: Without = () => false): Rows | undefined {
  const sent = writes.map((write): Write => {
    const { if: condition, ...rest } = write;
    const kept = condition?.filter((clause) => !without(write, clause));
    return (kept === undefined || kept.length === 0 ? rest : { ...rest, if: kept }) as Write;
  });
  const at = sent.map(columnOf);
  try {
    const after = outcome(
      sent,
      at.map((column) => values[rows[column] ?? 0]),
    );
    const next = Array.from(
      { length: Math.max(rows.length, ...at.map((column) => column + 1)) },
      (_, i) => rows[i] ?? 0,
    );
    for (const [i, column] of at.entries()) if (sent[i]?.kind !== 'check') next[column] = numberOf(after[i]);
    return next;
  } catch (error) {
    if (error instanceof PandaConflict) return undefined;
    throw error;
  }
}
