// `npm run test:localstack [-- --docker] [-- VITEST ARGUMENTS]`: starts an empty LocalStack, runs the tests of the `localstack` project
// against it, counts them, and always stops it. Exit code 0 only if tests ran and all passed. `npm run test:stage` runs the deployed stage
// alone (--compaction), without the contract suites of the AWS bodies.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type Emulator, freePort, startDocker, startKit } from './emulator.ts';
import { ensurePrerequisites } from './prerequisites.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STAGE_TESTS = 'test/localstack/stack.test.ts';
const LOG_TAIL_LINES = 60;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numTotalTests: z.int(),
});

/** Nothing of the user's own AWS set-up may leak into the tests, and no test may reach a real account. */
function environmentFor(emulator: Emulator): NodeJS.ProcessEnv {
  const { PATH = '', ...rest } = process.env;
  const kept = Object.entries(rest).filter(([name]) => !name.startsWith('AWS_'));
  return {
    ...Object.fromEntries(kept),
    PATH: `${dirname(process.execPath)}:${PATH}`,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...emulator.variables,
    POCKETFUL_EMULATOR: emulator.name,
  };
}

/** Runs vitest and resolves with its exit code; signals to this process are passed on. */
function runVitest(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--project=localstack', ...args], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const pass = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    process.on('SIGINT', pass);
    process.on('SIGTERM', pass);
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** True if tests ran and all passed. */
function summarize(file: string): boolean {
  let counts: z.infer<typeof report>;
  try {
    counts = report.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    say('localstack: vitest left no report');
    return false;
  }
  say(`localstack: ${counts.numPassedTests} passed, ${counts.numFailedTests} failed`);
  if (counts.numTotalTests === 0) say('localstack: no test ran');
  return counts.numTotalTests > 0 && counts.numPassedTests === counts.numTotalTests;
}

async function main(args: readonly string[]): Promise<number> {
  const docker = args.includes('--docker');
  if (!docker) {
    const missing = ensurePrerequisites(say);
    if (missing.length > 0) {
      say(`localstack: please install ${missing.join(', ')} first, or use --docker`);
      return 1;
    }
  }
  const port = await freePort();
  say(`localstack: starting on port ${port}`);
  const emulator = docker ? await startDocker(port) : startKit(port, process.execPath);
  const scratch = mkdtempSync(join(tmpdir(), 'pocketful-localstack-'));
  try {
    const file = join(scratch, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const rest = args.filter((arg) => arg !== '--docker' && arg !== '--compaction');
    const files = args.includes('--compaction') ? [STAGE_TESTS] : [];
    const code = await runVitest([...reporters, ...files, ...rest], environmentFor(emulator));
    const passed = summarize(file) && code === 0;
    if (!passed) say(`\nthe end of LocalStack's log:\n${emulator.logTail(LOG_TAIL_LINES)}`);
    return passed ? 0 : 1;
  } finally {
    emulator.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(`localstack: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
