// Panda as one process sees it, with DynamoDB's ways: of two transactions on one row one may be refused, reads that do not ask for more
// may be old, and the answer to a write may get lost while the write does not.
import { retryLater, unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../../lib/panda/panda.ts';
import { protocolStepsOf, wordsOf } from '../checkers/protocol-steps.ts';
import { Violation } from '../checkers/violation.ts';
import type { SimProcess } from '../scheduler/sim-process.ts';
import type { PandaServer } from './panda-server.ts';
import { type CallContext, makeCall } from './port-call.ts';

const busy = (): Error => retryLater('PANDA_BUSY', 'the metadata store is busy (simulated)');
const lost = (): Error => unknownOutcome('PANDA_UNKNOWN', 'the answer of the metadata store was lost (simulated)');
const nameOf = ({ partition, sort }: Key): string => `${partition}|${sort}`;
const tableOf = ({ partition }: Key): string => partition.split('/', 1)[0] as string;

export class SimPanda implements Panda {
  /** Some are refused all the same: so callers meet both ways. */
  readonly refusesOverlap = false;
  /** Half of the processes put by plain writes, the others by transactions, unless the plan says. */
  readonly paysByWrite: boolean;
  readonly #server: PandaServer;
  readonly #process: SimProcess;
  readonly #context: CallContext;

  constructor(server: PandaServer, process: SimProcess, context: CallContext, paysByWrite: boolean | undefined) {
    this.#server = server;
    this.#process = process;
    this.#context = context;
    const drawn = process.fate.below(2) === 0;
    this.paysByWrite = paysByWrite ?? drawn;
  }

  get(key: Key): Promise<Row | undefined> {
    return this.#read('get', nameOf(key), tableOf(key), () => this.#server.rows.get(key));
  }

  getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    const first = keys[0];
    const detail = `${keys.length} ${first === undefined ? '' : nameOf(first)}`;
    return this.#read('getMany', detail, first === undefined ? '' : tableOf(first), async () => {
      const rows = await this.#server.rows.getMany(keys);
      return options?.consistency === 'eventual' ? rows.map((row, i) => this.#perhapsOlder(keys[i] as Key, row)) : rows;
    });
  }

  query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    const table = tableOf({ partition, sort: '' });
    return this.#read('query', `${partition}|${range?.from ?? ''}`, table, () =>
      this.#server.rows.query(partition, range, options),
    );
  }

  transact(writes: readonly Write[]): Promise<void> {
    const steps = protocolStepsOf(writes);
    if (steps === undefined)
      throw new Violation('wrong', `no step of the protocols: ${[...wordsOf(writes)].join(', ')}`);
    const server = this.#server;
    const { injector } = this.#context;
    const sentInWeek = server.week;
    server.begin(writes);
    let isCounted = true;
    const over = (): void => {
      if (isCounted) server.end(writes);
      isCounted = false;
    };
    this.#process.onDeath.push(over);
    return makeCall(this.#context, this.#process, {
      port: 'panda',
      operation: 'transact',
      detail: writes.map((write) => `${write.kind} ${nameOf(write)}`).join(' '),
      steps,
      changesSomething: true,
      act: async () => {
        const collided = server.collides(writes) && injector.happens('collides', this.#process);
        over();
        // It was signed when it was sent, and what was signed a week ago is refused.
        if (server.week !== sentInWeek) throw busy();
        if (collided || injector.happens('throttled', this.#process)) throw busy();
        await server.transact(writes, steps[0] ?? 'soft state');
      },
      failed: () => {
        over();
        return lost();
      },
    });
  }

  /** A page is a call. */
  async *scan(): AsyncIterable<readonly Row[]> {
    const pages = this.#server.rows.scan()[Symbol.asyncIterator]();
    for (;;) {
      const page = await this.#read('scan', '', '', () => pages.next());
      if (page.done === true) return;
      yield page.value;
    }
  }

  async close(): Promise<void> {}

  #read<T>(operation: string, detail: string, table: string, act: () => Promise<T>): Promise<T> {
    return makeCall(this.#context, this.#process, {
      port: 'panda',
      operation,
      detail,
      steps: [`panda ${operation} ${table}`],
      changesSomething: false,
      act,
      failed: busy,
    });
  }

  #perhapsOlder(key: Key, row: Row | undefined): Row | undefined {
    const older = this.#server.older(key, (bound) => this.#process.fate.below(bound));
    if (older === undefined || !this.#context.injector.happens('stale', this.#process)) return row;
    return older.row;
  }
}
