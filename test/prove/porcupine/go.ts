// Porcupine, built with the Go of this machine.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Operation, Value } from '../model/history.ts';

export type PorcupineVerdict = 'yes' | 'no' | 'unknown';

const PLACES = ['go', '/usr/local/go/bin/go'];
const NOTHING = -1;

/** Undefined where there is none. */
export function goOnThisMachine(): string | undefined {
  return PLACES.find((go) => {
    try {
      execFileSync(go, ['version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** What porcupine says of each history, in their order. */
export async function porcupineVerdicts(
  go: string,
  histories: readonly (readonly Operation[])[],
): Promise<readonly PorcupineVerdict[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pocketful-porcupine-'));
  try {
    const program = path.join(folder, 'porcupine');
    const env = { ...process.env, GOTOOLCHAIN: 'local' };
    execFileSync(go, ['build', '-mod=readonly', '-o', program], { cwd: import.meta.dirname, env, stdio: 'inherit' });
    const lines = (await output(program, histories.map(lineOf).join('\n'))).trimEnd().split('\n');
    if (lines.length !== histories.length) throw new Error(`${lines.length} verdicts on ${histories.length} histories`);
    return lines as PorcupineVerdict[];
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const numberOf = (value: Value): number => value ?? NOTHING;

function lineOf(history: readonly Operation[]): string {
  return JSON.stringify(
    history.map(({ kind, value, from, to, result, seen = [] }) => {
      return { kind, value: numberOf(value), from, to, result, seen: seen.map(numberOf) };
    }),
  );
}

function output(program: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part) => (text += part));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`porcupine ended with ${code}`))));
    child.stdin.end(input);
  });
}
