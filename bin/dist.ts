// `npm run dist`: makes dist/, the JavaScript that `npm pack` ships and an installed `pocketful` runs.
import { join } from 'node:path';
import { ROOT } from '../lib/infra/bundle.ts';
import { bundleCli } from '../lib/infra/bundle-cli.ts';

const { files, bytes } = await bundleCli(join(ROOT, 'dist'));
process.stderr.write(`dist: ${files} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
