// The pinned CDK CLI on the project's app, with the context of one stage. What it says goes to stderr; stdout stays the
// command's own.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { missing, unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { StageContext } from '../../../lib/infra/stage-context.ts';
import { PROJECT_ROOT } from '../project.ts';

const CLI = join(PROJECT_ROOT, 'node_modules/aws-cdk/bin/cdk');

/** Throws `missing` CDK_MISSING, `unknown` CDK_FAILED: stacks may be half way, and a second try goes on. */
export async function runCdk(command: readonly string[], context: StageContext, signal?: AbortSignal): Promise<void> {
  if (!existsSync(CLI)) throw missing('CDK_MISSING', 'aws-cdk is not installed here: run npm ci in the project');
  const pairs = Object.entries(context).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...command, ...pairs, '--no-notices'], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' },
      stdio: ['inherit', 2, 2],
    });
    signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
    child.on('error', reject);
    child.on('exit', resolve);
  });
  if (code !== 0) throw unknownOutcome('CDK_FAILED', `cdk ${command[0]} ended with exit code ${code}: see above`);
}
