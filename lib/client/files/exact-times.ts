// The time of change of a file, to the nanosecond. Node sets times as floating-point seconds, about 0.2 µs apart these
// years; where that is not exact, one shell that lives as long as a `get` has `touch` set the rest. Without either the
// time is off by that.
import { type ChildProcess, spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;
/** Years that an ISO date has four digits for. */
const MS_MAX = Date.parse('9999-12-31T23:59:59Z');
const MS_MIN = Date.parse('0001-01-01T00:00:00Z');
const LOOP = 'while IFS= read -r t && IFS= read -r p; do touch -c -d "$t" "$p" && echo y || echo n; done';

export class ExactTimes {
  #shell: ChildProcess | undefined;
  #isGone = false;
  readonly #waiting: (() => void)[] = [];

  /** Sets access and change time of an open file and of the path it has. */
  async set(file: FileHandle, path: string, changedNs: bigint): Promise<void> {
    // As text: Node takes negative numbers for "now".
    const seconds = String(Number(changedNs) / 1e9);
    await file.utimes(seconds, seconds);
    const { mtimeNs } = await file.stat({ bigint: true });
    if (mtimeNs !== changedNs) await this.#touch(path, changedNs);
  }

  async end(): Promise<void> {
    this.#shell?.stdin?.end();
    this.#shell = undefined;
  }

  async #touch(path: string, changedNs: bigint): Promise<void> {
    const time = isoText(changedNs);
    if (time === undefined || this.#isGone || path.includes('\n')) return;
    this.#shell ??= this.#start();
    const { stdin } = this.#shell;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      stdin?.write(`${time}\n${path}\n`);
    });
  }

  #start(): ChildProcess {
    // A session of its own: Ctrl-C at the terminal is for this process, which lets what is under way end.
    const shell = spawn('/bin/sh', ['-c', LOOP], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    const gone = (): void => {
      this.#isGone = true;
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    shell.on('error', gone).on('exit', gone);
    shell.stdin.on('error', gone);
    shell.stdout.on('data', (said: Buffer) => {
      for (const byte of said) if (byte === 0x0a) this.#waiting.shift()?.();
    });
    return shell;
  }
}

/** As `touch -d` of GNU, BSD and macOS takes it. */
function isoText(ns: bigint): string | undefined {
  const restNs = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const ms = Number((ns - restNs) / NS_PER_MS);
  if (ms > MS_MAX || ms < MS_MIN) return undefined;
  return `${new Date(ms).toISOString().slice(0, 19)}.${String(restNs).padStart(9, '0')}Z`;
}
