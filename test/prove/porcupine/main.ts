// npm run prove:porcupine -- [--seeds N] [--seed S] [--spoilt N]: the verdicts of `linearizable` beside those of porcupine, a checker in Go that others use, on the
// histories of N seeds and on as many spoilt ones. Exit code 1 if they differ, 2 if there is no Go.
import { parseArgs } from 'node:util';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { PROFILES } from '../faults/profile.ts';
import type { Operation } from '../model/history.ts';
import { linearizable } from '../model/linearizable.ts';
import { planOf } from '../plan/plan.ts';
import { runPlan } from '../run/run-plan.ts';
import { goOnThisMachine, porcupineVerdicts } from './go.ts';
import { spoilt } from './spoil.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    spoilt: { type: 'string', default: '5' },
  },
});

async function histories(): Promise<readonly (readonly Operation[])[]> {
  const all: (readonly Operation[])[] = [];
  const [profile] = PROFILES.filter(({ name }) => name === 'swarm');
  if (profile === undefined) throw new Error('there is no profile swarm');
  const first = Number(values.seed);
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    const random = new SeededRandomness(seed);
    await runPlan(planOf(seed, profile), {
      onHistory: (history) => {
        for (const key of history.keys()) {
          const operations = history.of(key);
          all.push(operations);
          for (let i = 0; i < Number(values.spoilt); i++) all.push(spoilt(operations, random));
        }
      },
    });
  }
  return all;
}

async function main(): Promise<number> {
  const go = goOnThisMachine();
  if (go === undefined) {
    console.error(
      'porcupine is a Go module, and there is no Go here: install Go 1.24 or newer, and see that `go version` works',
    );
    return 2;
  }
  const all = await histories();
  const theirs = await porcupineVerdicts(go, all);
  const counts = { yes: 0, no: 0, unknown: 0 };
  let differing = 0;
  for (const [i, history] of all.entries()) {
    const their = theirs[i] ?? 'unknown';
    counts[their] += 1;
    const ours = linearizable(history).isLinearizable ? 'yes' : 'no';
    if (their === 'unknown' || ours === their) continue;
    differing += 1;
    console.log(`ours says ${ours}, porcupine ${their}: ${JSON.stringify(history)}`);
  }
  const operations = all.reduce((sum, history) => sum + history.length, 0);
  console.log(`${all.length} histories with ${operations} operations of ${values.seeds} seeds from ${values.seed} on`);
  console.log(
    `porcupine: ${counts.yes} are those of a register, ${counts.no} are not, ${counts.unknown} it does not know`,
  );
  console.log(`\nprove:porcupine: ${all.length - differing - counts.unknown} the same, ${differing} differ`);
  return differing === 0 ? 0 : 1;
}

process.exitCode = await main();
