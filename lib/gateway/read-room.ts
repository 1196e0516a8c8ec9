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
        const leave = leaveOf(await this.#room.acquire(pieceBytes));
        end = leave.end;
        try {
          const piece = await pieces.next();
          if (piece.done) end();
          // From now on it goes by how fast its client is.
          else this.#clock.sleep(READ_LEAVE_MS, leave.ended).then(end, () => {});
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
}

/** `end` gives it back, the first time. */
function leaveOf(give: () => void): { readonly end: () => void; readonly ended: AbortSignal } {
  const ended = new AbortController();
  const end = (): void => {
    if (ended.signal.aborted) return;
    ended.abort();
    give();
  };
  return { end, ended: ended.signal };
}
