// pocketful namespace: which principals may read or write a namespace of a stage.
import type { Command } from 'commander';
import type { NamespaceRow } from '../../../lib/panda/rows/namespace-row.ts';
import { addCommand, collect, type Run } from '../command.ts';
import { table } from '../show/text.ts';

interface SetOptions {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
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
    'only these principals may read or write it; what is not named stays',
    async (run, [name = ''], { read, write }) => {
      answer(run, [await (await run.open()).admin.setNamespace(name, { read, write })]);
    },
    (command) =>
      command
        .option('--read <principal>', 'ARN of a user, role or account (…:root), or invoke; again for more', collect)
        .option('--write <principal>', 'the same, for puts and deletes', collect),
  );
  addCommand(namespace, 'open <name>', 'whoever may call the stage may read and write it', async (run, [name = '']) => {
    answer(run, [await (await run.open()).admin.setNamespace(name, { isOpened: true })]);
  });
}

function answer(run: Run, rows: readonly NamespaceRow[]): void {
  const namespaces = rows.map(({ name, version, rules }) => ({ name, version, principals: rules.principals ?? null }));
  run.answer({ namespaces }, () =>
    table(
      namespaces.flatMap(({ name, principals }) =>
        principals === null
          ? [[name, 'open', '']]
          : (['read', 'write'] as const).map((right) => [name, right, principals[right].join(' ') || 'nobody']),
      ),
    ),
  );
}
