// The program behind `pocketful`: its commands, usage errors, and the last word on errors that nobody expected.
import { Command, CommanderError } from 'commander';
import { keepYoungGenerationSmall } from '../../lib/engine/wire/system-memory.ts';
import { addAdminCommands } from './admin.ts';
import { addAdopt } from './adopt.ts';
import { addBackups } from './backup/backups.ts';
import { addPush } from './backup/push.ts';
import { fail, withGlobals } from './command.ts';
import { addCompaction } from './compact.ts';
import { addDaemon } from './daemon.ts';
import { addDemo } from './demo.ts';
import { addDeadLetters } from './dlq.ts';
import { addDrivesCommands } from './drives/drives.ts';
import { addRepair } from './drives/repair.ts';
import { EXIT } from './exit-codes.ts';
import { addGet } from './get.ts';
import { addInit } from './init.ts';
import { addKeys } from './keys.ts';
import { addObjectCommands } from './objects.ts';
import { projectVersion } from './project.ts';
import { addPut } from './put.ts';
import { addAccess } from './serve/access.ts';
import { addServe } from './serve/serve.ts';
import { addSettings } from './settings.ts';
import { addSim } from './sim.ts';
import { addDeploy } from './stage/deploy.ts';
import { addDestroy } from './stage/destroy.ts';
import { addTrash } from './trash/trash.ts';
import { addVerify } from './verify/verify.ts';
import { addWatch } from './verify/watch.ts';

function makeProgram(): Command {
  const program = withGlobals(new Command('pocketful'))
    .description('An immutable, content-addressed, encrypted, erasure-coded blob store on directories or S3 buckets')
    .version(projectVersion())
    .showHelpAfterError('(pocketful --help lists the commands)')
    .exitOverride();
  addInit(program);
  addPut(program);
  addPush(program);
  addSim(program);
  addGet(program);
  addObjectCommands(program);
  addTrash(program);
  addAdminCommands(program);
  addCompaction(program);
  addDeadLetters(program);
  addVerify(program);
  addWatch(program);
  addDrivesCommands(program);
  addRepair(program);
  addDaemon(program);
  addSettings(program);
  addServe(program);
  addAccess(program);
  addKeys(program);
  addBackups(program);
  addAdopt(program);
  addDeploy(program);
  addDestroy(program);
  addDemo(program);
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  keepYoungGenerationSmall();
  try {
    await makeProgram().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = usage(error, argv.includes('--json'));
    else process.exitCode = fail(error, argv.includes('--json'));
  }
}

/** What is wrong was said on stderr already. */
function usage(error: CommanderError, json: boolean): number {
  if (error.exitCode === 0) return EXIT.ok; // help or the version was asked for
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  if (json) process.stdout.write(`${JSON.stringify({ error: { kind: 'invalid', code: 'USAGE', message } })}\n`);
  return EXIT.usage;
}
