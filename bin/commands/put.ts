// pocketful put: files, directories or standard input into the store.
import type { BigIntStats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import type { PocketfulStore, PutReport, PutRequest } from '../../lib/client/face.ts';
import { openOrCreate } from '../../lib/client/file/create-store.ts';
import { fileToPut } from '../../lib/client/files/read-file.ts';
import { isWithin, placesOf } from '../../lib/client/files/store-places.ts';
import { reasonOf, type SkipReason, walkTree } from '../../lib/client/files/walk-tree.ts';
import { invalid, isKind, PocketfulError } from '../../lib/foundation/errors.ts';
import { reasonLine } from '../../lib/foundation/reason.ts';
import { addCommand, type Run } from './command.ts';
import { type CreationOptions, creationOptions, newStoreOf } from './init.ts';
import { ItemFailures } from './items.ts';
import { Progress } from './show/progress.ts';
import { bytesText, countOf, countText, secondsText, shownName } from './show/text.ts';

interface PutOptions extends CreationOptions {
  readonly as?: string;
  readonly prefix?: string;
  readonly includeStores?: boolean;
  readonly sync?: boolean;
}

interface Skipped {
  readonly name: string;
  readonly reason: SkipReason;
}

const SKIPPED: Readonly<Record<SkipReason, string>> = {
  symlink: 'symlink, not followed',
  device: 'device, not followed',
  socket: 'socket, not followed',
  pipe: 'pipe, not followed',
  other: 'other, not followed',
  store: 'holds a Pocketful store, not walked into (--include-stores does)',
  drive: 'is a drive of a Pocketful store, not walked into (--include-stores does)',
  keys: 'holds the keys of a store, which are never kept in one',
};

export function addPut(program: Command): void {
  addCommand<PutOptions>(
    program,
    'put <paths...>',
    'store files; directories with all below them; - is standard input',
    put,
    (command) =>
      creationOptions(command)
        .option(
          '--as <name>',
          'name of the object, for one file or standard input; for one directory, the folder its files get',
        )
        .option('--prefix <prefix>', 'put this and a / before every name')
        .option('--sync', 'answer only when the drives have the metadata of it too')
        .option('--include-stores', 'walk into directories that hold another store or a drive of one'),
  );
}

async function put(run: Run, paths: readonly string[], options: PutOptions): Promise<void> {
  if (options.as !== undefined && paths.length !== 1)
    throw invalid('NAME_FOR_ONE', '--as is one name: give one file or one directory');
  if (paths.includes('-') && options.as === undefined)
    throw invalid('NAME_NEEDED', 'standard input has no name: say --as NAME');
  const store = await openForPut(run, options);
  const batch = new PutBatch(run, store, options);
  await batch.run(paths);
}

/** The default store is made on its first put; any other has to be there. */
async function openForPut(run: Run, options: CreationOptions): Promise<PocketfulStore> {
  if (!run.isDefaultStore) return run.open();
  const { client, created } = await openOrCreate(run.directory(), await newStoreOf(run, options));
  run.adopt(client);
  if (created)
    run.say(`made store ${client.engine.row.storeId} in ${client.engine.path} (keep a copy of its keys.json)`);
  return client;
}

class PutBatch {
  readonly #run: Run;
  readonly #store: PocketfulStore;
  readonly #options: PutOptions;
  readonly #failures: ItemFailures;
  readonly #skipped: Skipped[] = [];
  readonly #stored: PutReport[] = [];
  readonly #progress: Progress;
  /** Where a name came from, to refuse two different files of one name. */
  readonly #sources = new Map<string, string>();
  /** Names of files that were named on the command line themselves. */
  readonly #direct = new Set<string>();
  #attempted = 0;
  #hasSeveral = false;
  #bytes = 0;

  constructor(run: Run, store: PocketfulStore, options: PutOptions) {
    this.#run = run;
    this.#store = store;
    this.#options = options;
    this.#failures = new ItemFailures(run);
    this.#progress = new Progress('put', run.clock);
  }

  async run(paths: readonly string[]): Promise<void> {
    for await (const outcome of this.#store.putAll(this.#items(paths))) {
      if (outcome.ok) {
        this.#stored.push(outcome);
        this.#bytes += outcome.sizeBytes;
      } else this.#failed(outcome.key, outcome.error);
      this.#progress.show({ items: this.#stored.length, bytes: this.#bytes });
    }
    this.#progress.end();
    const { elapsedMs } = this.#progress;
    const isOver = this.#run.interruption.happened || this.#stored.length === 0;
    const encoded = isOver ? undefined : await this.#afterPut();
    if (this.#options.sync) await this.#store.sync();
    this.#failures.settle(this.#attempted);
    this.#answer(elapsedMs, encoded);
  }

  async *#items(paths: readonly string[]): AsyncGenerator<PutRequest> {
    this.#hasSeveral = paths.length > 1;
    for (const path of paths) {
      if (path === '-') yield this.#named('-', { key: this.#options.as as string, body: () => this.#input() });
      else yield* this.#below(path);
      if (this.#run.interruption.happened) return;
    }
  }

  #input(): AsyncIterable<Uint8Array> {
    const { signal } = this.#run.interruption;
    signal.addEventListener('abort', () => process.stdin.destroy(signal.reason as Error), { once: true });
    return process.stdin;
  }

  async *#below(path: string): AsyncGenerator<PutRequest> {
    let found: BigIntStats;
    try {
      found = await lstat(path, { bigint: true });
      // A symlink to a directory that was named itself is meant; other symlinks are not followed.
      if (found.isSymbolicLink() && (await stat(path)).isDirectory()) found = await stat(path, { bigint: true });
    } catch (error) {
      this.#fail(path, error);
      return;
    }
    if (found.isFile()) yield this.#named(path, fileToPut(this.#options.as ?? basename(resolve(path)), path, found));
    else if (found.isDirectory()) yield* this.#tree(resolve(path));
    else this.#skip(path, reasonOf(found));
  }

  async *#tree(root: string): AsyncGenerator<PutRequest> {
    const isOwn = await placesOf(this.#store.places);
    if (await isWithin(await realpath(root), isOwn)) {
      this.#fail(root, invalid('STORE_IN_ITSELF', `${root} is the store that is written to, or a part of it`));
      return;
    }
    const folder = this.#options.as === undefined ? '' : `${this.#options.as.replace(/\/+$/, '')}/`;
    for await (const entry of walkTree(root, { isOwn, intoStores: this.#options.includeStores ?? false })) {
      if (this.#run.interruption.happened) return;
      if (entry.kind === 'unreadable') this.#fail(entry.name, unreadable(entry.name, entry.why));
      else if (entry.kind === 'file')
        yield this.#named(entry.path, fileToPut(`${folder}${entry.name}`, entry.path, entry.stats), true);
      else if (entry.name === root) this.#fail(root, invalid('STORE_NAMED', `${root}: ${SKIPPED[entry.reason]}`));
      else this.#skip(entry.name, entry.reason);
    }
  }

  #named(source: string, request: PutRequest, isOfTree = false): PutRequest {
    const { prefix } = this.#options;
    const key = prefix === undefined ? request.key : `${prefix.replace(/\/+$/, '')}/${request.key}`;
    if (this.#hasSeveral) this.#refuseTwice(key, resolve(source));
    this.#attempted += 1;
    if (!isOfTree) this.#direct.add(key);
    return { ...request, key };
  }

  #refuseTwice(key: string, source: string): void {
    const earlier = this.#sources.get(key);
    if (earlier !== undefined && earlier !== source)
      throw invalid('NAME_TWICE', `${earlier} and ${source} would both be "${key}": use --as or --prefix for one`);
    this.#sources.set(key, source);
  }

  #fail(name: string, error: unknown): void {
    this.#attempted += 1;
    this.#failures.add(name, error);
  }

  /** Keys that lie somewhere in a tree are passed over by design; keys that were asked for are refused. */
  #failed(key: string, error: Error): void {
    if (isKind(error, 'invalid') && error.code === 'KEY_FILE' && !this.#direct.has(key)) {
      this.#attempted -= 1;
      this.#skip(key, 'keys');
    } else this.#failures.add(key, error);
  }

  #skip(name: string, reason: SkipReason): void {
    this.#skipped.push({ name, reason });
    if (this.#skipped.length <= 20) this.#run.say(`pocketful: skipped ${shownName(name)}: ${SKIPPED[reason]}`);
  }

  /** What the store says is to be done now; the record bytes that were encoded, if that is for us. */
  async #afterPut(): Promise<number | undefined> {
    const { signal } = this.#run.interruption;
    const progress = new Progress('encode', this.#run.clock);
    try {
      const report = await this.#store.afterPut({
        signal,
        onProgress: ({ encodedBytes, totalBytes }) => progress.show({ bytes: encodedBytes }, { bytes: totalBytes }),
      });
      if (report?.stalled !== undefined)
        this.#run.say(`pocketful: stored, but the Live Coder waits: ${reasonLine(report.stalled)}`);
      return report?.recordBytes;
    } finally {
      progress.end();
    }
  }

  #answer(elapsedMs: number, encodedBytes: number | undefined): void {
    const newBytes = this.#stored.reduce((sum, one) => sum + (one.newBytes ?? 0), 0);
    const isInterrupted = this.#run.interruption.happened;
    const rate = `${countText(Math.round((this.#stored.length * 1000) / Math.max(1, elapsedMs)))} files/s, ${bytesText((this.#bytes * 1000) / Math.max(1, elapsedMs))}/s`;
    this.#run.answer(
      {
        stored: this.#stored.length,
        bytes: this.#bytes,
        newBytes,
        ...(encodedBytes === undefined ? {} : { encodedBytes }),
        seconds: Math.round(elapsedMs) / 1000,
        interrupted: isInterrupted,
        skipped: this.#skipped,
        failed: this.#failures.list,
        objects: this.#stored.map(({ key, version, etag, sizeBytes, newBytes: added }) => ({
          key,
          version,
          etag,
          sizeBytes,
          ...(added === undefined ? {} : { newBytes: added }),
        })),
      },
      `stored ${countOf(this.#stored.length, 'file')}, ${bytesText(this.#bytes)} (${bytesText(newBytes)} new) in ${secondsText(elapsedMs)}: ${rate}` +
        (this.#skipped.length > 0 ? `; skipped ${countText(this.#skipped.length)}` : '') +
        (this.#failures.list.length > 0 ? `; failed ${countText(this.#failures.list.length)}` : '') +
        (this.#failures.isStopped ? ', and nothing after them was tried' : ''),
    );
    if (isInterrupted)
      this.#run.say(
        `pocketful: interrupted: the ${countOf(this.#stored.length, 'file')} above are stored, nothing is half stored; the store is sound`,
      );
  }
}

const unreadable = (name: string, why: string): Error =>
  new PocketfulError('denied', 'FILE_UNREADABLE', `${name}: ${why}`);
