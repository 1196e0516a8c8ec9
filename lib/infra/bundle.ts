// Makes one minified ES module out of a function's handler and everything it needs, the AWS SDK included, so that what
// runs is what was tested. By esbuild's own interface: the CDK's NodejsFunction starts npm once a function, which takes
// longer than the bundling.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { missing } from '../foundation/errors.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Throws `missing` HANDLER_MISSING rather than deploy a function without code. */
export function entryOf(folder: string): string {
  const file = `functions/${folder}/handler.ts`;
  if (!existsSync(join(ROOT, file))) throw missing('HANDLER_MISSING', `there is no ${file}: nothing to deploy`);
  return join(ROOT, file);
}

/** Writes index.mjs, which exports `handler`, and its source map. */
export function bundle(folder: string, outputDirectory: string): void {
  buildSync({
    entryPoints: [entryOf(folder)],
    outfile: join(outputDirectory, 'index.mjs'),
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true, // error classes are logged and matched by name
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
}
