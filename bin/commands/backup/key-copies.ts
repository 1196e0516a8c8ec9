// pocketful keys export, import and paper: copies of keys.json, which is all that has to be kept besides the drives.
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { writeOutput } from '../../../lib/drive/file-output.ts';
import { findDrives } from '../../../lib/engine/journal/found-drives.ts';
import { openEmbedded } from '../../../lib/engine/wire/embedded.ts';
import { keysPath } from '../../../lib/engine/wire/store-layout.ts';
import { conflict, denied, invalid } from '../../../lib/foundation/errors.ts';
import type { StoreId } from '../../../lib/foundation/ids.ts';
import { systemRandomness } from '../../../lib/foundation/randomness.ts';
import { putBackKeyFile } from '../../../lib/keys/file-kek-store.ts';
import { codeTextsOf, type ExportedKeys, exportKeys, importKeys, paperOf } from '../../../lib/keys/key-export.ts';
import { readKeyFile } from '../../../lib/keys/key-file.ts';
import { addCommand, type Run } from '../command.ts';
import { qrOnTerminal } from '../show/qr-code.ts';
import { countOf } from '../show/text.ts';
import { sheetPage } from './recovery-sheet.ts';

/** In the environment: the passphrase of exported keys. */
const PASSPHRASE_VARIABLE = 'POCKETFUL_PASSPHRASE';

export interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly overwrite?: boolean;
}

export const withPassphrase = (command: Command): Command =>
  command.option(
    '--passphrase-file <file>',
    `its first line is the passphrase (default: ${PASSPHRASE_VARIABLE}, or asked)`,
  );

export function addKeyCopies(keys: Command): void {
  addCommand<PassphraseOptions>(
    keys,
    'export <file>',
    'write the keys to a file under a passphrase',
    async (run, [file = ''], options) => {
      const all = await keysOf(run);
      await writeExport(file, all, await newPassphrase(options), options);
      run.answer(
        { file, storeId: all.storeId, versions: all.ring.length },
        `exported ${countOf(all.ring.length, 'key version')} of store ${all.storeId} to ${file}`,
      );
    },
    (command) => withPassphrase(command).option('--overwrite', 'replace a file that is there'),
  );
  addCommand<PassphraseOptions>(
    keys,
    'import <file>',
    'make keys.json out of an export, or of a recovery sheet that was typed in',
    async (run, [file = ''], options) => {
      const text = await readFile(file, 'utf8');
      const dir = run.directory();
      if (existsSync(keysPath(dir)))
        throw conflict('KEYS_EXIST', `${keysPath(dir)} is there already: move it away first`);
      const isExport = text.trimStart().startsWith('{');
      const passphrase = isExport ? await passphraseOf(options, false) : '';
      const { storeId, ring } = importKeys(file, text, () => passphrase);
      await refuseOtherStore(file, dir, storeId);
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await putBackKeyFile(keysPath(dir), storeId, ring);
      run.answer(
        { file: keysPath(dir), storeId, versions: ring.length },
        `${keysPath(dir)} has ${countOf(ring.length, 'key version')} of store ${storeId}`,
      );
    },
    withPassphrase,
  );
  addCommand<{ html?: string; overwrite?: boolean }>(
    keys,
    'paper',
    'print a recovery sheet: whoever has it has the keys',
    async (run, _args, { html, overwrite }) => {
      const all = await keysOf(run);
      const sheet = paperOf(all);
      if (html !== undefined)
        await writeOutput(html, { overwrite, mode: 0o600 }, (handle) => handle.writeFile(sheetPage(all)));
      const isShown = html === undefined && process.stdout.isTTY;
      run.answer(
        { storeId: all.storeId, sheet, codes: codeTextsOf(all), ...(html === undefined ? {} : { html }) },
        () => (html === undefined ? sheet.trimEnd() : `wrote the recovery sheet of store ${all.storeId} to ${html}`),
      );
      // Not into a file: what is in it is what keys import reads.
      if (isShown && !run.json) for (const text of codeTextsOf(all)) run.say(`\n${qrOnTerminal(text)}`);
      run.say('print it, keep it where the drives are not, and print it again after every keys rotate');
      run.say(
        'to use it: type its lines into a file, or scan its codes, pocketful keys import FILE, pocketful restore --from-drives',
      );
    },
    (command) =>
      command
        .option('--html <file>', 'write it as a page for the printer, with QR codes')
        .option('--overwrite', 'replace a file that is there'),
  );
}

export const newPassphrase = (options: PassphraseOptions): Promise<string> => passphraseOf(options, true);

export async function writeExport(
  file: string,
  keys: ExportedKeys,
  passphrase: string,
  { overwrite }: PassphraseOptions,
): Promise<void> {
  const text = exportKeys(keys, passphrase, systemRandomness);
  await writeOutput(file, { overwrite, mode: 0o600 }, (handle) => handle.writeFile(text));
}

/** As its drives say, where they are below its directory. Throws `denied` KEK_WRONG. */
async function refuseOtherStore(file: string, dir: string, keysOf: StoreId): Promise<void> {
  const drives = await findDrives(dir, []).catch(() => undefined);
  if (drives !== undefined && drives.storeId !== keysOf)
    throw denied(
      'KEK_WRONG',
      `${file} has the keys of store ${keysOf}, but the drives in ${dir} are of store ${drives.storeId}`,
    );
}

async function keysOf(run: Run): Promise<ExportedKeys> {
  const dir = run.directory();
  const store = await openEmbedded(dir);
  const { storeId } = store.components;
  await store.close();
  return { storeId, ring: readKeyFile(keysPath(dir), storeId) };
}

/** Throws `invalid` PASSPHRASE_NEEDED. */
async function passphraseOf({ passphraseFile }: PassphraseOptions, isNew: boolean): Promise<string> {
  const given =
    passphraseFile === undefined
      ? process.env[PASSPHRASE_VARIABLE]
      : (await readFile(passphraseFile, 'utf8')).split(/\r?\n/)[0];
  if (given !== undefined && given !== '') return given;
  if (passphraseFile !== undefined)
    throw invalid('PASSPHRASE_NEEDED', `the first line of ${passphraseFile} is empty: it is the passphrase`);
  if (!process.stdin.isTTY)
    throw invalid('PASSPHRASE_NEEDED', `say --passphrase-file FILE, or set ${PASSPHRASE_VARIABLE}`);
  const typed = await asked('passphrase: ');
  if (typed === '' || (isNew && typed !== (await asked('once more: '))))
    throw invalid('PASSPHRASE_NEEDED', 'the passphrase is empty, or was typed in two ways');
  return typed;
}

/** Without showing what is typed. */
async function asked(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await line.question('');
  } finally {
    line.close();
    process.stderr.write('\n');
  }
}
