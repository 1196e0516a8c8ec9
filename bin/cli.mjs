// The CLI `pocketful`, on Node 24 (launch.mjs sees to that). docs/cli.md describes it. What was compiled once is kept beside the
// project: without that, starting takes longer than most commands. JavaScript, since Node would load its TypeScript compiler for this
// one file, although all others come from the cache.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../.cache/compile', import.meta.url)));
// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
const { main } = await import('./commands/program.ts');
await main(process.argv);
