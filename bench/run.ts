// `npm run bench` lists the benches; `npm run bench -- NAME … [--json] [--FLAG=VALUE …]` runs them. With --json
// standard output is one {bench, machine, figures} per name and line, and nothing else. A bench's file says its flags.
import fs from 'node:fs';
import path from 'node:path';
import type { Benches, BenchResult, Figure, Flags } from './bench.ts';

const NOT_BENCHES = ['bars-svg.ts', 'bench.ts', 'document-part.ts', 'run.ts'];

async function loaded(): Promise<Map<string, Benches[string]>> {
  const found = new Map<string, Benches[string]>();
  for (const file of fs.readdirSync(import.meta.dirname).sort()) {
    if (!file.endsWith('.ts') || NOT_BENCHES.includes(file)) continue;
    const module: { readonly benches?: Benches } = await import(path.join(import.meta.dirname, file));
    for (const [name, bench] of Object.entries(module.benches ?? {})) {
      if (found.has(name)) throw new Error(`two benches are called ${name} (the second in ${file})`);
      found.set(name, bench);
    }
  }
  return found;
}

function printed({ name, value, unit, ratio }: Figure, nameWidth: number): string {
  const digits = Number.isInteger(value) ? 0 : value >= 1000 ? 0 : value >= 10 ? 1 : 3;
  const shown = value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  return `${name.padEnd(nameWidth)}  ${shown.padStart(14)} ${unit.padEnd(8)}${ratio === undefined ? '' : ` ratio ${ratio.toFixed(3)}`}`.trimEnd();
}

function print({ bench, machine, figures, text = [] }: BenchResult): void {
  const width = Math.max(...figures.map(({ name }) => name.length));
  console.log(`${bench} (${machine})`);
  for (const figure of figures) console.log(`  ${printed(figure, width)}`);
  for (const line of text) console.log(line);
}

/** `--small` is { small: '' }. */
const flagsIn = (args: readonly string[]): Flags =>
  Object.fromEntries(
    args.flatMap((arg) => [...arg.matchAll(/^--([a-z-]+)(?:=(.*))?$/g)].map(([, name, value = '']) => [name, value])),
  );

async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json');
  const names = args.filter((arg) => !arg.startsWith('--'));
  const benches = await loaded();
  const unknown = names.filter((name) => !benches.has(name));
  if (unknown.length > 0) {
    console.error(`no bench is called ${unknown.join(', ')}; there are: ${[...benches.keys()].join(', ')}`);
    return 2;
  }
  if (names.length === 0) {
    if (isJson) console.log(JSON.stringify({ benches: [...benches.keys()] }));
    else for (const name of benches.keys()) console.log(name);
    return 0;
  }
  for (const name of names) {
    const result = await (benches.get(name) as Benches[string])(flagsIn(args));
    if (isJson) console.log(JSON.stringify(result));
    else print(result);
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
