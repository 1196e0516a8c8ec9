// The CLI as JavaScript, with all it needs: what an installed package runs, since Node strips no types below
// node_modules. Only the CDK is left out: a stage is deployed from the repository.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, parse } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { ROOT } from '../bundle.ts';
import { builtIns } from './built-ins.ts';
import { joinChunks } from './one-chunk.ts';

export interface CliBundle {
  readonly files: number;
  readonly bytes: number;
  /** The files that went in, relative to the repository, and those that say how. */
  readonly inputs: readonly string[];
}

const PROGRAM = 'bin/commands/program.ts';
/** Their commands come in the program's own file. */
const OFTEN = ['bin/commands/objects.ts'];
const THREADS = [
  'lib/client/files/file-reader-thread.ts',
  'lib/keys/system-sealer-thread.ts',
  'lib/panda/sqlite/sqlite-commit-thread.ts',
  'lib/client/files/tree/files-thread.ts',
];
const HOW = ['lib/infra/cli/bundle-cli.ts', 'lib/infra/cli/built-ins.ts', 'lib/infra/cli/one-chunk.ts'];

/**
 * Replaces `directory`: program.mjs, the programs of the threads, and chunks that are loaded when they are
 * needed (the AWS SDK takes longer than most commands).
 */
export async function bundleCli(directory: string): Promise<CliBundle> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  // The threads share no chunk with the program: each would be a file more to load at its start.
  const built = await Promise.all([PROGRAM, ...THREADS].map((file) => build(optionsOf(directory, file))));
  const [program, ...threads] = built as [(typeof built)[0], ...typeof built];
  const { entryPoints: _, ...options } = optionsOf(directory, PROGRAM);
  const files = await joinChunks(program, 'program.mjs', OFTEN, options);
  for (const { path, text } of threads.flatMap(({ outputFiles }) => outputFiles)) files.set(basename(path), text);
  for (const [name, text] of files) writeFileSync(join(directory, name), text);
  return {
    files: files.size,
    bytes: [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    inputs: [...new Set([...built.flatMap(({ metafile }) => Object.keys(metafile.inputs)), ...HOW])],
  };
}

const optionsOf = (directory: string, file: string) =>
  ({
    entryPoints: [{ in: join(ROOT, file), out: parse(file).name }],
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    // Packages that are no ES modules still ask for Node's own by require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    external: ['aws-cdk-lib', 'constructs', 'cdk-nag', 'esbuild'],
    plugins: [builtIns],
    metafile: true,
    write: false,
    logLevel: 'warning',
  }) as const satisfies BuildOptions;
