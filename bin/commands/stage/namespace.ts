// pocketful namespace: which principals may read or write a namespace of a stage, and whether it shares blocks.
import { type Command, Option } from 'commander';
import { keepsOwnBlocks, type NamespaceRow } from '../../../lib/panda/rows/namespace-row.ts';
import { addCommand, collect, type Run } from '../command.ts';
import { table } from '../show/text.ts';

interface SetOptions {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly dedup?: 'own' | 'shared';
}

export function addNamespace(program: Command): void {
  const namespace = program.command('namespace').description('who may read and write which namespace of a stage');
  addCommand(
    namespace,
    'list',
    'each namespace that names principals, or did',
    async (run) => {
      answer(run, await (await run.open()).admin.namespaces());
    },
    undefined,
    { isDefault: true },
  );
  addCommand<SetOptions>(
    namespace,
    'set <name>',
    'who may read or write it, and what it shares; what is not named stays',
    async (run, [name = ''], { read, write, dedup }) => {
      answer(run, [await (await run.open()).admin.setNamespace(name, { read, write, dedup })]);
    },
    (command) =>
      command
        .option('--read <principal>', 'ARN of a user, role or account (…:root), or invoke; again for more', collect)
        .option('--write <principal>', 'the same, for puts and deletes', collect)
        .addOption(
          new Option('--dedup <among>', 'content is stored once: within it, or shared with other namespaces').choices([
            'own',
            'shared',
          ]),
        ),
  );
  addCommand(namespace, 'open <name>', 'whoever may call the stage may read and write it', async (run, [name = '']) => {
    answer(run, [await (await run.open()).admin.setNamespace(name, { isOpened: true })]);
  });
}

function answer(run: Run, rows: readonly NamespaceRow[]): void {
  const namespaces = rows.map(({ name, version, rules }) => {
    const dedup = keepsOwnBlocks(rules) ? 'own' : 'shared';
    return { name, version, principals: rules.principals ?? null, dedup };
  });
  run.answer({ namespaces }, () =>
    table(
      namespaces.flatMap(({ name, principals, dedup }) => [
        ...(principals === null
          ? [[name, 'open', '']]
          : (['read', 'write'] as const).map((right) => [name, right, principals[right].join(' ') || 'nobody'])),
        [name, 'dedup', dedup],
      ]),
    ),
  );
}
