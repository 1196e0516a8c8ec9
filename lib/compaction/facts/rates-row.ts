// rates/CELL | deletes: what the last look at the store's deletes found and has taught.
import * as z from 'zod';
import { corrupt } from '../../foundation/errors.ts';
import type { Attributes, Condition, Key, Row } from '../../panda/panda.ts';
import { countIn, stringIn } from '../../panda/rows/row-reader.ts';
import { AGE_CLASSES } from './fleet.ts';

const perClass = z.array(z.number().nonnegative()).length(AGE_CLASSES);
const learntSchema = z.strictObject({
  perDay: perClass,
  daysMeasured: perClass,
  /** Of the last look: id, generation, live bytes, capacity, age. */
  sample: z.array(z.tuple([z.string(), z.int(), z.number(), z.number(), z.number()])),
});
export type Learnt = z.infer<typeof learntSchema>;

export const ratesKey = (cell: string): Key => ({ partition: `rates/${cell}`, sort: 'deletes' });

export interface Look {
  readonly version: number;
  readonly atMs: number;
  readonly learnt: Learnt;
}

export function lookFromRow(row: Row): Look {
  try {
    const learnt = learntSchema.parse(JSON.parse(stringIn(row, 'j')));
    return { version: countIn(row, 'v'), atMs: countIn(row, 'a'), learnt };
  } catch (cause) {
    throw corrupt('ROW_MALFORMED', 'the measured delete rates cannot be read', cause);
  }
}

export const lookAttributes = ({ version, atMs, learnt }: Look): Attributes => ({
  v: version,
  a: atMs,
  j: JSON.stringify(learnt),
});

/** Nobody has looked since; undefined: nobody ever has. */
export const lookIsAsRead = (look: Look | undefined): Condition =>
  look === undefined ? ['absent'] : [{ attribute: 'v', equals: look.version }];
