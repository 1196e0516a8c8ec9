// pocketful trash: what was deleted or overwritten, as long as it can come back.
import type { Command } from 'commander';
import type { RemovedInfo } from '../../../lib/client/admin.ts';
import type { PocketfulStore } from '../../../lib/client/face.ts';
import { invalid, isKind, missing } from '../../../lib/foundation/errors.ts';
import { addCommand, countArgument, type Run } from '../command.ts';
import { ItemFailures } from '../items.ts';
import { keysGone, sayKeysGone } from '../show/keys-gone.ts';
import { Progress } from '../show/progress.ts';
import { bytesText, countOf, shownName, table, timeText } from '../show/text.ts';

interface ListOptions {
  readonly limit?: number;
}
interface RestoreOptions {
  readonly recursive?: boolean;
  readonly objectVersion?: string;
  readonly as?: string;
  readonly overwrite?: boolean;
}
interface EmptyOptions {
  readonly yes?: boolean;
}

export function addTrash(program: Command): void {
  const trash = program.command('trash').description('deleted and overwritten objects, until their grace is over');
  addCommand<ListOptions>(trash, 'ls [prefix]', 'what can be restored, oldest first', list, (command) =>
    command.option('--limit <count>', 'at most so many', countArgument),
  );
  addCommand<RestoreOptions>(trash, 'restore <keys...>', 'bring objects back as they were', restore, (command) =>
    command
      .option('-r, --recursive', 'folders: <keys> and everything below them that is not there now')
      .option('--object-version <version>', 'this one of them, not the one that was removed last')
      .option('--as <name>', 'under this name')
      .option('--overwrite', 'over what has the name now, which can be restored in its turn'),
  );
  addCommand<EmptyOptions>(
    trash,
    'empty',
    'shred everything that was deleted, now: nothing of it can be restored',
    empty,
    (command) => command.option('-y, --yes', 'do not ask'),
  );
}

async function list(run: Run, [prefix = '']: readonly (string | undefined)[], { limit }: ListOptions): Promise<void> {
  const objects: RemovedInfo[] = [];
  let isMore = false;
  for await (const one of (await run.open()).admin.removed(prefix)) {
    isMore = objects.length === limit;
    if (isMore || run.interruption.happened) break;
    objects.push(one);
  }
  run.answer({ objects, isMore }, () =>
    table(
      objects.map(({ key, version, sizeBytes, keptUntilMs, isOverwritten }) => [
        isOverwritten ? 'overwritten' : 'deleted',
        `until ${timeText(keptUntilMs)}`,
        bytesText(sizeBytes),
        version,
        shownName(key),
      ]),
      [2],
    ),
  );
  if (isMore && !run.json) run.say('pocketful: more of them are not shown');
}

async function restore(run: Run, keys: readonly string[], options: RestoreOptions): Promise<void> {
  const { recursive = false, objectVersion: version, as, overwrite } = options;
  if ((version !== undefined || as !== undefined) && (recursive || keys.length > 1))
    throw invalid('NAME_FOR_ONE', '--object-version and --as are about one object');
  const store = await run.open();
  const failures = new ItemFailures(run);
  const progress = new Progress('trash restore', run.clock, 'objects');
  const restored: { key: string; version: string; sizeBytes: number }[] = [];
  let attempted = 0;
  for await (const key of recursive ? removedBelow(store, keys) : keys) {
    if (run.interruption.happened) break;
    attempted += 1;
    try {
      restored.push(await store.admin.restoreRemoved({ key, version, as, overwrite }));
    } catch (error) {
      failures.add(key, error);
    }
    progress.show({ items: restored.length });
  }
  progress.end();
  const interrupted = run.interruption.happened;
  if (attempted === 0 && !interrupted)
    throw missing('NOT_IN_TRASH', `nothing below "${keys.join('" or "')}" can be restored: see pocketful trash ls`);
  failures.settle(attempted);
  const objects = restored.map(({ key, version: now, sizeBytes }) => ({ key, version: now, sizeBytes }));
  run.answer(
    { restored: objects.length, interrupted, objects, failed: failures.list },
    `restored ${countOf(objects.length, 'object')}`,
  );
}

/** Names below the folders that are in the trash, and not there now; each once. */
async function* removedBelow(store: PocketfulStore, keys: readonly string[]): AsyncGenerator<string> {
  const names = new Set<string>();
  for (const key of keys) {
    const folder = key.replace(/\/+$/, '');
    for await (const { key: name } of store.admin.removed(folder))
      if (folder === '' || name === folder || name.startsWith(`${folder}/`)) names.add(name);
  }
  for (const name of names)
    try {
      await store.head(name);
    } catch (error) {
      if (!isKind(error, 'missing')) throw error;
      yield name;
    }
}

async function empty(run: Run, _: readonly string[], { yes }: EmptyOptions): Promise<void> {
  if (!yes)
    throw invalid(
      'NOT_CONFIRMED',
      'this shreds whatever was deleted or overwritten, of all namespaces, for good: say --yes',
    );
  const progress = new Progress('trash empty', run.clock, 'blocks');
  const { objects, slots, recordBytes } = await (await run.open()).admin.emptyTrash({
    signal: run.interruption.signal,
    onProgress: (items) => progress.show({ items }),
  });
  progress.end();
  const keys = keysGone(run, slots);
  run.answer(
    { objects, slots, recordBytes, interrupted: run.interruption.happened, ...keys },
    `${countOf(objects, 'object')} gone from the trash, ${countOf(slots, 'block')} (${bytesText(recordBytes)}) shredded`,
  );
  sayKeysGone(run, keys);
}
