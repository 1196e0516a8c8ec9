// work/drain | queued: when messages were last sent into an empty queue, which is how old the oldest can be.
import type { Attributes, Key, Row } from '../../panda/panda.ts';
import { countIn } from '../../panda/rows/row-reader.ts';

export const queuedKey: Key = { partition: 'work/drain', sort: 'queued' };

export const queuedMsFromRow = (row: Row): number => countIn(row, 'a');

export const queuedAttributes = (nowMs: number): Attributes => ({ a: nowMs });
