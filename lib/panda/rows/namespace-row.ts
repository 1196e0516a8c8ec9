// namespace | NAME: who may read and write a namespace, and whether its blocks are its own. One without a row, or
// without principals, is open to whoever may call the stage.
import * as z from 'zod/mini';
import type { Key, Put, Row } from '../panda.ts';
import { countIn, malformedRow, stringIn } from './row-reader.ts';

const PARTITION = 'namespace';
const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/** What clients may call one, S3 buckets among them. */
export const isNamespaceName = (text: string): boolean => NAME.test(text);

const schema = z.strictObject({
  /** Both or neither: who is bound is bound in both ways. */
  principals: z.optional(z.strictObject({ read: z.array(z.string()), write: z.array(z.string()) })),
  /** Among what content is stored once. Absent: `own` if it names principals. */
  dedup: z.optional(z.enum(['own', 'shared'])),
});
export type NamespaceRules = Readonly<z.infer<typeof schema>>;

/** Whether what is put there is stored once within it, and apart from what others put. */
export const keepsOwnBlocks = ({ principals, dedup }: NamespaceRules): boolean =>
  dedup === undefined ? principals !== undefined : dedup === 'own';

export interface NamespaceRow {
  readonly name: string;
  /** Grows with each change. */
  readonly version: number;
  readonly rules: NamespaceRules;
}

export const namespacePartition = PARTITION;
export const namespaceKey = (name: string): Key => ({ partition: PARTITION, sort: name });

/** Throws `corrupt` ROW_MALFORMED: rules that cannot be read let nobody in. */
export function namespaceFromRow(row: Row): NamespaceRow {
  return { name: row.sort, version: countIn(row, 'v'), rules: rulesIn(row) };
}

function rulesIn(row: Row): NamespaceRules {
  try {
    return schema.parse(JSON.parse(stringIn(row, 'j')));
  } catch {
    return malformedRow(row, 'attribute j holds no rules of a namespace');
  }
}

/** In place of the row that was read (version 0: there was none). */
export const putNamespace = ({ name, version, rules }: NamespaceRow, before: number): Put => ({
  kind: 'put',
  ...namespaceKey(name),
  attributes: { v: version, j: JSON.stringify(rules) },
  if: before === 0 ? ['absent'] : [{ attribute: 'v', equals: before }],
});
