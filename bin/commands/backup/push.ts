// pocketful push FROM TO: every object that TO does not have with the same content, from one store into another.
import type { Command } from 'commander';
import { DEFAULT_NAMESPACE, type PocketfulStore, parseAddress } from '../../../lib/client/face.ts';
import { namespacesIn } from '../../../lib/client/file/namespaces.ts';
import { openStore } from '../../../lib/client/open-store.ts';
import { type PushReport, push } from '../../../lib/client/push.ts';
import { invalid, isPocketfulError } from '../../../lib/foundation/errors.ts';
import { addCommand, type Run, unshippedText } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { Progress } from '../show/progress.ts';
import { bytesText, countOf, shownName } from '../show/text.ts';

export function addPush(program: Command): void {
  addCommand<{ namespace?: string }>(
    program,
    'push <from> <to>',
    'put every object of one store that another does not have into that one, such as push file:DIR aws:STAGE',
    pushAll,
  );
}

async function pushAll(
  run: Run,
  [from = '', to = '']: readonly string[],
  { namespace }: { namespace?: string },
): Promise<void> {
  const source = parseAddress(from);
  if (from === to) throw invalid('ADDRESS_INVALID', `${from} is the store itself`);
  parseAddress(to);
  // A stage lists one namespace at a time, and says not which there are.
  const known = namespace === undefined && source.engine === 'file' ? await namespacesIn(source.dir) : undefined;
  const progress = new Progress('push', run.clock, 'objects');
  const reports: Record<string, PushReport> = {};
  for (const one of known ?? [namespace ?? DEFAULT_NAMESPACE]) {
    if (run.interruption.happened) break;
    reports[one] = await within(run, from, to, one, (left, right) =>
      push(left, right, {
        signal: run.interruption.signal,
        onProgress: ({ objects, bytes }) => progress.show({ items: objects, bytes }),
      }),
    );
  }
  progress.end();
  answer(run, to, reports);
}

async function within<T>(
  run: Run,
  from: string,
  to: string,
  namespace: string,
  use: (left: PocketfulStore, right: PocketfulStore) => Promise<T>,
): Promise<T> {
  const left = await openStore(from, { namespace });
  try {
    const right = await openStore(to, { namespace });
    try {
      return await use(left, right);
    } finally {
      await right.close();
      if (right.unshipped !== undefined) run.say(unshippedText(right.unshipped));
    }
  } finally {
    await left.close();
  }
}

function answer(run: Run, to: string, reports: Readonly<Record<string, PushReport>>): void {
  const all = Object.values(reports);
  const sum = (of: (report: PushReport) => number): number => all.reduce((total, report) => total + of(report), 0);
  const namespaces = Object.entries(reports).map(([namespace, { failed, ...counts }]) => ({
    ...{ namespace, ...counts },
    failed: failed.map(({ key, error }) => ({
      key,
      code: isPocketfulError(error) ? error.code : 'INTERNAL',
      message: error.message,
    })),
  }));
  run.answer(
    { namespaces, interrupted: run.interruption.happened },
    `pushed ${countOf(
      sum(({ pushed }) => pushed),
      'object',
    )} (${bytesText(sum(({ bytes }) => bytes))}) to ${to}; ${countOf(
      sum(({ same }) => same),
      'object',
    )} were there`,
  );
  for (const { failed } of all)
    for (const { key, error } of failed) run.say(`pocketful: ${shownName(key)}: ${error.message}`);
  if (all.some(({ failed }) => failed.length > 0)) run.exitCode = EXIT.someFailed;
}
