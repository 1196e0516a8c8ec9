// Runs the real CLI as a child process, in a temporary directory.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bin/cli.mjs', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  /** As somebody who is not root: permissions mean nothing to root. */
  readonly unprivileged?: boolean;
  /** Standard input stays open. */
  readonly endless?: boolean;
  readonly onStart?: (child: ChildProcess) => void;
}

export function pocketful(cwd: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const isOther = options.unprivileged === true && process.getuid?.() === 0;
  // He cannot write to the project's own cache of compiled code.
  const identity = isOther
    ? { uid: 65_534, gid: 65_534, env: { ...process.env, NODE_COMPILE_CACHE: join(cwd, '.compiled') } }
    : {};
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args], {
    cwd,
    stdio: 'pipe',
    ...identity,
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
  child.stdin.on('error', () => {}); // a program that does not read its input
  if (!options.endless) child.stdin.end(options.input);
  options.onStart?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const bytes = Buffer.concat(out);
      resolve({ code, signal, bytes, stdout: bytes.toString('utf8'), stderr: Buffer.concat(err).toString('utf8') });
    });
  });
}

/** The JSON document of a command that succeeded (or ended with `code`). */
export async function json<T = Record<string, unknown>>(
  cwd: string,
  args: readonly string[],
  options: RunOptions & { readonly code?: number } = {},
): Promise<T> {
  const ran = await pocketful(cwd, [...args, '--json'], options);
  if (ran.code !== (options.code ?? 0))
    throw new Error(`pocketful ${args.join(' ')} ended with ${ran.code ?? ran.signal}: ${ran.stderr}${ran.stdout}`);
  return JSON.parse(ran.stdout) as T;
}
