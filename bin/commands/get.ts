// pocketful get and cat: objects into files or to standard output.

import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  type DamagedName,
  listAll,
  type ObjectInfo,
  type PocketfulStore,
  type TreeRequest,
} from '../../lib/client/face.ts';
import { TreeWriter } from '../../lib/client/files/tree/write-tree.ts';
import { FileWriter } from '../../lib/client/files/write-file.ts';
import { homePath } from '../../lib/client/home-path.ts';
import { invalid, missing } from '../../lib/foundation/errors.ts';
import { addCommand, countArgument, type Run } from './command.ts';
import { InterruptedError } from './interruption.ts';
import { ItemFailures } from './items.ts';
import { Progress } from './show/progress.ts';
import { bytesText, countOf, countText, secondsText } from './show/text.ts';

const OBJECTS_AT_ONCE = 8;

interface RangeOptions {
  readonly offset?: number;
  readonly length?: number;
}
interface GetOptions extends RangeOptions {
  readonly to?: string;
  readonly overwrite?: boolean;
}

const rangeOptions = (command: Command): Command =>
  command
    .option('--offset <bytes>', 'begin here', countArgument)
    .option('--length <bytes>', 'so many bytes', countArgument);

export function addGet(program: Command): void {
  addCommand<GetOptions>(
    program,
    'get <key> [file]',
    'read an object into a file or to stdout; with --to all objects whose names begin with it',
    get,
    (command) =>
      rangeOptions(command)
        .option('--to <dir>', 'write every object whose name begins with <key> below this directory')
        .option('--overwrite', 'replace files that are there'),
  );
  addCommand<RangeOptions>(
    program,
    'cat <keys...>',
    'objects to stdout, one after the other',
    async (run, keys, options) => {
      if (run.json) throw invalid('NO_JSON', 'cat writes the bytes of objects: use get KEY FILE --json');
      const store = await run.open();
      const failures = new ItemFailures(run);
      for (const key of keys) {
        try {
          await toStdout(run, store, key, options);
        } catch (error) {
          if (run.interruption.happened) throw error;
          failures.add(key, error);
        }
      }
      failures.settle(keys.length);
    },
    rangeOptions,
  );
}

async function get(run: Run, args: readonly (string | undefined)[], options: GetOptions): Promise<void> {
  const [key = '', file] = args;
  const store = await run.open();
  if (options.to !== undefined) {
    if (file !== undefined || options.offset !== undefined || options.length !== undefined)
      throw invalid('GET_MIXED', '--to takes neither a file nor a range');
    await getTree(run, store, key, homePath(options.to), options.overwrite ?? false);
  } else if (file === undefined || file === '-') {
    if (run.json) throw invalid('NO_JSON', 'get to stdout writes the bytes of the object: give a file for --json');
    await toStdout(run, store, key, options);
  } else {
    const opened = await store.get(key, rangeOf(options));
    const writer = new FileWriter({ overwrite: options.overwrite ?? false });
    const isPart = rangeOf(options) !== undefined;
    const { bytes, isSame } = await ending(writer, () => writer.write(file, opened, isPart));
    run.answer({ ...opened.object, file, bytes, same: isSame }, '');
  }
}

const rangeOf = ({ offset, length }: RangeOptions) =>
  offset === undefined && length === undefined ? undefined : { offset: offset ?? 0, length };

async function toStdout(run: Run, store: PocketfulStore, key: string, options: RangeOptions): Promise<void> {
  const { body } = await store.get(key, rangeOf(options));
  for await (const part of body) {
    if (run.interruption.happened) throw new InterruptedError();
    if (!process.stdout.write(part)) await once(process.stdout, 'drain');
  }
}

/** Everything that was written is durable when this returns. */
async function ending<T>(writer: Pick<FileWriter, 'end'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await writer.end();
  }
}

