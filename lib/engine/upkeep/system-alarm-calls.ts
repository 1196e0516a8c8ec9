// Telling somebody of an alarm: a command that is run, or a web hook that is called. Each has a bounded time; what it
// answers is nobody's business but whether it took it.
import { spawn } from 'node:child_process';
import { retryLater } from '../../foundation/errors.ts';
import { ALARM_CALL_MS_MAX } from '../../limits/alarms.ts';

/** The document that both get: the command on its standard input, the hook as the body of a POST. */
export interface AlarmCall {
  readonly store: string;
  readonly state: 'began' | 'cleared';
  readonly name: string;
  readonly text: string;
  readonly runbook: string;
  readonly sinceMs: number;
}

/** By the shell, with POCKETFUL_ALARM, POCKETFUL_ALARM_STATE and POCKETFUL_ALARM_TEXT. Throws `retry` ALARM_UNTOLD. */
export function runForAlarm(command: string, call: AlarmCall): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(command, {
    shell: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    timeout: ALARM_CALL_MS_MAX,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      POCKETFUL_ALARM: call.name,
      POCKETFUL_ALARM_STATE: call.state,
      POCKETFUL_ALARM_TEXT: call.text,
    },
  });
  child.on('error', (cause) => reject(untold('the command could not be run', cause)));
  child.on('close', (code, signal) =>
    code === 0 ? resolve() : reject(untold(`the command ended with ${signal ?? `exit code ${code}`}`)),
  );
  // One that does not read its input has ended, or will.
  child.stdin.on('error', () => {});
  child.stdin.end(`${JSON.stringify(call)}\n`);
  return promise;
}

/** Throws `retry` ALARM_UNTOLD. */
export async function postAlarm(url: string, call: AlarmCall): Promise<void> {
  let status: number;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(call),
      redirect: 'error',
      signal: AbortSignal.timeout(ALARM_CALL_MS_MAX),
    });
    status = answer.status;
    await answer.body?.cancel();
  } catch (cause) {
    throw untold('the web hook does not answer', cause);
  }
  if (status < 200 || status > 299) throw untold(`the web hook answered with status ${status}`);
}

const untold = (why: string, cause?: unknown): Error =>
  retryLater('ALARM_UNTOLD', `nobody was told of the alarm: ${why}`, cause);
