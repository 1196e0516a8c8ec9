// What all commands share: the global options, the store they open, how they answer (data on stdout, talk on stderr),
// and how an error becomes one line and an exit code.
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_ADDRESS, DEFAULT_NAMESPACE, type PocketfulStore, parseAddress } from '../../lib/client/face.ts';
import { type OpenOptions, openStore } from '../../lib/client/open-store.ts';
import { type Clock, systemClock } from '../../lib/foundation/clock.ts';
import { invalid } from '../../lib/foundation/errors.ts';
import { describe, EXIT, exitCodeOf } from './exit-codes.ts';
import { InterruptedError, Interruption } from './interruption.ts';
import { countOf, shownName } from './show/text.ts';

/** In the environment: the address of the store where no --store is given. */
const STORE_VARIABLE = 'POCKETFUL_STORE';

export interface GlobalOptions {
  readonly store?: string;
  readonly namespace?: string;
  readonly json?: boolean;
}

/** One run of a command. */
export class Run {
  readonly address: string;
  readonly isDefaultStore: boolean;
  readonly namespace: string;
  readonly json: boolean;
  readonly clock: Clock = systemClock;
  readonly interruption = new Interruption();
  exitCode: number = EXIT.ok;
  #store: PocketfulStore | undefined;

  constructor(options: GlobalOptions) {
    this.address = options.store ?? (process.env[STORE_VARIABLE] || DEFAULT_ADDRESS);
    this.isDefaultStore = options.store === undefined && parseAddress(this.address).engine === 'file';
    this.namespace = options.namespace ?? DEFAULT_NAMESPACE;
    this.json = options.json ?? false;
  }

  async open(options: Pick<OpenOptions, 'withoutKeys'> = {}): Promise<PocketfulStore> {
    this.#store ??= await openStore(this.address, { namespace: this.namespace, ...options });
    return this.#store;
  }

  /** Uses (and closes at the end) a store that the command opened itself. */
  adopt(store: PocketfulStore): PocketfulStore {
    this.#store = store;
    return store;
  }

  /** The directory of the store; commands about files on this machine have no other. Throws `invalid` NOT_FOR_STAGE. */
  directory(): string {
    const parsed = parseAddress(this.address);
    if (parsed.engine === 'file') return parsed.dir;
    throw invalid('NOT_FOR_STAGE', `${this.address}: this command works on file: stores only`);
  }

  /** Data: the JSON document, or the text for people. */
  answer(value: unknown, text: string | (() => string)): void {
    const shown = this.json ? JSON.stringify(value) : typeof text === 'string' ? text : text();
    if (shown !== '') process.stdout.write(`${shown}\n`);
  }

  /** Talk, for people only. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** Rows that were passed over are named, and the command ends with that. */
  nameBadRows(): void {
    const bad = this.#store?.badRows ?? [];
    for (const { error } of bad) this.say(`pocketful: passed over: ${shownName(error.message)} (${error.code})`);
    if (bad.length > 0 && this.exitCode === EXIT.ok) this.exitCode = EXIT.corrupt;
  }

  async close(): Promise<void> {
    this.interruption.end();
    await this.#store?.close();
    if (this.#store?.unshipped !== undefined) this.say(unshippedText(this.#store.unshipped));
  }
}

/** At the end of a command that wrote. */
export const unshippedText = ({ commits, error }: NonNullable<PocketfulStore['unshipped']>): string =>
  `pocketful: ${countOf(commits, 'commit')} of the metadata wait, on no drive yet: ${error.message} (${error.code})`;

/** Global options that are followed by their value. */
export const GLOBALS_WITH_VALUE: readonly string[] = ['--store', '--namespace'];

/** Adds the global options to a command: they may stand before or after its name. */
export function withGlobals(command: Command): Command {
  return command
    .option(
      '--store <address>',
      `file:DIR or aws:STAGE (default: what ${STORE_VARIABLE} says, else ${DEFAULT_ADDRESS})`,
    )
    .option('--namespace <name>', `namespace of the objects (default: ${DEFAULT_NAMESPACE})`)
    .option('--json', 'one JSON document on stdout (docs/cli.md has the schemas)');
}

/** A command of the program. `act` gets the run, the arguments and the options. A default one needs no word. */
export function addCommand<Options>(
  program: Command,
  nameAndArguments: string,
  description: string,
  act: (run: Run, args: readonly string[], options: Options) => Promise<void>,
  configure: (command: Command) => Command = (command) => command,
  { isDefault = false } = {},
): void {
  const command = withGlobals(configure(program.command(nameAndArguments, { isDefault }).description(description)));
  command.action(async (...given: unknown[]) => {
    const self = given.at(-1) as Command;
    const args = given.slice(0, -2).flat() as string[];
    const options = self.optsWithGlobals<Options & GlobalOptions>();
    process.exitCode = await runToEnd(options, (run) => act(run, args, options));
  });
}

async function runToEnd(options: GlobalOptions, act: (run: Run) => Promise<void>): Promise<number> {
  const run = new Run(options);
  try {
    await act(run);
    run.nameBadRows();
    await run.close();
    return run.interruption.happened ? EXIT.interrupted : run.exitCode;
  } catch (error) {
    await run.close().catch(() => {});
    if (run.interruption.happened && (error instanceof InterruptedError || isAbort(error))) {
      run.say('pocketful: interrupted; the store is sound');
      return EXIT.interrupted;
    }
    return fail(error, run.json);
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** One clear line on stderr, and the document on stdout if JSON was asked for. */
export function fail(error: unknown, json: boolean): number {
  const said = describe(error);
  process.stderr.write(`pocketful: ${said.message} (${said.code})\n`);
  if (said.kind === 'internal' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ error: said })}\n`);
  return exitCodeOf(error);
}

/** A non-negative integer, for options. */
export function countArgument(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('a whole number is needed.');
  return value;
}

export function numberArgument(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('a number is needed.');
  return value;
}

export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
