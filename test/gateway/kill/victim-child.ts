// A process that serves a store and kills itself, as kill -9 does, at one step of an operation: before or after the n-th
// call that makes something durable (an fsync, a new name, a name gone, a commit). Ends by itself if there are fewer.
//   victim-child.ts DIRECTORY OPERATION NAME STEP
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { StatementSync } from 'node:sqlite';
import type { Operation } from './operations.ts';

const [dir = '', operation = '', name = '', dieAt = '0'] = process.argv.slice(2);
let isArmed = false;
let steps = 0;

function step(): void {
  if (!isArmed) return;
  steps += 1;
  if (steps === Number(dieAt)) process.kill(process.pid, 'SIGKILL');
}

type Callback = (...answer: unknown[]) => void;
const calls = fs as unknown as Record<string, (...given: unknown[]) => unknown>;
for (const call of ['fsync', 'link', 'rename', 'unlink', 'mkdir']) {
  const real = calls[call] as (...given: unknown[]) => unknown;
  calls[call] = (...given) => {
    const done = given.pop() as Callback;
    step();
    return real.call(fs, ...given, (...answer: unknown[]) => {
      step();
      done(...answer);
    });
  };
}
syncBuiltinESMExports();

const { run } = StatementSync.prototype;
StatementSync.prototype.run = function (...given) {
  const isCommit = this.sourceSQL === 'COMMIT';
  if (isCommit) step();
  const done = run.apply(this, given as never);
  if (isCommit) step();
  return done;
};

// Only now: what is loaded sees these calls.
const { OPERATIONS, openStore } = await import('./operations.ts');
const store = await openStore(dir);
const act = await OPERATIONS[operation as Operation](store.open, name);
isArmed = true;
await act();
isArmed = false;
process.stdout.write(`done after ${steps} steps\n`);
await store.close();
