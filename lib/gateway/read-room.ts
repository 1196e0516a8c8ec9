// Memory for the blocks of large bodies on their way out, shared by all GETs: a block is opened whole, and held until
// its client has taken it. Who waits for a leave is served in order; a client that is slow gives its leave back after
// a while, though not its block, so that it holds up no other.
import type { Clock } from '../foundation/clock.ts';
import { Semaphore } from '../foundation/concurrency.ts';
import { READ_BODIES_BYTES_MAX, READ_LEAVE_MS } from '../limits/gateway.ts';

export class ReadRoom {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #room = new Semaphore(READ_BODIES_BYTES_MAX);

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  /** The same pieces, each of about so many bytes, read only with a leave. */
  pieces(body: AsyncIterable<Uint8Array>, pieceBytes: number): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => this.#read(body[Symbol.asyncIterator](), pieceBytes) };
  }

  /** No generator: one that waits keeps the piece it has handed out last. */
  #read(pieces: AsyncIterator<Uint8Array>, pieceBytes: number): AsyncIterator<Uint8Array> {
    let end = (): void => {};
    return {
      next: async () => {
        end();
        end = this.#leave(await this.#room.acquire(pieceBytes));
        try {
          const piece = await pieces.next();
          if (piece.done) end();
          return piece;
        } catch (error) {
          end();
          throw error;
        }
      },
      return: async () => {
        end();
        await pieces.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  /** Given back when it is ended, or by itself. */
  #leave(give: () => void): () => void {
    const ended = new AbortController();
    let isHeld = true;
    const end = (): void => {
      if (!isHeld) return;
      isHeld = false;
      give();
      ended.abort();
    };
    this.#clock.sleep(READ_LEAVE_MS, ended.signal).then(end, () => {});
    return end;
  }
}
