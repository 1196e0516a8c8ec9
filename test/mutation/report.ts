// The results for people: a line for each folder, and every survivor, of the mutants that were asked for.
import path from 'node:path';
import { EQUIVALENT } from './equivalent.ts';
import { type Mutant, nameOf } from './mutants.ts';
import type { Results } from './results.ts';

interface Counted {
  readonly file: string;
  readonly text: string;
  readonly mutants: readonly Mutant[];
}

export function report(
  targets: readonly Counted[],
  samples: ReadonlyMap<string, readonly Mutant[]>,
  results: Results,
  seed: number,
): void {
  const folders = new Map<string, { mutants: number; tried: number; killed: number; equivalent: number }>();
  const survivors: string[] = [];
  for (const { file, text, mutants } of targets) {
    const names = new Set((EQUIVALENT[file] ?? []).map(([name]) => name));
    const sample = samples.get(file) ?? [];
    const equivalent = sample.filter((mutant) => names.has(nameOf(text, mutant)));
    const tried = sample
      .filter((mutant) => !equivalent.includes(mutant))
      .flatMap(({ index }) => results.of(file)[index] ?? []);
    const killed = tried.filter(({ outcome }) => outcome === 'killed');
    for (const { outcome, line, name, by } of tried)
      if (outcome === 'survived') survivors.push(`${file}:${line} ${name} (${by})`);
    for (const folder of new Set([path.dirname(file), file.split('/').slice(0, 2).join('/'), 'all'])) {
      const sum = folders.get(folder) ?? { mutants: 0, tried: 0, killed: 0, equivalent: 0 };
      sum.mutants += mutants.length;
      sum.tried += tried.length;
      sum.killed += killed.length;
      sum.equivalent += equivalent.length;
      folders.set(folder, sum);
    }
  }
  for (const line of survivors) console.log(`survived: ${line}`);
  console.log(
    `\n| folder | mutants | tried (seed ${seed}) | killed | % | equivalent |\n| --- | --- | --- | --- | --- | --- |`,
  );
  for (const [folder, { mutants, tried, killed, equivalent }] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(
      `| ${folder} | ${mutants} | ${tried} | ${killed} | ${tried === 0 ? '' : ((100 * killed) / tried).toFixed(1)} | ${equivalent} |`,
    );
}
