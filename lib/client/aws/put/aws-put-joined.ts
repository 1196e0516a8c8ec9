// Puts of one object each that a program has under way at once: small ones go to the frontend together, as one call and
// one append cost as much as those of a single blob. A function has one request at a time, so nobody but its callers
// can gather for it.
import { chained } from '../../../foundation/chained.ts';
import { Batcher } from '../../../frontend/gathered/batcher.ts';
import { checkMetadata, checkPathKey } from '../../../frontend/object-keys.ts';
import { isItemError } from '../../../frontend/put-item.ts';
import { SMALL_BODY_BYTES_MAX } from '../../../limits/frontend.ts';
import type { PutOutcome, PutReport, PutRequest } from '../../face.ts';

type Send = (items: readonly PutRequest[]) => AsyncIterable<PutOutcome>;
type Whole = PutRequest & { readonly namespace: string; readonly sizeBytes: number };

export class JoinedPuts {
  readonly #namespace: string;
  readonly #send: Send;
  readonly #batcher: Batcher<Whole, PutReport>;

  /** `send`: puts what is given, with calls of its own. */
  constructor(namespace: string, send: Send) {
    this.#namespace = namespace;
    this.#send = send;
    this.#batcher = new Batcher<Whole, PutReport>({ putAll: send });
  }

  /** A body is read before it joins others, so that a slow one keeps none of them. */
  async *run(item: PutRequest): AsyncGenerator<PutOutcome> {
    let read: Read;
    try {
      checkPathKey(item.key);
      checkMetadata(item.metadata);
      read = await readHead(item);
      if (read.isWhole) await item.verify?.();
    } catch (error) {
      if (!isItemError(error)) throw error;
      yield { key: item.key, ok: false, error };
      return;
    }
    const { head, bytes, isWhole, rest } = read;
    if (!isWhole) return yield* this.#send([{ ...item, body: () => chained(head, rest) }]);
    const { key, metadata, ifVersion } = item;
    const body = (): AsyncIterable<Uint8Array> => chained(head);
    const whole = { key, metadata, ifVersion, namespace: this.#namespace, body, sizeBytes: bytes };
    yield await this.#batcher.outcomeOf(whole);
  }
}

interface Read {
  readonly head: readonly Uint8Array[];
  readonly bytes: number;
  readonly isWhole: boolean;
  /** What was not looked at. */
  readonly rest: AsyncIterable<Uint8Array>;
}

async function readHead({ body }: PutRequest): Promise<Read> {
  const source = body()[Symbol.asyncIterator]();
  const rest = { [Symbol.asyncIterator]: () => source };
  const head: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= SMALL_BODY_BYTES_MAX) {
    const next = await source.next();
    if (next.done) return { head, bytes, isWhole: true, rest };
    // A copy: the source may use its buffer again for the next piece.
    head.push(Uint8Array.from(next.value));
    bytes += next.value.byteLength;
  }
  return { head, bytes, isWhole: false, rest };
}
