// A few threads that answer questions, each by the program that is asked. They start when they are asked, and keep no
// process alive that waits for no answer.
import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';

/** What is moved is not there any more where it came from. */
type Moved = readonly ArrayBuffer[];

/** What the program of a thread exports as `answerTo`. */
export type AnswerTo<Question, Answer> = (question: Question) => [Answer, Moved];

interface Asked {
  readonly by: object;
  readonly resolve: (answer: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly asked: Map<number, Asked>;
}

/** Threads that several may share: one costs 35 ms of a processor and 10 MiB, whatever it does. */
export class ThreadCrew {
  readonly #name: string;
  readonly #youngMib: number;
  readonly #threads: Thread[] = [];
  readonly #users = new Set<object>();
  #questions = 0;

  /** `youngMib`: of the young generation of each. */
  constructor(name: string, youngMib: number) {
    this.#name = name;
    this.#youngMib = youngMib;
  }

  async ask(by: object, most: number, program: string, question: unknown, moved: Moved): Promise<unknown> {
    this.#users.add(by);
    const id = this.#questions++;
    const thread = this.#idlest(most);
    const { worker, asked } = thread;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    asked.set(id, { by, resolve });
    worker.ref();
    worker.postMessage({ id, program, question }, [...moved]);
    const answer = await promise;
    // One that is being ended is waited for, and nothing else may keep the process alive till then.
    if (asked.size === 0 && this.#threads.includes(thread)) worker.unref();
    return answer;
  }

  /** Nothing more is answered to it. Threads end with the last that uses them. */
  async leave(by: object): Promise<void> {
    this.#users.delete(by);
    for (const { asked } of this.#threads)
      for (const [id, one] of asked) {
        if (one.by !== by) continue;
        one.resolve(undefined);
        asked.delete(id);
      }
    if (this.#users.size > 0) return;
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  /** A new one as long as all are busy and there may be more. */
  #idlest(most: number): Thread {
    const idlest = this.#threads.toSorted((a, b) => a.asked.size - b.asked.size)[0];
    if (idlest !== undefined && (idlest.asked.size === 0 || this.#threads.length >= most)) return idlest;
    const thread: Thread = { worker: this.#begun(), asked: new Map() };
    const { worker, asked } = thread;
    worker.on('message', ({ id, answer }: { id: number; answer: unknown }) => {
      asked.get(id)?.resolve(answer);
      asked.delete(id);
    });
    const ended = (): void => {
      const at = this.#threads.indexOf(thread);
      if (at >= 0) this.#threads.splice(at, 1);
      for (const { resolve } of asked.values()) resolve(undefined);
      asked.clear();
    };
    worker.on('error', ended);
    worker.on('exit', ended);
    this.#threads.push(thread);
    return thread;
  }

  #begun(): Worker {
    const worker = new Worker(START, {
      eval: true,
      workerData: getCompileCacheDir(),
      name: this.#name,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: this.#youngMib },
    });
    worker.unref();
    return worker;
  }
}

/** A thread does not share what its process compiled before: it is told where that is kept. */
const START = `const { parentPort, workerData } = require('node:worker_threads');
if (workerData !== undefined) require('node:module').enableCompileCache(workerData);
const programs = new Map();
parentPort.on('message', async ({ id, program, question }) => {
  if (!programs.has(program)) programs.set(program, import(program));
  const { answerTo } = await programs.get(program);
  const [answer, moved] = answerTo(question);
  parentPort.postMessage({ id, answer }, moved);
});`;

export interface ThreadsOptions {
  readonly program: URL;
  readonly most: number;
  readonly crew: ThreadCrew;
}

export class SystemThreads<Question, Answer> {
  readonly #options: ThreadsOptions;

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  /** Undefined if the thread died of it, or was closed. */
  async ask(question: Question, moved: Moved = []): Promise<Answer | undefined> {
    const { crew, most, program } = this.#options;
    return (await crew.ask(this, most, program.href, question, moved)) as Answer | undefined;
  }

  close(): Promise<void> {
    return this.#options.crew.leave(this);
  }
}
