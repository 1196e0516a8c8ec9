// `npm run dist`: makes dist/, the JavaScript that `npm pack` ships and an installed `pocketful` runs. With --checkout,
// the same for the command line of this checkout, unless it is there (ready-made.mjs).
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../lib/infra/bundle.ts';
import { bundleCli } from '../lib/infra/cli/bundle-cli.ts';
import { FILE_STAMP_MS } from '../lib/limits/engine.ts';
import { makeReady, markOf, readyMade } from './ready-made.mjs';

async function forCheckout(): Promise<void> {
  if (readyMade(ROOT) !== undefined) return;
  const sources = globSync('{bin,lib}/**/*.{ts,mjs}', { cwd: ROOT });
  const marks = new Map(sources.map((file) => [file, markOf(join(ROOT, file))]));
  // A change within one tick of the file system's clock would leave no trace.
  await sleep(2 * FILE_STAMP_MS);
  await makeReady(ROOT, marks, async (folder) => (await bundleCli(folder)).inputs);
}

if (process.argv.includes('--checkout')) await forCheckout();
else {
  const { files, bytes } = await bundleCli(join(ROOT, 'dist'));
  process.stderr.write(`dist: ${files} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
}
