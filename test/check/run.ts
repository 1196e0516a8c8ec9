// `npm run check`: everything about the project that can be judged without running it. One line per check with its time, its
// faults below it; exit code 1 if any check failed. `npm run check -- NAME …` runs only those.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { boundFaults } from './bounds.ts';
import { circleFaults } from './circles.ts';
import { countFaults } from './counts.ts';
import { layeringFaults } from './layering.ts';
import { letterFaults } from './letters.ts';
import { linkFaults } from './links.ts';
import { lockFaults, nameFaults, switchFaults, traceFaults } from './repository.ts';
import { sizeFaults } from './sizes.ts';
import { type Fault, projectFiles, projectPaths, ROOT, type SourceFile } from './source-file.ts';

interface Outcome {
  readonly isOk: boolean;
  readonly output: string;
  readonly warnings: number;
}
const CODE = [
  'bin',
  'lib',
  'functions',
  'bench',
  'test',
  'vitest.config.ts',
  'package.json',
  'tsconfig.json',
  'biome.json',
];
const LINES_SHOWN = 80;

type Check = () => Promise<Outcome>;

const bin = (module: string): string => path.join(ROOT, 'node_modules', module);

/** A tool in a process of its own; its output is shown only if it fails. */
const tool =
  (...args: readonly string[]): Check =>
  () =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text) => (output += text));
      child.on('error', reject);
      child.on('close', (code) => resolve({ isOk: code === 0, output, warnings: 0 }));
    });

let files: readonly SourceFile[] | undefined;
const rule =
  (faultsOf: (files: readonly SourceFile[]) => readonly Fault[]): Check =>
  async () => {
    files ??= projectFiles();
    const faults = faultsOf(files);
    const shown = faults.map(
      ({ path: at, line, message, isWarning }) =>
        `${at}${line > 0 ? `:${line}` : ''} ${isWarning ? 'warning: ' : ''}${message}\n`,
    );
    const warnings = faults.filter(({ isWarning }) => isWarning).length;
    return { isOk: warnings === faults.length, output: shown.join(''), warnings };
  };

const CHECKS: Readonly<Record<string, Check>> = {
  types: tool(bin('typescript/bin/tsc'), '-p', '.'),
  'lint and format': tool(bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '--colors=off', ...CODE),
  layering: rule(layeringFaults),
  circles: rule(circleFaults),
  'attribute letters': rule(letterFaults),
  sizes: rule(sizeFaults),
  bounds: rule(boundFaults),
  names: rule(nameFaults),
  'tests switched off': rule(switchFaults),
  traces: rule(traceFaults),
  lockfile: rule(lockFaults),
  counts: rule(countFaults),
  links: rule((all) => linkFaults(all, projectPaths())),
  'dead code': tool(bin('knip/bin/knip.js'), '--config', 'test/check/knip.json', '--no-progress'),
};

function excerpt(output: string): string {
  const lines = output.trimEnd().split('\n');
  const rest = lines.length > LINES_SHOWN ? [`… ${lines.length - LINES_SHOWN} more lines`] : [];
  return [...lines.slice(0, LINES_SHOWN), ...rest].map((line) => `       ${line}`).join('\n');
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !(name in CHECKS));
  if (unknown.length > 0) {
    console.error(`no check is called ${unknown.join(', ')}; there are: ${Object.keys(CHECKS).join(', ')}`);
    return 2;
  }
  let failures = 0;
  for (const [name, check] of Object.entries(CHECKS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const startMs = performance.now();
    const { isOk, output, warnings } = await check();
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    const remark = warnings > 0 ? `, ${warnings} warnings` : '';
    console.log(`${isOk ? 'ok    ' : 'FAILED'} ${name} (${seconds} s${remark})`);
    if (!isOk || warnings > 0) console.log(excerpt(output));
    if (!isOk) failures++;
  }
  console.log(failures === 0 ? 'check: all passed' : `check: ${failures} failed`);
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
