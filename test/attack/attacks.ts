// All attacks, and doing them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../lib/foundation/clock.ts';
import { type Attack, type Result, verdictOf } from './attack.ts';
import { ON_BACKUPS } from './on-backups.ts';
import { ON_DISKS } from './on-disks.ts';
import { ON_DRIVES } from './on-drives.ts';
import { ON_METADATA } from './on-metadata.ts';
import { ON_NOTHING } from './on-nothing.ts';
import { ON_OBJECTS } from './on-objects.ts';
import { ON_PROCESSES } from './on-processes.ts';
import { ON_SOURCES } from './on-sources.ts';
import { Base } from './world.ts';

export const ATTACKS: readonly Attack[] = [
  ...ON_NOTHING,
  ...ON_OBJECTS,
  ...ON_DRIVES,
  ...ON_METADATA,
  ...ON_BACKUPS,
  ...ON_SOURCES,
  ...ON_PROCESSES,
  ...ON_DISKS,
];

export interface AttackOptions {
  readonly seed: number;
  /** Only those whose name contains one of these. */
  readonly names?: readonly string[];
  readonly onResult?: (result: Result) => void;
}

/** Each on a fresh copy of one store. Results that are not right fail, whatever they are. */
export async function attackAll({ seed, names = [], onResult }: AttackOptions): Promise<Result[]> {
  const root = mkdtempSync(join(tmpdir(), 'pocketful-attack-'));
  const results: Result[] = [];
  try {
    const base = new Base(root);
    await base.make(seed);
    for (const [number, attack] of ATTACKS.entries()) {
      if (names.length > 0 && !names.some((name) => attack.name.includes(name))) continue;
      const result = await attackOnce(base, attack, seed, number);
      results.push(result);
      onResult?.(result);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return results;
}

async function attackOnce(base: Base, attack: Attack, seed: number, number: number): Promise<Result> {
  const { name, right, impossible } = attack;
  const begunMs = systemClock.monotonicMs();
  const result = (rest: Pick<Result, 'detected' | 'verdict' | 'faults'>): Result => ({
    ...{ attack: name, seed, right, ...rest },
    tookMs: Math.round(systemClock.monotonicMs() - begunMs),
  });
  const why = impossible?.();
  if (why !== undefined) return result({ detected: '-', verdict: 'not done', faults: [why] });
  const world = base.world(seed, number);
  try {
    const outcome = await attack.run(world);
    const none = attack.isHarmless === true ? 'nothing to detect' : 'NO';
    return result({
      detected: outcome.detected ?? none,
      verdict: verdictOf(attack, outcome),
      faults: outcome.faults,
    });
  } catch (error) {
    // The store broke in a way that the attack did not foresee.
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return result({ detected: 'NO', verdict: 'wrong', faults: [said] });
  } finally {
    base.end(world);
  }
}

export const isRight = ({ verdict }: Result): boolean => verdict === 'right' || verdict === 'not done';
