// A queue as one process sees it: what is sent may get lost, come twice, and later than it should; what is received may be in any order.
import { retryLater } from '../../../lib/foundation/errors.ts';
import { shuffled } from '../../../lib/foundation/randomness.ts';
import type { DeadLetter, Delivery, Stream, StreamFigures } from '../../../lib/stream/stream.ts';
import { longUs } from '../faults/injector.ts';
import type { SimProcess } from '../scheduler/sim-process.ts';
import { type CallContext, makeCall } from './port-call.ts';

export class SimStream implements Stream {
  readonly #inner: Stream;
  readonly #process: SimProcess;
  readonly #context: CallContext;

  constructor(inner: Stream, process: SimProcess, context: CallContext) {
    this.#inner = inner;
    this.#process = process;
    this.#context = context;
  }

  send(bodies: readonly string[]): Promise<void> {
    return this.#call('send', `${bodies.length}`, true, () => this.#deliver(bodies));
  }

  receive(max: number, visibilityMs: number): Promise<Delivery[]> {
    return this.#call('receive', `${max}`, true, async () =>
      shuffled(await this.#inner.receive(max, visibilityMs), this.#process.fate),
    );
  }

  ack(receipts: readonly string[]): Promise<void> {
    return this.#call('ack', receipts.join(' '), true, () => this.#inner.ack(receipts));
  }

  release(receipts: readonly string[]): Promise<void> {
    return this.#call('release', receipts.join(' '), true, () => this.#inner.release(receipts));
  }

  figures(): Promise<StreamFigures> {
    return this.#call('figures', '', false, () => this.#inner.figures());
  }

  dead(max: number): Promise<DeadLetter[]> {
    return this.#call('dead', '', false, () => this.#inner.dead(max));
  }

  redrive(ids?: readonly string[]): Promise<number> {
    return this.#call('redrive', '', true, () => this.#inner.redrive(ids));
  }

  drop(ids: readonly string[]): Promise<number> {
    return this.#call('drop', '', true, () => this.#inner.drop(ids));
  }

  async close(): Promise<void> {}

  async #deliver(bodies: readonly string[]): Promise<void> {
    const { injector } = this.#context;
    const now: string[] = [];
    for (const body of bodies) {
      if (injector.happens('lost', this.#process)) continue;
      if (injector.happens('delayed', this.#process))
        this.#process.scheduler.schedule(longUs(this.#process), 0, undefined, () => void this.#inner.send([body]));
      else now.push(body);
      if (injector.happens('doubled', this.#process)) now.push(body);
    }
    if (now.length > 0) await this.#inner.send(now);
  }

  #call<T>(operation: string, detail: string, changesSomething: boolean, act: () => Promise<T>): Promise<T> {
    return makeCall(this.#context, this.#process, {
      port: 'stream',
      operation,
      detail,
      steps: [`stream ${operation}`],
      changesSomething,
      act,
      failed: () => retryLater('STREAM_BUSY', 'the stream is busy (simulated)'),
    });
  }
}
