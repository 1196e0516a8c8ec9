// pocketful put: files, directories or standard input into the store.
import type { BigIntStats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import type {
  ObjectInfo,
  PocketfulStore,
  PutOutcome,
  PutReport,
  PutRequest,
  Remembering,
} from '../../lib/client/face.ts';
import { openOrCreate } from '../../lib/client/file/create-store.ts';
import { changedFiles, type FileToPut } from '../../lib/client/files/changed-files.ts';
import { ThreadFileReaders } from '../../lib/client/files/file-readers.ts';
import { KnownFiles } from '../../lib/client/files/known-files.ts';
import { readAhead } from '../../lib/client/files/read-ahead.ts';
import { fileToPut } from '../../lib/client/files/read-file.ts';
import { isWithin, placesOf } from '../../lib/client/files/store-places.ts';
import {
  type FoundFile,
  reasonOf,
  type SkipReason,
  type WalkRules,
  walkTree,
} from '../../lib/client/files/walk-tree.ts';
import { chained, inTurn } from '../../lib/foundation/chained.ts';
import { invalid, isKind, PocketfulError } from '../../lib/foundation/errors.ts';
import { reasonLine } from '../../lib/foundation/reason.ts';
import { addCommand, type Run } from './command.ts';
import { type CreationOptions, creationOptions, newStoreOf } from './init.ts';
import { ItemFailures } from './items.ts';
import { JsonList } from './show/json-list.ts';
import { Progress } from './show/progress.ts';
import { type PutDone, putDocument, putObject, putText, SKIPPED, type Skipped } from './show/put-text.ts';
import { countOf, shownName } from './show/text.ts';

interface PutOptions extends CreationOptions {
  readonly as?: string;
  readonly prefix?: string;
  readonly includeStores?: boolean;
  readonly contents?: boolean;
  readonly sync?: boolean;
}

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
        .option('--contents', 'read every file, also those whose times say that they are what was put last')
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
  /** Kept only where they are asked for. */
  readonly #objects = new JsonList();
  #stored = 0;
  #newBytes = 0;
  readonly #progress: Progress;
  /** Where a name came from, to refuse two different files of one name. */
  readonly #sources = new Map<string, string>();
  /** Names of files that were named on the command line themselves. */
  readonly #direct = new Set<string>();
  /** Of files that are being put, to be told what became of them. */
  readonly #noting = new Map<string, (version: string) => void>();
  readonly #known: KnownFiles[] = [];
  readonly #readers = new ThreadFileReaders();
  #unchanged = 0;
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
    try {
      for await (const outcome of this.#put(inTurn(this.#items(paths)))) this.#took(outcome);
    } finally {
      await this.#readers.close();
    }
    for (const known of this.#known) await known.save(!this.#run.interruption.happened);
    this.#progress.end();
    const { elapsedMs } = this.#progress;
    const isOver = this.#run.interruption.happened || this.#stored === this.#unchanged;
    const encoded = isOver ? undefined : await this.#afterPut();
    if (this.#options.sync) await this.#store.sync();
    this.#failures.settle(this.#attempted);
    await this.#answer(elapsedMs, encoded);
  }

  /** A store that is to take nothing is asked for nothing. */
  async *#put(items: AsyncGenerator<PutRequest>): AsyncGenerator<PutOutcome> {
    const first = await items.next();
    if (!first.done) yield* this.#store.putAll(chained([first.value], items));
  }

  #took(outcome: PutOutcome): void {
    const note = this.#noting.get(outcome.key);
    this.#noting.delete(outcome.key);
    if (outcome.ok) {
      note?.(outcome.version);
      this.#add(outcome);
    } else this.#failed(outcome.key, outcome.error);
  }

  #add(stored: PutReport): void {
    this.#stored += 1;
    this.#newBytes += stored.newBytes ?? 0;
    if (this.#run.json) this.#objects.add(putObject(stored));
    this.#bytes += stored.sizeBytes;
    this.#progress.show({ items: this.#stored, bytes: this.#bytes });
  }

  /** Some at a time: of many small files a turn for each would be a good part of what their put takes. */
  async *#items(paths: readonly string[]): AsyncGenerator<readonly PutRequest[]> {
    this.#hasSeveral = paths.length > 1;
    for (const path of paths) {
      if (path === '-') yield [this.#named('-', { key: this.#options.as as string, body: () => this.#input() })];
      else yield* this.#below(path);
      if (this.#run.interruption.happened) return;
    }
  }

  #input(): AsyncIterable<Uint8Array> {
    const { signal } = this.#run.interruption;
    signal.addEventListener('abort', () => process.stdin.destroy(signal.reason as Error), { once: true });
    return process.stdin;
  }

  async *#below(path: string): AsyncGenerator<readonly PutRequest[]> {
    let found: BigIntStats;
    try {
      found = await lstat(path, { bigint: true });
      // A symlink to a directory that was named itself is meant; other symlinks are not followed.
      if (found.isSymbolicLink() && (await stat(path)).isDirectory()) found = await stat(path, { bigint: true });
    } catch (error) {
      this.#fail(path, error);
      return;
    }
    if (found.isFile()) yield [this.#named(path, fileToPut(this.#options.as ?? basename(resolve(path)), path, found))];
    else if (found.isDirectory()) yield* this.#tree(resolve(path));
    else this.#skip(path, reasonOf(found));
  }

  async *#tree(root: string): AsyncGenerator<readonly PutRequest[]> {
    const isOwn = await placesOf(this.#store.places);
    if (await isWithin(await realpath(root), isOwn)) {
      this.#fail(root, invalid('STORE_IN_ITSELF', `${root} is the store that is written to, or a part of it`));
      return;
    }
    const folder = this.#options.as === undefined ? '' : `${this.#options.as.replace(/\/+$/, '')}/`;
    const { remembering } = this.#store;
    const files = this.#files(root, folder, isOwn);
    if (remembering === undefined) {
      for await (const some of this.#readAhead(files)) yield some.map(({ request }) => request);
      return;
    }
    const known = await this.#knownFiles(root, folder, remembering);
    const same = ({ key, version, etag, sizeBytes }: ObjectInfo): void => {
      this.#unchanged += 1;
      this.#add({ key, ok: true, version, etag, sizeBytes, newBytes: 0 });
    };
    const changed = changedFiles(files, known, remembering, same);
    for await (const some of this.#readAhead(changed)) {
      for (const { name, stats, foundAtMs, request } of some)
        this.#noting.set(request.key, (version) => known.note(name, stats, version, foundAtMs));
      yield some.map(({ request }) => request);
    }
  }

  async *#readAhead(files: AsyncIterable<readonly FileToPut[]>): AsyncGenerator<readonly FileToPut[]> {
    for await (const some of readAhead(files, this.#readers, this.#run.clock)) {
      if (this.#run.interruption.happened) return;
      yield some;
    }
  }

  async #knownFiles(root: string, folder: string, { directory }: Remembering): Promise<KnownFiles> {
    const tree = { host: hostname(), root, namespace: this.#store.namespace, folder: this.#keyOf(folder) };
    const known = await KnownFiles.open(directory, tree, !this.#options.contents);
    this.#known.push(known);
    return known;
  }

  async *#files(root: string, folder: string, isOwn: WalkRules['isOwn']): AsyncGenerator<readonly FileToPut[]> {
    for await (const entries of walkTree(root, { isOwn, intoStores: this.#options.includeStores ?? false })) {
      const foundAtMs = this.#run.clock.nowMs();
      const files: FileToPut[] = [];
      for (const entry of entries) {
        if (this.#run.interruption.happened) return;
        if (entry.kind === 'unreadable') this.#fail(entry.name, unreadable(entry.name, entry.why));
        else if (entry.kind === 'file') files.push(this.#fileOf(entry, folder, foundAtMs));
        else if (entry.name === root) this.#fail(root, invalid('STORE_NAMED', `${root}: ${SKIPPED[entry.reason]}`));
        else this.#skip(entry.name, entry.reason);
      }
      if (files.length > 0) yield files;
    }
  }

  #fileOf({ name, path, stats }: FoundFile, folder: string, foundAtMs: number): FileToPut {
    const request = this.#named(path, fileToPut(`${folder}${name}`, path, stats), true);
    return { name, path, stats, foundAtMs, request };
  }

  #named(source: string, request: PutRequest, isOfTree = false): PutRequest {
    const key = this.#keyOf(request.key);
    if (this.#hasSeveral) this.#refuseTwice(key, resolve(source));
    this.#attempted += 1;
    if (!isOfTree) this.#direct.add(key);
    return { ...request, key };
  }

  #keyOf(name: string): string {
    const { prefix } = this.#options;
    return prefix === undefined ? name : `${prefix.replace(/\/+$/, '')}/${name}`;
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

  async #answer(elapsedMs: number, encodedBytes: number | undefined): Promise<void> {
    const isInterrupted = this.#run.interruption.happened;
    const done: PutDone = {
      stored: this.#stored,
      unchanged: this.#unchanged,
      bytes: this.#bytes,
      newBytes: this.#newBytes,
      encodedBytes,
      elapsedMs,
      isInterrupted,
      skipped: this.#skipped,
      failures: this.#failures,
    };
    if (this.#run.json) await this.#objects.answer(putDocument(done), 'objects');
    else this.#run.answer({}, putText(done));
    if (isInterrupted)
      this.#run.say(
        `pocketful: interrupted: the ${countOf(this.#stored, 'file')} above are stored, nothing is half stored; the store is sound`,
      );
  }
}

const unreadable = (name: string, why: string): Error =>
  new PocketfulError('denied', 'FILE_UNREADABLE', `${name}: ${why}`);
