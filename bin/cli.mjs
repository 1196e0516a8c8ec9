// The CLI `pocketful`, on Node 24 (launch.mjs sees to that). docs/cli.md describes it. What was compiled once is kept
// beside the project: without that, starting takes longer than most commands. So does loading its sources one by one: a
// bundle of them is used while it is up to date (ready-made.mjs). JavaScript, since Node would load its TypeScript
// compiler for this one file, although all others come from the cache.
import { createRequire, enableCompileCache } from 'node:module';
import { readyMade } from './ready-made.mjs';

const requireFrom = createRequire(import.meta.url); // why: ready-made.mjs
const { existsSync } = requireFrom('node:fs');
const os = requireFrom('node:os');
const path = requireFrom('node:path');
const { fileURLToPath, pathToFileURL } = requireFrom('node:url');

const SOURCE = new URL('./commands/program.ts', import.meta.url);
// An installed package has JavaScript in place of the sources, and lies where its user may not write.
const isInstalled = !existsSync(SOURCE);
enableCompileCache(
  isInstalled
    ? path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'pocketful', 'compile')
    : fileURLToPath(new URL('../.cache/compile', import.meta.url)),
);
// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
const { main } = await import(program().href);
await main(process.argv);

function program() {
  if (isInstalled) return new URL('../dist/program.mjs', import.meta.url);
  const made = readyMade(fileURLToPath(new URL('..', import.meta.url)));
  return made === undefined ? SOURCE : pathToFileURL(made);
}
