// The CLI as JavaScript, with all it needs: what an installed package runs, since Node strips no types below
// node_modules. Only the CDK is left out: a stage is deployed from the repository.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './bundle.ts';

export interface CliBundle {
  readonly files: number;
  readonly bytes: number;
  /** The files that went in, relative to the repository. */
  readonly inputs: readonly string[];
}

/**
 * Replaces `directory`: program.mjs, the programs of the threads, and chunks that are loaded when they are
 * needed (the AWS SDK takes longer than most commands).
 */
export async function bundleCli(directory: string): Promise<CliBundle> {
  rmSync(directory, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: [
      { in: join(ROOT, 'bin/commands/program.ts'), out: 'program' },
      { in: join(ROOT, 'lib/client/files/file-reader-thread.ts'), out: 'file-reader-thread' },
      { in: join(ROOT, 'lib/keys/system-sealer-thread.ts'), out: 'system-sealer-thread' },
      { in: join(ROOT, 'lib/panda/sqlite/sqlite-commit-thread.ts'), out: 'sqlite-commit-thread' },
      { in: join(ROOT, 'lib/client/files/tree/files-thread.ts'), out: 'files-thread' },
    ],
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
    metafile: true,
    logLevel: 'warning',
  });
  const outputs = Object.values(metafile.outputs);
  return {
    files: outputs.length,
    bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
    inputs: Object.keys(metafile.inputs),
  };
}
