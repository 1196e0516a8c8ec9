// The CLI `pocketful`: its commands, usage errors, and the last word on errors that nobody expected. docs/cli.md describes it.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addAdminCommands } from './commands/admin.ts';
import { addBackups } from './commands/backups.ts';
import { fail, withGlobals } from './commands/command.ts';
import { EXIT } from './commands/exit-codes.ts';
import { addGet } from './commands/get.ts';
import { addInit } from './commands/init.ts';
import { addKeys } from './commands/keys.ts';
import { addObjectCommands } from './commands/objects.ts';
import { addPut } from './commands/put.ts';

function makeProgram(): Command {
  const program = withGlobals(new Command('pocketful'))
    .description('An immutable, content-addressed, encrypted, erasure-coded blob store on directories or S3 buckets')
    .version(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version)
    .showHelpAfterError('(pocketful --help lists the commands)')
    .exitOverride();
  addInit(program);
  addPut(program);
  addGet(program);
  addObjectCommands(program);
  addAdminCommands(program);
  addKeys(program);
  addBackups(program);
  return program;
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

try {
  await makeProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else process.exitCode = fail(error, process.argv.includes('--json'));
}
