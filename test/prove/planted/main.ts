// npm run prove:planted -- [--seeds N] [--profile P] [NAME …]: how many seeds it takes to find each planted bug, aimed at
// the steps it is about. Exit code 1 if one was not found.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SumsFigures } from '../run/sums.ts';
import type { Plant } from './plant.ts';
import { PLANTS } from './plants.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '10000' }, profile: { type: 'string', default: 'swarm' } },
});

async function found({ name, aim, profile = values.profile }: Plant): Promise<string> {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const args = ['--no-warnings', main, '--plant', name, '--seeds', values.seeds, '--profile', profile];
  if (aim !== undefined) args.push('--aim', aim);
  const child = spawn(process.execPath, [...args, '--json', '--stop-at-first', '--no-shrink'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  await new Promise((resolve) => child.on('close', resolve));
  if (!output.startsWith('{')) throw new Error(`${name}: the simulation ended without an answer`);
  const { runs, failed } = JSON.parse(output) as SumsFigures;
  const [first] = failed;
  if (first === undefined) process.exitCode = 1;
  const how = first === undefined ? '' : `${first.kind}: ${first.message.split('\n')[0]?.slice(0, 90)}`;
  const where = [profile, ...(aim === undefined ? [] : [aim])].join(' ').replaceAll('|', ', ');
  return `| ${name} | ${where} | ${first === undefined ? `not in ${runs}` : runs} | ${how} |`;
}

for (const plant of PLANTS)
  if (positionals.length === 0 || positionals.includes(plant.name)) console.log(await found(plant));
