// pocketful init: makes a store.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { createStore, DEFAULT_PRESET, type NewStore } from '../../lib/client/file/create-store.ts';
import { homePath } from '../../lib/client/home-path.ts';
import { assertWritable } from '../../lib/drive/file-output.ts';
import { devicesOf } from '../../lib/engine/drives/devices.ts';
import { exportPath, keysPath } from '../../lib/engine/wire/store-layout.ts';
import { invalid } from '../../lib/foundation/errors.ts';
import { readKeyFile } from '../../lib/keys/key-file.ts';
import { newPassphrase, withPassphrase, writeExport } from './backup/key-copies.ts';
import { addCommand, collect, countArgument, type Run } from './command.ts';
import { devicesLines } from './show/status-text.ts';

export interface CreationOptions {
  readonly preset?: string;
  readonly drives?: number;
  readonly drive?: readonly string[];
  readonly settings?: string;
  readonly domain?: readonly string[];
}

interface InitOptions extends CreationOptions {
  readonly passphrase?: boolean;
  readonly passphraseFile?: string;
}

export const creationOptions = (command: Command): Command =>
  command
    .option('--preset <name>', `demo, personal, thrifty or cell (default: ${DEFAULT_PRESET})`)
    .option('--drives <count>', 'so many drives in the directory of the store (default: 20)', countArgument)
    .option('--drive <path>', 'a directory that becomes a drive; once for each', collect)
    .option('--domain <name>', 'what fails together with it: once for each --drive, in their order', collect)
    .option('--settings <file>', 'JSON file with settings that replace those of the preset');

export async function newStoreOf(run: Run, options: CreationOptions): Promise<NewStore> {
  if (options.drives !== undefined && options.drive !== undefined)
    throw invalid('DRIVES_TWICE', 'either --drives COUNT or --drive PATH …, not both');
  if (options.domain !== undefined && options.domain.length !== options.drive?.length)
    throw invalid('DOMAINS_COUNT', 'there is a --domain for each --drive, or for none');
  return {
    namespace: run.namespace,
    domains: options.domain,
    preset: options.preset,
    drives: options.drive?.map(homePath) ?? options.drives,
    settings: options.settings === undefined ? undefined : await settingsIn(options.settings),
  };
}

async function settingsIn(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid('SETTINGS_INVALID', `${file} is not JSON: ${(cause as Error).message}`, cause);
  }
}

export function addInit(program: Command): void {
  addCommand<InitOptions>(
    program,
    'init',
    'make a store',
    async (run, _args, options) => {
      const { passphrase: isExported, passphraseFile } = options;
      const passphrase =
        isExported || passphraseFile !== undefined ? await newPassphrase({ passphraseFile }) : undefined;
      if (passphrase !== undefined) await assertWritable(exportPath(run.directory()));
      const client = await createStore(run.directory(), await newStoreOf(run, options));
      run.adopt(client);
      const { row, path } = client.engine;
      const { settings, storeId, drives } = row;
      const exported = passphrase === undefined ? undefined : exportPath(path);
      if (exported !== undefined)
        await writeExport(exported, { storeId, ring: readKeyFile(keysPath(path), storeId) }, passphrase ?? '', {});
      run.answer(
        {
          ...(exported === undefined ? {} : { exported }),
          storeId,
          path,
          preset: settings.preset,
          settings,
          drives: drives.map((_, id) => client.engine.components.drives[id]?.label),
        },
        `made store ${storeId} in ${path}: preset ${settings.preset}, ${drives.length} drives, ${settings.hotCodec} -> ${settings.warmCodec}`,
      );
      for (const line of devicesLines(await devicesOf(client.engine.components.drives.map(({ label }) => label))))
        run.say(`note: ${line}`);
      run.say(
        exported === undefined
          ? `keep a copy of ${path}/keys.json elsewhere: without it nothing can be read`
          : `keep a copy of ${exported} elsewhere, and the passphrase: without keys.json, or both of these, nothing can be read`,
      );
    },
    (command) =>
      withPassphrase(creationOptions(command)).option(
        '--passphrase',
        'export the keys at once, under a passphrase, to keys.json.export in the directory of the store',
      ),
  );
}
