// The time of change of a file, to the nanosecond. Node sets times as floating-point seconds, about 0.2 µs apart these
// years; where that is not exact, one helper that lives as long as a `get` sets the rest: perl by the system call
// itself where it is there (on Linux nearly everywhere), else a shell that starts `touch` for each. Without either the
// time is off by that.
import { type ChildProcess, spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;
/** Years that an ISO date has four digits for. */
const MS_MAX = Date.parse('9999-12-31T23:59:59Z');
const MS_MIN = Date.parse('0001-01-01T00:00:00Z');
/** The number of utimensat, by `process.arch`: perl knows system calls by their numbers only. */
const UTIMENSAT: Readonly<Record<string, number>> = { x64: 280, arm64: 88 };
/** Each file is three lines: its time for `touch`, seconds and nanoseconds for perl, its path. The answer is a line. */
const PERL = `use Config; exit 3 if $Config{ptrsize} != 8; $| = 1; my $call = $ARGV[0] + 0;
while (defined(<STDIN>) && defined(my $time = <STDIN>) && defined(my $path = <STDIN>)) {
  chomp $path; my ($s, $ns) = split / /, $time; my $times = pack "q4", $s, $ns, $s, $ns;
  print syscall($call, -100, $path, $times, 0) == 0 ? "y\\n" : "n\\n";
}`;
const LOOP =
  'while IFS= read -r t && IFS= read -r s && IFS= read -r p; do touch -c -d "$t" "$p" && echo y || echo n; done';
const FIRST = '[ -n "$1" ] && command -v perl >/dev/null && perl -e "$0" "$1" ||';

export interface FileTime {
  readonly path: string;
  readonly changedNs: bigint;
}

export class ExactTimes {
  #helper: ChildProcess | undefined;
  #isGone = false;
  readonly #waiting: ((isSet: boolean) => void)[] = [];

  /** Sets access and change time of an open file and of the path it has. */
  async set(file: FileHandle, path: string, changedNs: bigint): Promise<void> {
    // As text: Node takes negative numbers for "now".
    const seconds = String(Number(changedNs) / 1e9);
    await file.utimes(seconds, seconds);
    const { mtimeNs } = await file.stat({ bigint: true });
    if (mtimeNs !== changedNs) await this.#ask([{ path, changedNs }]);
  }

  /** The same of many files that are closed, in the helper alone. Which of them it did not set. */
  async setAll(files: readonly FileTime[]): Promise<readonly FileTime[]> {
    const isSet = await this.#ask(files);
    return files.filter((_, i) => isSet[i] !== true);
  }

  async end(): Promise<void> {
    this.#helper?.stdin?.end();
    this.#helper = undefined;
  }

  async #ask(files: readonly FileTime[]): Promise<readonly boolean[]> {
    let lines = '';
    const answers = files.map(({ path, changedNs }) => {
      const time = isoText(changedNs);
      if (time === undefined || this.#isGone || path.includes('\n')) return false;
      const restNs = restOf(changedNs);
      lines += `${time}\n${(changedNs - restNs) / NS_PER_SECOND} ${restNs}\n${path}\n`;
      return new Promise<boolean>((resolve) => this.#waiting.push(resolve));
    });
    if (lines !== '') {
      this.#helper ??= this.#start();
      this.#helper.stdin?.write(lines);
    }
    return Promise.all(answers);
  }

  #start(): ChildProcess {
    const call = process.platform === 'linux' ? (UTIMENSAT[process.arch] ?? '') : '';
    // A session of its own: Ctrl-C at the terminal is for this process, which lets what is under way end.
    const helper = spawn('/bin/sh', ['-c', `${FIRST} ${LOOP}`, PERL, String(call)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    const gone = (): void => {
      this.#isGone = true;
      for (const resolve of this.#waiting.splice(0)) resolve(false);
    };
    helper.on('error', gone).on('exit', gone);
    helper.stdin.on('error', gone);
    helper.stdout.on('data', (said: Buffer) => {
      let first = 0;
      for (const byte of said) if (byte === YES || byte === NO) this.#waiting[first++]?.(byte === YES);
      this.#waiting.splice(0, first);
    });
    return helper;
  }
}

const YES = 'y'.charCodeAt(0);
const NO = 'n'.charCodeAt(0);

const restOf = (ns: bigint): bigint => ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;

/** As `touch -d` of GNU, BSD and macOS takes it. */
function isoText(ns: bigint): string | undefined {
  const restNs = restOf(ns);
  const ms = Number((ns - restNs) / NS_PER_MS);
  if (ms > MS_MAX || ms < MS_MIN) return undefined;
  return `${new Date(ms).toISOString().slice(0, 19)}.${String(restNs).padStart(9, '0')}Z`;
}
