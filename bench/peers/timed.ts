// A command line of somebody's program, timed as its user would: seconds of the wall, and of the processors by it and
// all it started. Bash has the only clock of a child's processor time that is everywhere.
import { spawnSync } from 'node:child_process';

export interface CommandLine {
  readonly args: readonly [string, ...string[]];
  readonly cwd?: string;
}

export interface Taken {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

const OUTPUT_BYTES_MAX = 1 << 30;
const SCRIPT = 'exec 3>&1 4>&2; TIMEFORMAT="%R %U %S"; { time "$@" >/dev/null 2>&4; } 2>&3';

/** Throws with what the program said if it failed. */
export function timed({ args, cwd }: CommandLine, env: NodeJS.ProcessEnv): Taken {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', SCRIPT, 'timed', ...args], {
    cwd,
    env: { ...process.env, ...env, LC_ALL: 'C.UTF-8' },
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr.trim().slice(-2000)}`);
  const [wall, user, system] = stdout.trim().split(' ').map(Number);
  if (wall === undefined || user === undefined || system === undefined) throw new Error(`no times in "${stdout}"`);
  return { wallSeconds: wall, cpuSeconds: user + system };
}

/** The first line that a program prints with these arguments; undefined if it is not there. */
export function firstLine(...[command, ...args]: readonly [string, ...string[]]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0]?.trim() : undefined;
}
