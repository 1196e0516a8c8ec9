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
const LOOK_MS = 250;
const NS_PER_MS = 1e6;

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
  let sinceMs = ownMsOf(pid);
  const answersFile = new GrowingFile(answers);
  const read = (): void => {
    for (const line of answersFile.lines()) {
      last = JSON.parse(line) as Answer;
      if (last.kind === 'loaded') pid = last.pid;
      allowedMs = last.kind === 'begin' ? last.ms * SLOWER_TIMES + SLOWER_MS : LOAD_MS;
      sinceMs = ownMsOf(pid);
      onAnswer(last);
    }
  };
  const isStuck = (): boolean => ownMsOf(pid) - sinceMs > allowedMs;
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

/** Real time without what it waited for a processor while others had it; where the system does not say that, all of it. */
function ownMsOf(pid: number): number {
  const name = `/proc/${pid}/schedstat`;
  const waitedNs = fs.existsSync(name) ? Number(fs.readFileSync(name, 'utf8').split(' ')[1]) : 0;
  return Date.now() - waitedNs / NS_PER_MS;
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
