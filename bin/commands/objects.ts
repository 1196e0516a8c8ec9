// pocketful ls, stat and rm.
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { type DamagedName, listAll, type ObjectInfo, type PocketfulStore } from '../../lib/client/face.ts';
import { invalid, isKind, missing } from '../../lib/foundation/errors.ts';
import { compareUtf8 } from '../../lib/panda/sort-order.ts';
import { addCommand, countArgument, type Run } from './command.ts';
import { ItemFailures } from './items.ts';
import { JsonList } from './show/json-list.ts';
import { Progress } from './show/progress.ts';
import { bytesText, countOf, shownName, table, timeText } from './show/text.ts';

interface ListOptions {
  readonly recursive?: boolean;
  readonly long?: boolean;
  readonly limit?: number;
  readonly from?: string;
}
interface RemoveOptions {
  readonly recursive?: boolean;
  readonly prefix?: boolean;
  readonly yes?: boolean;
}

const PAGE = 1000;
/** Names that are shown before they are deleted. */
const SHOWN = 10;

export function addObjectCommands(program: Command): void {
  addCommand<ListOptions>(program, 'ls [prefix]', 'names that begin with a prefix, folder by folder', list, (command) =>
    command
      .option('-r, --recursive', 'all names below, not only the next folder')
      .option('-l, --long', 'with size and time')
      .option('--limit <count>', 'at most so many', countArgument)
      .option('--from <name>', 'begin here: the "next" of an earlier answer'),
  );
  addCommand(program, 'stat <key>', 'what is known of one object', async (run, [key = '']) => {
    const object = await (await run.open()).head(key);
    run.answer(object, () =>
      table([
        ['name', shownName(object.key)],
        ['bytes', String(object.sizeBytes)],
        ['etag', object.etag],
        ['version', object.version],
        ['stored', timeText(object.createdAtMs)],
        ...(object.metadata === undefined ? [] : [['metadata', shownName(object.metadata)]]),
      ]),
    );
  });
  addCommand<RemoveOptions>(
    program,
    'rm <keys...>',
    'delete objects; until the grace of deleted blocks is over pocketful trash brings them back',
    remove,
    (command) =>
      command
        .option('-r, --recursive', 'folders: <keys> and everything below them')
        .option('--prefix', 'everything whose name begins with <keys>, whatever follows')
        .option('-y, --yes', 'do not ask'),
  );
}

async function list(run: Run, [prefix = '']: readonly (string | undefined)[], options: ListOptions): Promise<void> {
  const store = await run.open();
  const objects = new JsonList();
  const commonPrefixes: string[] = [];
  let count = 0;
  let listed = 0;
  const failures = new ItemFailures(run);
  const max = options.limit ?? Number.POSITIVE_INFINITY;
  let next = options.from;
  do {
    const limit = Math.min(PAGE, max - count - failures.list.length);
    if (limit <= 0) break;
    const page = await store.list({
      prefix,
      limit,
      ...(options.recursive ? {} : { delimiter: '/' }),
      ...(next === undefined ? {} : { from: next }),
    });
    count += page.objects.length + page.commonPrefixes.length;
    if (run.json) {
      commonPrefixes.push(...page.commonPrefixes);
      for (const object of page.objects) objects.add(object);
    }
    listed += page.objects.length;
    for (const one of page.damaged ?? []) failures.addDamaged(one);
    next = page.next;
    if (!run.json) showPage(page.commonPrefixes, page.objects, options.long ?? false);
  } while (next !== undefined && !run.interruption.happened);
  failures.settle(listed);
  const failed = failures.list.length === 0 ? {} : { failed: failures.list };
  if (run.json) await objects.answer({ commonPrefixes, ...(next === undefined ? {} : { next }), ...failed }, 'objects');
  else if (next !== undefined) run.say(`pocketful: more of them: --from ${JSON.stringify(next)}`);
}

