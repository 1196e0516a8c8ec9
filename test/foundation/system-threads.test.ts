// Threads that answer questions, in a process that has nothing else to do: it ends when all is done, and not before.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const THREADS = new URL('../../lib/foundation/system-threads.ts', import.meta.url).href;
/** Answers after so many ms. */
const SLOW = `export const answerTo = (ms) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return ['after ' + ms, []];
};`;

/** What a process says that does this with two who ask the same crew, and how it ends. */
function saidBy(script: string): string {
  const text = `import { SystemThreads, ThreadCrew } from '${THREADS}';
const crew = new ThreadCrew('slow', 4);
const program = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(SLOW)}));
const [one, other] = [1, 2].map(() => new SystemThreads({ program, most: 1, crew }));
${script}`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', text];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return `${stdout}${stderr}${status}`;
}

it('a process that closes threads which are asked still goes on to its end', () => {
  expect(saidBy(`const asked = one.ask(200); await one.close(); console.log(await asked);`)).toBe('undefined\n0');
});

it('one who leaves takes no answer from others of the same crew', () => {
  const script = `const asked = [one.ask(50), other.ask(1), one.ask(2)];
await one.close();
console.log((await Promise.all(asked)).join());
await other.close();
console.log('closed');`;
  expect(saidBy(script)).toBe(',after 1,\nclosed\n0');
});

it('an answer is waited for, and threads that nobody asks keep no process', () => {
  expect(saidBy('console.log(await one.ask(50));')).toBe('after 50\n0');
});
