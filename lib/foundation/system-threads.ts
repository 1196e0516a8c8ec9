// A few threads that answer questions, all by the same program. They start when they are asked, and keep no process
// alive that waits for no answer.
import { getCompileCacheDir } from 'node:module';
import { parentPort, Worker } from 'node:worker_threads';
import { present } from './assert.ts';

/** What is moved is not there any more where it came from. */
type Moved = readonly ArrayBuffer[];

interface Thread<Answer> {
  readonly worker: Worker;
  readonly asked: Map<number, (answer: Answer | undefined) => void>;
}

export interface ThreadsOptions {
  readonly program: URL;
  readonly name: string;
  readonly most: number;
  /** MiB of the young generation of each. */
  readonly youngMib: number;
}

export class SystemThreads<Question, Answer> {
  readonly #options: ThreadsOptions;
  readonly #threads: Thread<Answer>[] = [];
  #questions = 0;

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  /** Undefined if the thread died of it, or was closed. */
  async ask(question: Question, moved: Moved = []): Promise<Answer | undefined> {
    const id = this.#questions++;
    const { worker, asked } = this.#idlest();
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    asked.set(id, resolve);
    worker.ref();
    worker.postMessage({ id, question }, [...moved]);
    const answer = await promise;
    if (asked.size === 0) worker.unref();
    return answer;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  /** A new one as long as all are busy and there may be more. */
  #idlest(): Thread<Answer> {
    const idlest = this.#threads.toSorted((a, b) => a.asked.size - b.asked.size)[0];
    if (idlest !== undefined && (idlest.asked.size === 0 || this.#threads.length >= this.#options.most)) return idlest;
    const thread: Thread<Answer> = { worker: this.#begun(), asked: new Map() };
    const { worker, asked } = thread;
    worker.on('message', ({ id, answer }: { id: number; answer: Answer }) => {
      asked.get(id)?.(answer);
      asked.delete(id);
    });
    const ended = (): void => {
      const at = this.#threads.indexOf(thread);
      if (at >= 0) this.#threads.splice(at, 1);
      for (const resolve of asked.values()) resolve(undefined);
      asked.clear();
    };
    worker.on('error', ended);
    worker.on('exit', ended);
    this.#threads.push(thread);
    return thread;
  }

  #begun(): Worker {
    const { program, name, youngMib } = this.#options;
    const worker = new Worker(startOf(program), {
      eval: true,
      workerData: getCompileCacheDir(),
      name,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: youngMib },
    });
    worker.unref();
    return worker;
  }
}

/** A thread does not share what its process compiled before: it is told where that is kept. */
const startOf = ({ href }: URL): string => `const { workerData } = require('node:worker_threads');
if (workerData !== undefined) require('node:module').enableCompileCache(workerData);
import(${JSON.stringify(href)});`;

/** The program of such a thread. */
export function answerQuestions<Question, Answer>(answerTo: (question: Question) => [Answer, Moved]): void {
  const port = present(parentPort, 'this program is a thread of another one');
  port.on('message', ({ id, question }: { id: number; question: Question }) => {
    const [answer, moved] = answerTo(question);
    port.postMessage({ id, answer }, [...moved]);
  });
}
