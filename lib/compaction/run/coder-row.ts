// coder | stall: why the Live Coder of L3 could not write when it last tried; no row: it could.
import { reasonCodeFrom } from '../../foundation/error-codes.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { Attributes, Key, Row } from '../../panda/panda.ts';
import { stringIn } from '../../panda/rows/row-reader.ts';

export const stallKey: Key = { partition: 'coder', sort: 'stall' };

export const stallFromRow = (row: Row): Reason => ({
  code: reasonCodeFrom(stringIn(row, 'c')),
  text: stringIn(row, 't'),
});

export const stallAttributes = ({ code, text }: Reason): Attributes => ({ c: code, t: text });
