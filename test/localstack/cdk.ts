// Runs the pinned CDK CLI on the project's app, as a user would, and says what it said when it fails.
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CLI = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
const OUTPUT = mkdtempSync(join(tmpdir(), 'pocketful-cdk-'));

export interface CdkRun {
  readonly code: number;
  readonly output: string;
}

export function cdk(...args: string[]): Promise<CdkRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args, '--no-notices', '--output', OUTPUT], {
      cwd: ROOT,
      env: { ...process.env, CI: 'true', CDK_DISABLE_CLI_TELEMETRY: 'true' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code: code ?? 1, output: Buffer.concat(pieces).toString('utf8') }));
  });
}

/** Throws with the end of the output if the command fails. */
export async function cdkOk(...args: string[]): Promise<string> {
  const { code, output } = await cdk(...args);
  if (code !== 0) throw new Error(`cdk ${args.join(' ')}: exit ${code}\n${output.slice(-4000)}`);
  return output;
}
