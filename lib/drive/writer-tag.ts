// Names a writing process in its temporary files, so that another process can tell what a dead one left behind. A
// process number alone does not do: numbers are used again, and containers that share a disk each have their own.
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

const PATTERN = /^([0-9]{1,10})-([0-9]{1,20})-([0-9a-f]{12})-/;

const UNKNOWN_START = '0';

/**
 * When the process started, in kernel ticks; UNKNOWN_START where the system does not tell; undefined if there is no
 * such process.
 */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? UNKNOWN_START; // field 22; the name before it may hold spaces
  } catch {
    return UNKNOWN_START;
  }
}

/** The host and process-number namespace: within it, process numbers can be compared. */
function placeOf(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: the host name alone has to do.
  }
  return createHash('sha256').update(`${hostname()}\n${namespace}`).digest('hex').slice(0, 12);
}

const PLACE = placeOf();

/** Prefix of this process's temporary files. */
export const WRITER_TAG = `${process.pid}-${startOf(process.pid) ?? UNKNOWN_START}-${PLACE}`;

/** `dead` and `alive` are certain; `elsewhere` is another host or container, or a name this version did not write. */
export function writerOf(fileName: string): 'alive' | 'dead' | 'elsewhere' {
  const [, pid, start, place] = PATTERN.exec(fileName) ?? [];
  if (place !== PLACE) return 'elsewhere';
  const running = startOf(Number(pid));
  return running === start || running === UNKNOWN_START ? 'alive' : 'dead';
}
