// pocketful keys: the versions of the key-encryption key.
import type { Command } from 'commander';
import { invalid } from '../../lib/foundation/errors.ts';
import type { RewrapReport } from '../../lib/gc/rewrap-keys.ts';
import { addKeyCopies } from './backup/key-copies.ts';
import { addCommand, type Run } from './command.ts';
import { Progress } from './show/progress.ts';
import { countOf, countText, table, timeText } from './show/text.ts';

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('versions of the key-encryption key');
  addCommand(keys, 'list', 'all versions, and how many blocks each wraps', async (run) => {
    const versions = await (await run.open()).admin.keys();
    run.answer({ versions }, () =>
      table(
        [
          ['version', 'state', 'blocks', 'made'],
          ...versions.map(({ version, state, blocks, createdAtMs }) => [
            String(version),
            state,
            blocks === undefined ? '-' : countText(blocks),
            timeText(createdAtMs),
          ]),
        ],
        [0, 2],
      ),
    );
  });
  addCommand(keys, 'rotate', 'make a new version, and wrap every block anew by it', async (run) => {
    const { admin } = await run.open();
    const progress = new Progress('rewrap', run.clock, 'blocks');
    const { version, rewrap } = await admin.rotateKeys(watch(run, progress));
    progress.end();
    run.answer({ version, rewrap }, rewrapText(rewrap));
    run.say('keep a copy of the new keys.json elsewhere: older copies do not open what is stored from now on');
  });
  addCommand(keys, 'rewrap', 'go on with a rotation that was cut off', async (run) => {
    const { admin } = await run.open();
    const progress = new Progress('rewrap', run.clock, 'blocks');
    const rewrap = await admin.rewrapKeys(watch(run, progress));
    progress.end();
    run.answer({ rewrap }, rewrapText(rewrap));
  });
  addCommand<{ yes?: boolean }>(
    keys,
    'destroy <version>',
    'destroy an old version for good: what was shredded under it is beyond recovery then',
    async (run, [text = ''], { yes }) => {
      if (!/^\d+$/.test(text))
        throw invalid('KEY_UNKNOWN', `"${text}" is no number of a key version: see pocketful keys list`);
      const version = Number(text);
      if (!yes) throw invalid('NOT_CONFIRMED', 'a destroyed key cannot be brought back: say --yes');
      await (await run.open()).admin.destroyKey(version);
      run.answer({ version, state: 'destroyed' }, `destroyed key version ${version}`);
    },
    (command) => command.option('-y, --yes', 'yes, destroy it'),
  );
  addKeyCopies(keys);
}

const watch = (run: Run, progress: Progress) => ({
  signal: run.interruption.signal,
  onProgress: ({ scannedBlocks }: RewrapReport) => progress.show({ items: scannedBlocks }),
});

const rewrapText = ({ version, rewrappedBlocks, finished }: RewrapReport): string =>
  `wrapped ${countOf(rewrappedBlocks, 'block')} anew by key version ${version}` +
  (finished ? '' : '; not finished: go on with pocketful keys rewrap');
