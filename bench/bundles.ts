// What is deployed: the bundle of every function as the stack makes it, its size, and how long a fresh process takes to
// load it (the part of a cold start that is ours; Lambda's own comes on top).
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundle } from '../lib/infra/bundle.ts';
import { WORKERS } from '../lib/infra/stage-parts.ts';
import { settingsOf } from '../lib/settings/settings.ts';
import { type Benches, type BenchResult, type Figure, machine, median } from './bench.ts';

const FOLDERS = ['frontend', ...WORKERS, 'settings-guard'];
const RUNS = 5;
const KB = 1000;

export const benches: Benches = { bundles };

/** What the stack would set; nothing is called. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  POCKETFUL_STAGE: 'bench',
  POCKETFUL_TABLE: 'table',
  POCKETFUL_DRIVES: Array.from({ length: 10 }, (_, i) => `drive-${i}`).join(','),
  POCKETFUL_KEY: 'key',
  POCKETFUL_SETTINGS: JSON.stringify(settingsOf('personal')),
  POCKETFUL_DRAIN_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/1/drain',
  POCKETFUL_DRAIN_DLQ_URL: 'https://sqs.us-east-1.amazonaws.com/1/dead',
};

async function bundles(): Promise<BenchResult> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'pocketful-bundles-'));
  try {
    const figures: Figure[] = [];
    for (const folder of FOLDERS) figures.push(...bundleOf(folder, path.join(scratch, folder)));
    return { bench: 'bundles', machine: machine(), figures };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

function bundleOf(folder: string, directory: string): Figure[] {
  bundle(folder, directory);
  const outfile = path.join(directory, 'index.mjs');
  const code = fs.readFileSync(outfile);
  return [
    { name: `${folder}: minified`, value: code.byteLength / KB, unit: 'kB' },
    { name: `${folder}: gzip`, value: gzipSync(code).byteLength / KB, unit: 'kB' },
    { name: `${folder}: loaded in`, value: loadMs(outfile), unit: 'ms' },
  ];
}

/** Milliseconds that evaluating the module takes, the median of fresh processes; that of Node itself is not in it. */
function loadMs(file: string): number {
  const script = `const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t); process.exit()`;
  const times = Array.from({ length: RUNS }, () => {
    const args = ['--input-type=module', '--eval', script, '--', file];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      env: { ...process.env, ...ENVIRONMENT },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${file} does not load: ${stderr}`);
    return Number(stdout.trim());
  });
  return median(times);
}
