// What doctor and the verifiers find, and what it all comes to.
import { FINDINGS_MAX } from '../limits/engine.ts';

/**
 * lost: data cannot be read now. wrong: rows contradict each other. degraded: all data can be read, but some of it
 * survives fewer losses than it should. waits: nothing is wrong, something is still to be done.
 */
export type Severity = 'lost' | 'wrong' | 'degraded' | 'waits';

/** healthy: nothing is missing anywhere. wrong: there is something lost or wrong. */
export type Level = 'healthy' | 'degraded' | 'wrong';

export interface Finding {
  readonly severity: Severity;
  /**
   * Stable, lower case: drive, key, object, references, live-bytes, bucket, volume, list, zone, panda, stray,
   * unfinished, row, file, damage, directories; of objects on drives: missing, short, wrong, foreign, unread.
   */
  readonly check: string;
  readonly message: string;
}

/** Findings as they come; those beyond a bound are only counted. */
export class Findings {
  readonly list: Finding[] = [];
  more = 0;
  level: Level = 'healthy';

  add(severity: Severity, check: string, message: string): void {
    if (severity === 'lost' || severity === 'wrong') this.level = 'wrong';
    else if (severity === 'degraded' && this.level === 'healthy') this.level = 'degraded';
    if (this.list.length < FINDINGS_MAX) this.list.push({ severity, check, message });
    else this.more += 1;
  }
}
