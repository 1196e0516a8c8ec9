// The CLI `pocketful`. docs/cli.md describes it. What was compiled once is kept beside the project: without that, starting takes
// longer than most commands.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../.cache/compile', import.meta.url)));
const { main } = await import('./commands/program.ts');
await main(process.argv);