/** All objects of a prefix, several at once; what cannot be written or read does not stop the others. */
async function getTree(run: Run, store: PocketfulStore, prefix: string, to: string, overwrite: boolean): Promise<void> {
  await mkdir(to, { recursive: true });
  const progress = new Progress('get', run.clock);
  const failures = new ItemFailures(run);
  let attempted = 0;
  let files = 0;
  let same = 0;
  let bytes = 0;
  const writer = new FileWriter({ overwrite });
  const one = async ({ key }: ObjectInfo): Promise<void> => {
    attempted += 1;
    try {
      const written = await writer.writeBelow(to, await store.get(key));
      bytes += written.bytes;
      if (written.isSame) same += 1;
      else files += 1;
    } catch (error) {
      failures.add(key, error);
    }
    show();
  };
  const show = (): void => progress.show({ items: files + unnamed.files, bytes: bytes + unnamed.bytes });
  const isThere = (): void => {
    attempted += 1;
    same += 1;
  };
  const damaged = (name: DamagedName): void => {
    attempted += 1;
    failures.addDamaged(name);
  };
  const unnamed = { files: 0, bytes: 0 };
  const filled = ({ sizeBytes }: ObjectInfo): void => {
    unnamed.files += 1;
    unnamed.bytes += sizeBytes;
    show();
  };
  const named = ({ sizeBytes }: ObjectInfo): void => {
    unnamed.files -= 1;
    unnamed.bytes -= sizeBytes;
    attempted += 1;
    files += 1;
    bytes += sizeBytes;
  };
  const { signal } = run.interruption;
  const options = { overwrite, alone: one, filled, named };
  const tree = store.readTree === undefined ? undefined : await TreeWriter.below(to, options);
  await ending(writer, async () => {
    if (tree === undefined) await eachOf(listAll(store, { prefix }, damaged), signal, one);
    else
      await ending(tree, () => eachOf(partsOf(store, tree, { prefix, damaged, signal, same: isThere }), signal, one));
  });
  progress.end();
  if (attempted === 0 && !run.interruption.happened)
    throw missing('OBJECT_MISSING', `no object has a name that begins with "${prefix}"`);
  failures.settle(attempted);
  const { elapsedMs } = progress;
  const interrupted = run.interruption.happened;
  run.answer(
    { files, same, bytes, to, seconds: Math.round(elapsedMs) / 1000, interrupted, failed: failures.list },
    `wrote ${countOf(files, 'file')}, ${bytesText(bytes)} to ${to} in ${secondsText(elapsedMs)}` +
      (same > 0 ? `; ${countText(same)} were there already` : '') +
      (failures.list.length > 0 ? `; failed ${countText(failures.list.length)}` : ''),
  );
  if (interrupted) run.say('pocketful: interrupted: every file above is whole');
}

interface TreeWanted extends Pick<TreeRequest, 'prefix' | 'damaged'> {
  readonly signal: AbortSignal;
  /** Told of each whose file is there already. */
  readonly same: () => void;
}

/** The objects that are left when those that lie together were given to the tree. */
async function* partsOf(
  store: PocketfulStore,
  tree: TreeWriter,
  { signal, same, ...wanted }: TreeWanted,
): AsyncGenerator<ObjectInfo> {
  const request = { ...wanted, isTogether: (object: ObjectInfo) => tree.isTogether(object) };
  for await (const part of store.readTree?.(request) ?? []) {
    if (signal.aborted) return;
    if (part.kind === 'sealed') await tree.write(part);
    else {
      const there = await tree.there(part.objects);
      for (const object of part.objects) {
        if (!there.has(object)) yield object;
        else same();
      }
    }
  }
}

async function eachOf<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
  each: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  for await (const item of items) {
    if (signal.aborted || failed !== undefined) break;
    const work: Promise<void> = each(item)
      .catch((error: unknown) => {
        failed ??= { error };
      })
      .finally(() => running.delete(work));
    running.add(work);
    if (running.size >= OBJECTS_AT_ONCE) await Promise.race(running);
  }
  await Promise.all(running);
  if (failed !== undefined) throw failed.error;
}
