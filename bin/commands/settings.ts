// pocketful settings: what can be changed of a running store.
import type { Command } from 'commander';
import { NONE_NAMES } from '../../lib/compaction/plan/operating-settings.ts';
import { isOperatingName, type OperatingLine, type OperatingValue } from '../../lib/engine/upkeep/operating.ts';
import { invalid } from '../../lib/foundation/errors.ts';
import { addCommand, type Run } from './command.ts';
import { amountOf } from './plan-options.ts';
import { table } from './show/text.ts';

export function addSettings(program: Command): void {
  const settings = program.command('settings').description('how compaction chooses, and what upkeep may use');
  addCommand(
    settings,
    'list',
    'each setting, its value, and where that is from',
    async (run) => {
      const store = await run.open();
      answer(run, await store.admin.operating());
    },
    undefined,
    { isDefault: true },
  );
  addCommand(
    settings,
    'set <settings...>',
    'NAME=VALUE, such as bytesWrittenPerDay=200GB or objective=money; none: no limit',
    async (run, texts) => {
      const changes = changesFrom(texts);
      answer(run, await (await run.open()).admin.setOperating(changes));
    },
  );
  addCommand(
    settings,
    'reset [names...]',
    'back to what it was before anybody set it (all, or these)',
    async (run, names) => {
      answer(run, await (await run.open()).admin.resetOperating(names));
    },
  );
}

function answer(run: Run, lines: readonly OperatingLine[]): void {
  run.answer({ settings: lines }, () =>
    table(
      lines.map(({ name, value, from }) => [
        name,
        value === null ? 'none' : typeof value === 'number' ? value.toLocaleString('en') : value,
        FROM[from],
      ]),
      [1],
    ),
  );
}

const FROM: Readonly<Record<OperatingLine['from'], string>> = {
  set: 'set',
  size: 'by the size of the store',
  default: '',
};

/** Throws `invalid` OPERATING_INVALID before anything is opened. */
function changesFrom(texts: readonly string[]): Record<string, OperatingValue> {
  const changes: Record<string, OperatingValue> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    const [name, value] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    if (at <= 0 || value === '') throw invalid('OPERATING_INVALID', `setting "${text}": it is NAME=VALUE`);
    if (changes[name] !== undefined) throw invalid('OPERATING_INVALID', `settings: ${name} is given twice`);
    changes[name] = readValue(text, name, value);
  }
  return changes;
}

function readValue(text: string, name: string, value: string): OperatingValue {
  if (value === 'none' && isOperatingName(name) && NONE_NAMES.has(name)) return null;
  // A namespace may begin with a digit.
  return /^\d/.test(value) && name !== 'namespacesApart' ? amountOf(text, value) : value;
}
