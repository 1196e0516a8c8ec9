// Runs a job in a process of its own, and ends the process when it does not go on: an endless loop is a mutant that was noticed.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer, Job } from './job.ts';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
const LOAD_MS = 1_200_000;
/** What the process itself notices as too long must not be noticed here first. */
const SLOWER_TIMES = 12;
const SLOWER_MS = 3_000;
/** Of real time: on a busy machine a process may get little of it. */
const STARVED_TIMES = 20;
const LOOK_MS = 250;
const TICK_MS = 10;

/** All answers, and what was under way when the process had to be ended. */
export async function runJob(
  folder: string,
  job: Omit<Job, 'answers'>,
  onAnswer: (answer: Answer) => void,
): Promise<Answer | undefined> {
  const answers = path.join(folder, 'answers.jsonl');
  const told = path.join(folder, 'job.json');
  fs.writeFileSync(answers, '');
  fs.writeFileSync(told, JSON.stringify({ ...job, answers }));
  const log = fs.openSync(path.join(folder, 'child.log'), 'w');
  const child = spawn(process.execPath, ['--no-warnings', CHILD], {
    stdio: ['ignore', log, log],
    env: { ...process.env, MUTATION_JOB: told },
    detached: true,
  });
  let isRunning = true;
  const ended = new Promise<void>((resolve) =>
    child.on('close', () => {
      isRunning = false;
      resolve();
    }),
  );
  let last: Answer | undefined;
  let pid = 0;
  let allowedMs = LOAD_MS;
  let since = { ms: Date.now(), cpuMs: 0 };
  const answersFile = new GrowingFile(answers);
  const read = (): void => {
    for (const line of answersFile.lines()) {
      last = JSON.parse(line) as Answer;
      if (last.kind === 'loaded') pid = last.pid;
      allowedMs = last.kind === 'begin' ? last.ms * SLOWER_TIMES + SLOWER_MS : LOAD_MS;
      since = { ms: Date.now(), cpuMs: cpuMsOf(pid) };
      onAnswer(last);
    }
  };
  const isStuck = (): boolean => {
    const ms = Date.now() - since.ms;
    return ms > allowedMs && (cpuMsOf(pid) - since.cpuMs > allowedMs || ms > allowedMs * STARVED_TIMES);
  };
  while (isRunning && last?.kind !== 'done' && last?.kind !== 'spoilt' && !isStuck()) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LOOK_MS))]);
    read();
  }
  if (isRunning && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  await ended;
  read();
  fs.closeSync(log);
  if (last === undefined) throw new Error(`the tests could not be loaded: ${path.join(folder, 'child.log')}`);
  return last.kind === 'done' ? undefined : last;
}

/** Where the system does not say it, real time counts. */
function cpuMsOf(pid: number): number {
  const name = `/proc/${pid}/stat`;
  if (!fs.existsSync(name)) return Date.now();
  const fields = fs.readFileSync(name, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

class GrowingFile {
  readonly #name: string;
  #at = 0;
  #rest = '';

  constructor(name: string) {
    this.#name = name;
  }

  /** Whole lines that came since the last call. */
  lines(): readonly string[] {
    const bytes = fs.readFileSync(this.#name).subarray(this.#at);
    this.#at += bytes.byteLength;
    const lines = (this.#rest + bytes.toString('utf8')).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}
