// Runs the real CLI in a temporary directory: its program in this process, or, where something hangs on that (its input, its rights,
// signals, another one beside it), as a child process: starting one takes longer than most commands.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../../bin/commands/program.ts';
import { Semaphore } from '../../lib/foundation/concurrency.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/cli.mjs', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly inChild?: boolean;
  readonly input?: string | Uint8Array;
  /** As somebody who is not root: permissions mean nothing to root. */
  readonly unprivileged?: boolean;
  /** Standard input stays open. */
  readonly endless?: boolean;
  /** What is different from this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly onStart?: (child: ChildProcess) => void;
}

export function pocketful(cwd: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { inChild, unprivileged, input, endless, env, onStart } = options;
  const needsChild = inChild || unprivileged || endless || input !== undefined || onStart !== undefined;
  return needsChild ? inOwnProcess(cwd, args, options) : inThisProcess(cwd, args, env);
}

function inOwnProcess(cwd: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const isOther = options.unprivileged === true && process.getuid?.() === 0;
  // He cannot write to the project's own cache of compiled code.
  const identity = isOther
    ? { uid: 65_534, gid: 65_534, env: { ...process.env, NODE_COMPILE_CACHE: join(cwd, '.compiled') } }
    : { env: { ...process.env, ...options.env } };
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

/** Standard streams and the working directory are the process's. */
const oneAtATime = new Semaphore(1);

async function inThisProcess(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const done = await oneAtATime.acquire();
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const before = process.cwd();
  const kept = Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]]));
  const restore = [captured(process.stdout, out), captured(process.stderr, err)];
  try {
    process.chdir(cwd);
    setVariables(env);
    process.exitCode = undefined;
    await main([process.execPath, PROGRAM, ...args]);
    const bytes = Buffer.concat(out);
    const code = Number(process.exitCode ?? 0);
    return { code, signal: null, bytes, stdout: bytes.toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
  } finally {
    process.exitCode = undefined;
    process.chdir(before);
    setVariables(kept);
    for (const each of restore) each();
    done();
  }
}

function setVariables(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

function captured(stream: NodeJS.WriteStream, into: Buffer[]): () => void {
  const { write } = stream;
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    into.push(Buffer.from(chunk as Uint8Array));
    const callback = rest.at(-1);
    if (typeof callback === 'function') callback();
    return true;
  };
  return () => {
    stream.write = write;
  };
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
