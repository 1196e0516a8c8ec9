// The files the checks look at, and what they say about them. Every check is a function from files to faults, so that planted
// violations can be given to it as text.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type Comment, type EcmaScriptModule, type Program, parseSync } from 'oxc-parser';

export interface SourceFile {
  /** Relative to the project, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Fault {
  readonly path: string;
  /** From 1; 0 if it is the file as a whole. */
  readonly line: number;
  readonly message: string;
  /** A warning is shown and fails nothing. */
  readonly isWarning?: true;
}

export interface Parsed {
  readonly program: Program;
  readonly module: EcmaScriptModule;
  readonly comments: readonly Comment[];
}

export const ROOT = path.resolve(import.meta.dirname, '../..');
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

/** Everything that is, or would be, under version control: paths only. */
export function projectPaths(root = ROOT): string[] {
  const list = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', list, { cwd: root, encoding: 'utf8', maxBuffer: TEXT_BYTES_MAX });
  return [...new Set(listed.split('\0'))].filter((name) => name !== '' && isFile(path.join(root, name)));
}

/** The text files among them. */
export function projectFiles(root = ROOT): SourceFile[] {
  return projectPaths(root).flatMap((file) => {
    const bytes = fs.readFileSync(path.join(root, file));
    const isText = bytes.byteLength <= TEXT_BYTES_MAX && !bytes.subarray(0, 8000).includes(0);
    return isText ? [{ path: file, text: bytes.toString('utf8') }] : [];
  });
}

const isFile = (file: string): boolean => fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;

export const isCode = ({ path: file }: SourceFile): boolean => /\.(ts|mts|mjs|js)$/.test(file);

const parsedFiles = new WeakMap<SourceFile, Parsed>();

/** Parsed once for all checks. */
export function parsed(file: SourceFile): Parsed {
  const known = parsedFiles.get(file);
  if (known !== undefined) return known;
  const { program, module, comments, errors } = parseSync(file.path, file.text);
  if (errors.length > 0) throw new Error(`${file.path}: ${errors[0]?.message}`);
  const result = { program, module, comments };
  parsedFiles.set(file, result);
  return result;
}

export function lineAt(file: SourceFile, offset: number): number {
  let line = 1;
  for (let at = file.text.indexOf('\n'); at !== -1 && at < offset; at = file.text.indexOf('\n', at + 1)) line++;
  return line;
}

export const faultAt = (file: SourceFile, offset: number, message: string): Fault => ({
  path: file.path,
  line: lineAt(file, offset),
  message,
});

export const faultIn = (file: SourceFile, message: string): Fault => ({ path: file.path, line: 0, message });
