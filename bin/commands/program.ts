// The program behind `pocketful`: its commands, usage errors, and the last word on errors that nobody expected.
import { Command, CommanderError } from 'commander';
import { keepHeapSmall } from '../../lib/engine/wire/system-memory.ts';
import { fail, GLOBALS_WITH_VALUE, withGlobals } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { projectVersion } from './project.ts';

interface CommandModule {
  readonly names: readonly string[];
  /** Its module is loaded for its own commands only: all of them together take longer to load than most take to run. */
  readonly load: () => Promise<(program: Command) => void>;
}

/** In the order in which the help lists them. */
export const COMMAND_MODULES: readonly CommandModule[] = [
  { names: ['init'], load: async () => (await import('./init.ts')).addInit },
  { names: ['put'], load: async () => (await import('./put.ts')).addPut },
  { names: ['push'], load: async () => (await import('./backup/push.ts')).addPush },
  { names: ['sim'], load: async () => (await import('./sim.ts')).addSim },
  { names: ['get', 'cat'], load: async () => (await import('./get.ts')).addGet },
  { names: ['ls', 'stat', 'rm'], load: async () => (await import('./objects.ts')).addObjectCommands },
  { names: ['trash'], load: async () => (await import('./trash/trash.ts')).addTrash },
  {
    names: ['status', 'encode', 'gc', 'drain', 'tend', 'doctor'],
    load: async () => (await import('./admin.ts')).addAdminCommands,
  },
  { names: ['plan', 'compact', 'explain'], load: async () => (await import('./compact.ts')).addCompaction },
  { names: ['dlq'], load: async () => (await import('./dlq.ts')).addDeadLetters },
  { names: ['verify'], load: async () => (await import('./verify/verify.ts')).addVerify },
  { names: ['watch'], load: async () => (await import('./verify/watch.ts')).addWatch },
  { names: ['drives'], load: async () => (await import('./drives/drives.ts')).addDrivesCommands },
  { names: ['repair'], load: async () => (await import('./drives/repair.ts')).addRepair },
  { names: ['daemon'], load: async () => (await import('./daemon.ts')).addDaemon },
  { names: ['settings'], load: async () => (await import('./settings.ts')).addSettings },
  { names: ['namespace'], load: async () => (await import('./stage/namespace.ts')).addNamespace },
  { names: ['serve'], load: async () => (await import('./serve/serve.ts')).addServe },
  { names: ['access'], load: async () => (await import('./serve/access.ts')).addAccess },
  { names: ['keys'], load: async () => (await import('./keys.ts')).addKeys },
  { names: ['backup', 'restore'], load: async () => (await import('./backup/backups.ts')).addBackups },
  { names: ['adopt'], load: async () => (await import('./adopt.ts')).addAdopt },
  { names: ['deploy'], load: async () => (await import('./stage/deploy.ts')).addDeploy },
  { names: ['destroy'], load: async () => (await import('./stage/destroy.ts')).addDestroy },
  { names: ['demo'], load: async () => (await import('./demo.ts')).addDemo },
];

async function makeProgram(argv: readonly string[]): Promise<Command> {
  const program = withGlobals(new Command('pocketful'))
    .description('An immutable, content-addressed, encrypted, erasure-coded blob store on directories or S3 buckets')
    .version(projectVersion())
    .showHelpAfterError('(pocketful --help lists the commands)')
    .exitOverride();
  for (const { load } of modulesFor(argv.slice(2))) (await load())(program);
  return program;
}

/** That of the command that is named; all of them if help is wanted, or what is named is none. */
function modulesFor(args: readonly string[]): readonly CommandModule[] {
  const at = args.findIndex((arg, i) => !arg.startsWith('-') && !GLOBALS_WITH_VALUE.includes(args[i - 1] ?? ''));
  const isPlain = args.slice(0, at).every((arg) => arg !== '-h' && arg !== '--help');
  const own = COMMAND_MODULES.filter(({ names }) => isPlain && names.includes(args[at] ?? ''));
  return own.length > 0 ? own : COMMAND_MODULES;
}

export async function main(argv: readonly string[]): Promise<void> {
  keepHeapSmall();
  try {
    await (await makeProgram(argv)).parseAsync(argv);
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