function showPage(folders: readonly string[], objects: readonly ObjectInfo[], long: boolean): void {
  const rows = [
    ...folders.map((name) => ({ name, cells: ['-', '-'] })),
    ...objects.map(({ key, sizeBytes, createdAtMs }) => ({
      name: key,
      cells: [String(sizeBytes), timeText(createdAtMs)],
    })),
  ].sort((a, b) => compareUtf8(a.name, b.name));
  if (rows.length === 0) return;
  const lines = long
    ? table(
        rows.map(({ name, cells }) => [...cells, shownName(name)]),
        [0],
      )
    : rows.map(({ name }) => shownName(name)).join('\n');
  process.stdout.write(`${lines}\n`);
}

async function remove(run: Run, keys: readonly string[], options: RemoveOptions): Promise<void> {
  const store = await run.open();
  const isMany = options.recursive === true || options.prefix === true;
  const named = (damaged: (one: DamagedName) => void): AsyncGenerator<ObjectInfo> =>
    objectsOf(store, keys, options.prefix === true, damaged);
  if (isMany && !options.yes) await confirm(named(() => {}));
  const failures = new ItemFailures(run);
  const progress = new Progress('rm', run.clock, 'objects');
  let deleted = 0;
  let attempted = 0;
  const damaged = (one: DamagedName): void => {
    attempted += 1;
    failures.addDamaged(one);
  };
  async function* names(): AsyncGenerator<string> {
    if (!isMany) {
      attempted += keys.length;
      yield* keys;
      return;
    }
    for await (const { key } of named(damaged)) {
      if (run.interruption.happened || failures.isStopped) return;
      attempted += 1;
      yield key;
    }
  }
  for await (const outcome of store.deleteAll(names())) {
    if (outcome.ok) deleted += 1;
    else failures.add(outcome.key, outcome.error);
    progress.show({ items: deleted });
  }
  progress.end();
  if (attempted === 0 && !run.interruption.happened) throw nothingThere(keys, options);
  failures.settle(attempted);
  const interrupted = run.interruption.happened;
  run.answer({ deleted, interrupted, failed: failures.list }, `deleted ${countOf(deleted, 'object')}`);
}

function nothingThere(keys: readonly string[], { prefix }: RemoveOptions): Error {
  const names = `"${keys.join('" or "')}"`;
  return missing(
    'OBJECT_MISSING',
    prefix
      ? `no object has a name that begins with ${names}`
      : `nothing is called ${names}, or lies below it (--prefix takes everything that begins so)`,
  );
}

/**
 * What `rm -r` is about: a folder is the object of that name, if there is one, and what is below it; not what only
 * begins so.
 */
async function* objectsOf(
  store: PocketfulStore,
  keys: readonly string[],
  isPrefix: boolean,
  damaged: (one: DamagedName) => void,
): AsyncGenerator<ObjectInfo> {
  for (const key of keys) {
    const folder = key.replace(/\/+$/, '');
    if (isPrefix || folder === '') {
      yield* listAll(store, { prefix: isPrefix ? key : '' }, damaged);
      continue;
    }
    if (folder === key) {
      const object = await store.head(key).catch((error: unknown) => {
        if (!isKind(error, 'missing')) throw error;
      });
      if (object !== undefined) yield object;
    }
    yield* listAll(store, { prefix: `${folder}/` }, damaged);
  }
}

/** Asks at a terminal, showing what goes; elsewhere --yes is needed. */
async function confirm(named: AsyncIterable<ObjectInfo>): Promise<void> {
  let count = 0;
  let bytes = 0;
  const first: string[] = [];
  for await (const { key, sizeBytes } of named) {
    count += 1;
    bytes += sizeBytes;
    if (first.length < SHOWN) first.push(shownName(key));
  }
  if (count === 0) return;
  const what = `${countOf(count, 'object')}, ${bytesText(bytes)}`;
  const more = count > first.length ? ['…'] : [];
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw invalid('NOT_CONFIRMED', `this deletes ${what} (${[...first, ...more].join(', ')}): say --yes`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const said = await lines.question(
    `${[...first, ...more].map((line) => `  ${line}\n`).join('')}delete ${what}? [y/N] `,
  );
  lines.close();
  if (!/^y(es)?$/i.test(said.trim())) throw invalid('NOT_CONFIRMED', 'nothing was deleted');
}
