// A batch of transactions, and what became of it, as one thread tells another. Most writes are rows that must not be
// there yet: of those only keys and bytes go over, the bytes of all rows in one piece. Errors keep what callers act by.
import { AssertionError } from '../../foundation/assert.ts';
import { isPocketfulError, PocketfulError } from '../../foundation/errors.ts';
import { PandaConflict } from '../conflict.ts';
import type { Clause, Write } from '../panda.ts';
import type { BatchAnswer, KeptWrites } from './sqlite-batch.ts';

const ANY = 0;
const NEW = 1;
const OTHER = 2;

export interface BatchMessage {
  readonly nowMs: number | undefined;
  /** Writes of each transaction. */
  readonly counts: readonly number[];
  /** Of each write: a put as it comes, one of a row that must be absent, or what `others` says of it. */
  readonly forms: Uint8Array;
  /** Partition and sort key of each put of the first two kinds. */
  readonly keys: readonly string[];
  readonly others: readonly Write[];
  /** Of each write; 0: it has no value. */
  readonly lengths: Uint32Array;
  readonly values: Uint8Array<ArrayBuffer>;
}

export function batchMessageOf(batch: readonly KeptWrites[], nowMs: number | undefined): BatchMessage {
  const total = batch.reduce((sum, { writes }) => sum + writes.length, 0);
  const forms = new Uint8Array(total);
  const lengths = new Uint32Array(total);
  const keys: string[] = [];
  const others: Write[] = [];
  let at = 0;
  for (const { writes, values } of batch)
    for (const [index, write] of writes.entries()) {
      lengths[at] = values[index]?.length ?? 0;
      const form = formOf(write);
      forms[at++] = form;
      if (form === OTHER) others.push(ownWrite(write));
      else keys.push(write.partition, write.sort);
    }
  return {
    nowMs,
    counts: batch.map(({ writes }) => writes.length),
    forms,
    keys,
    others,
    lengths,
    values: joined(batch),
  };
}

function formOf(write: Write): number {
  if (write.kind !== 'put') return OTHER;
  if (write.if === undefined || write.if.length === 0) return ANY;
  return write.if.length === 1 && write.if[0] === 'absent' ? NEW : OTHER;
}

function joined(batch: readonly KeptWrites[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const { values } of batch) for (const value of values) length += value?.length ?? 0;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const { values } of batch)
    for (const value of values) {
      if (value === undefined) continue;
      bytes.set(value, at);
      at += value.length;
    }
  return bytes;
}

/** Bytes that are part of something larger would take all of it along. The attributes of a put are its value. */
function ownWrite(write: Write): Write {
  const own = write.if === undefined ? write : { ...write, if: write.if.map(ownClause) };
  return own.kind === 'put' ? { ...own, attributes: {} } : own;
}

const ownClause = (clause: Clause): Clause =>
  typeof clause !== 'string' && 'equals' in clause && clause.equals instanceof Uint8Array
    ? { ...clause, equals: new Uint8Array(clause.equals) }
    : clause;

export function batchOf({ counts, forms, keys, others, lengths, values }: BatchMessage): KeptWrites[] {
  let [at, key, other, offset] = [0, 0, 0, 0];
  const next = (): readonly [Write, Uint8Array | undefined] => {
    const form = forms[at];
    const length = lengths[at++] as number;
    const value = length === 0 ? undefined : values.subarray(offset, offset + length);
    offset += length;
    if (form === OTHER) return [others[other++] as Write, value];
    const [partition, sort] = [keys[key++] as string, keys[key++] as string];
    const write = { kind: 'put', partition, sort, attributes: {} } as const;
    return [form === NEW ? { ...write, if: ['absent'] } : write, value];
  };
  return counts.map((count) => {
    const all = Array.from({ length: count }, next);
    return { writes: all.map(([write]) => write), values: all.map(([, value]) => value) };
  });
}

export interface AnswerMessage {
  readonly refused: readonly (readonly [number: number, error: ErrorMessage])[];
  readonly failed?: { readonly error: ErrorMessage; readonly isFull: boolean; readonly hasRoom: boolean };
}

export type ErrorMessage =
  | { readonly what: 'conflict'; readonly failed: readonly number[] }
  | ({ readonly what: 'typed' } & Pick<PocketfulError, 'kind' | 'code' | 'message' | 'cause'>)
  | { readonly what: 'assertion'; readonly message: string }
  | { readonly what: 'else'; readonly error: unknown };

export function answerMessageOf({ refused, failed }: BatchAnswer): AnswerMessage {
  return {
    refused: [...refused].map(([number, error]) => [number, errorMessageOf(error)] as const),
    ...(failed === undefined ? {} : { failed: { ...failed, error: errorMessageOf(failed.error) } }),
  };
}

export function answerOf({ refused, failed }: AnswerMessage): BatchAnswer {
  return {
    refused: new Map(refused.map(([number, error]) => [number, errorOf(error)])),
    ...(failed === undefined ? {} : { failed: { ...failed, error: errorOf(failed.error) } }),
  };
}

export function errorMessageOf(error: unknown): ErrorMessage {
  if (error instanceof PandaConflict) return { what: 'conflict', failed: error.failed };
  if (isPocketfulError(error)) {
    const { kind, code, message, cause } = error;
    return { what: 'typed', kind, code, message, cause };
  }
  if (error instanceof AssertionError) return { what: 'assertion', message: error.message };
  return { what: 'else', error };
}

export function errorOf(message: ErrorMessage): unknown {
  switch (message.what) {
    case 'conflict':
      return new PandaConflict(message.failed);
    case 'typed':
      return new PocketfulError(message.kind, message.code, message.message, message.cause);
    case 'assertion':
      return new AssertionError(message.message);
    case 'else':
      return message.error;
  }
}
