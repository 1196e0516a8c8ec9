// `npm run attack -- [--seed S] [--json] [NAME …]` harms real stores in every way we know, and prints what they said: attack, whether it was
// noticed, whether the answer was the right one. Ends with 1 if anything was not noticed, if a sound store was called unsound, or if anything
// acknowledged could not be read although the code promises it.
import { parseArgs } from 'node:util';
import type { Result } from './attack.ts';
import { attackAll, isRight } from './attacks.ts';

const DEFAULT_SEED = 1;

function shown({ attack, detected, verdict, faults, tookMs }: Result): string {
  const line = `${attack.padEnd(56)} ${detected.slice(0, 34).padEnd(34)} ${verdict.padEnd(11)} ${(tookMs / 1000).toFixed(1)} s`;
  return [line, ...faults.map((fault) => `    ${fault}`)].join('\n');
}

const { values, positionals } = parseArgs({
  options: { seed: { type: 'string', default: `${DEFAULT_SEED}` }, json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed is a whole number, not ${values.seed}`);
const print = (text: string): void => void process.stderr.write(`${text}\n`);
if (!values.json) process.stdout.write(`${'attack'.padEnd(56)} ${'detected'.padEnd(34)} answer\n`);
const results = await attackAll({
  seed,
  names: positionals,
  onResult: (result) => (values.json ? print(shown(result)) : void process.stdout.write(`${shown(result)}\n`)),
});
const bad = results.filter((result) => !isRight(result));
const text = `seed ${seed}: ${results.length} attacks, ${results.length - bad.length} answered right, ${bad.length} not`;
process.stdout.write(values.json ? `${JSON.stringify({ seed, results })}\n` : `${text}\n`);
process.exitCode = bad.length > 0 ? 1 : 0;
