// An event of a table's stream as rows that changed, in its order. Bytes come as base64 there.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { type Item, rowOf } from './dynamo-items.ts';
import type { ChangedRow } from './journal-source.ts';

type StreamedValue = { S: string } | { N: string } | { B: string } | { SS: string[] } | { L: StreamedValue[] };
const value: z.ZodType<StreamedValue> = z.lazy(() =>
  z.union([
    z.strictObject({ S: z.string() }),
    z.strictObject({ N: z.string() }),
    z.strictObject({ B: z.base64() }),
    z.strictObject({ SS: z.array(z.string()) }),
    z.strictObject({ L: z.array(value) }),
  ]),
);
const item = z.record(z.string(), value);

export const streamEventSchema = z.looseObject({
  Records: z.array(
    z.looseObject({
      eventName: z.enum(['INSERT', 'MODIFY', 'REMOVE']),
      dynamodb: z.looseObject({
        ApproximateCreationDateTime: z.number(),
        Keys: item,
        NewImage: item.optional(),
      }),
    }),
  ),
});
export type StreamEvent = z.infer<typeof streamEventSchema>;

export interface StreamedBatch {
  readonly changed: readonly ChangedRow[];
  /** When the last of them was written; 0 if there is none. */
  readonly atMs: number;
}

export function batchOf({ Records }: StreamEvent): StreamedBatch {
  const changed = Records.map(({ eventName, dynamodb: { Keys, NewImage } }): ChangedRow => {
    const { partition, sort } = rowOf(itemOf(Keys));
    const isGone = eventName === 'REMOVE' || NewImage === undefined;
    return { partition, sort, attributes: isGone ? undefined : rowOf(itemOf(NewImage)).attributes };
  });
  const seconds = Records.map(({ dynamodb }) => dynamodb.ApproximateCreationDateTime);
  return { changed, atMs: Math.round(1000 * Math.max(0, ...seconds)) };
}

const itemOf = (streamed: Readonly<Record<string, StreamedValue>>): Item =>
  Object.fromEntries(Object.entries(streamed).map(([name, one]) => [name, encodedOf(one)]));

function encodedOf(streamed: StreamedValue): AttributeValue {
  if ('B' in streamed) return { B: new Uint8Array(Buffer.from(streamed.B, 'base64')) };
  if ('L' in streamed) return { L: streamed.L.map(encodedOf) };
  return streamed;
}
