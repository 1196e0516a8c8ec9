// The layering rules on planted violations, and on what they must let pass.
import { describe, expect, it } from 'vitest';
import { layeringFaults } from './layering.ts';

const messages = (path: string, text: string): string[] =>
  layeringFaults([{ path, text }]).map(({ line, message }) => `${line}: ${message}`);

describe('layering', () => {
  it.each([
    ['lib/codec/a.ts', `import { x } from '../drive/drive.ts';`, 'codec may not import drive: imports point down'],
    ['lib/volume/a.ts', `import type { X } from '../gc/x.ts';`, 'volume may not import gc: imports point down'],
    ['lib/volume/a.ts', `export { x } from '../engine/x.ts';`, 'volume may not import engine: imports point down'],
    ['lib/volume/a.ts', `export * from '../engine/x.ts';`, 'volume may not import engine: imports point down'],
    [
      'lib/volume/a.ts',
      `const x = await import('../engine/x.ts');`,
      'volume may not import engine: imports point down',
    ],
    ['lib/panda/rows/a.ts', `import '../../volume/x.ts';`, 'panda may not import volume: imports point down'],
    ['lib/drive/a.ts', `import { x } from '../keys/keys.ts';`, 'drive may not import keys: they are on one level'],
    ['lib/gc/a.ts', `import { x } from '../frontend/x.ts';`, 'gc may not import frontend: they are on one level'],
    [
      'lib/format/a.ts',
      `import { x } from '../codec/kernel.ts';`,
      'format may not import codec: they are on one level',
    ],
    ['lib/engine/a.ts', `import { x } from '../../bin/x.ts';`, 'engine may not import bin: imports point down'],
    ['functions/gc/a.ts', `import { x } from '../../bin/x.ts';`, 'functions may not import bin: they are on one level'],
    ['lib/gc/a.ts', `import { x } from '../../test/x.ts';`, 'the product does not import test'],
    ['lib/gc/a.ts', `import { x } from '../elsewhere/x.ts';`, 'lib/elsewhere/x.ts is in no part of the product'],
    [
      'lib/elsewhere/a.ts',
      'export const x = 1;',
      'lib/elsewhere has no level: add it to LEVELS in test/check/layering.ts',
    ],
  ])('%s: %s', (path, text, message) => {
    expect(messages(path, text)).toEqual([`1: ${message}`]);
  });

  it.each([
    ['lib/drive/files.ts', `import { x } from '@aws-sdk/client-s3';`, 'the AWS SDK has no place here'],
    ['lib/engine/wire/embedded.ts', `import { x } from '@aws-sdk/client-s3';`, 'the AWS SDK has no place here'],
    ['lib/engine/wire/embedded.ts', `import { x } from 'aws-cdk-lib/aws-s3';`, 'the CDK has no place here'],
    ['lib/volume/a.ts', `import { x } from '@middy/core';`, 'Lambda middleware has no place here'],
    ['lib/volume/a.ts', `import { x } from 'commander';`, 'the command line has no place here'],
    ['lib/volume/a.ts', `import x from 'lodash';`, 'lodash is not a package the product may use'],
    ['lib/volume/a.ts', `import fs from 'fs';`, 'fs is not a package the product may use'],
    ['lib/codec/a.ts', `import fs from 'node:fs/promises';`, 'node:fs touches the world'],
    ['lib/panda/memory-panda.ts', `import { DatabaseSync } from 'node:sqlite';`, 'node:sqlite touches the world'],
    ['lib/compaction/a.ts', `import { Worker } from 'node:worker_threads';`, 'node:worker_threads touches the world'],
    ['lib/volume/a.ts', `const x = Date.now();`, 'Date.now: take the time from the Clock port'],
    ['lib/volume/a.ts', `const x = globalThis.Date.now();`, 'Date.now: take the time from the Clock port'],
    ['lib/volume/a.ts', `const x = Date['now']();`, 'Date.now: take the time from the Clock port'],
    ['lib/volume/a.ts', `const now = Date.now;`, 'Date.now: take the time from the Clock port'],
    ['lib/volume/a.ts', `const x = new Date();`, 'new Date(): take the time from the Clock port'],
    ['lib/engine/a.ts', `const x = performance.now();`, 'performance.now: take the time from the Clock port'],
    ['lib/gc/a.ts', `const x = Math.random();`, 'Math.random: take it from the Randomness port'],
    ['lib/gc/a.ts', `import { randomBytes } from 'node:crypto';`, 'randomBytes: take it from the Randomness port'],
    ['lib/gc/a.ts', `import { randomUUID as id } from 'node:crypto';`, 'randomUUID: take it from the Randomness port'],
    ['lib/volume/a.ts', `await new Promise((done) => setTimeout(done, 5));`, 'setTimeout: wait by Clock.sleep'],
    ['lib/engine/a.ts', `globalThis.setInterval(() => {}, 5);`, 'setInterval: wait by Clock.sleep'],
    ['lib/codec/a.ts', `await new Promise(setImmediate);`, 'setImmediate: wait by Clock.sleep'],
    [
      'lib/engine/a.ts',
      `import { setTimeout as x } from 'node:timers/promises';`,
      'node:timers/promises: wait by Clock',
    ],
    ['lib/client/a.ts', `import { Worker } from 'node:worker_threads';`, 'node:worker_threads: the thread pool is'],
    ['lib/keys/a.ts', `import { crc32, zstdCompress } from 'node:zlib';`, 'zstdCompress: the thread pool is'],
    ['lib/keys/a.ts', `await crypto.subtle.digest('SHA-256', x);`, 'crypto.subtle: the thread pool is'],
    ['lib/engine/a.ts', `const x = process.env['HOME'];`, 'process.env: configuration is passed in'],
    ['lib/engine/a.ts', `const { HOME } = process.env;`, 'process.env: configuration is passed in'],
  ])('%s: %s', (path, text, message) => {
    const found = messages(path, text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it('says where', () => {
    expect(messages('lib/gc/a.ts', `// one\n\nconst a = 1;\nconst b = [a, Math.random()];\n`)[0]).toMatch(
      /^4: Math.random/,
    );
  });

  it.each([
    ['lib/volume/a.ts', `import { x } from '../panda/panda.ts'; import type { Y } from '../codec/codec.ts';`],
    ['lib/volume/a.ts', `import { x } from './b.ts'; import * as z from 'zod'; import { hash } from 'node:crypto';`],
    ['lib/format/a.ts', `import { x } from '../codec/shape.ts';`],
    ['lib/keys/a.ts', `import { crc32, zstdCompressSync } from 'node:zlib'; await clock.setTimeout(5);`],
    ['lib/panda/sqlite-panda.ts', `await new Promise((done) => setImmediate(done));`],
    ['lib/client/a.ts', `import { x } from '../engine/embedded.ts'; import fs from 'node:fs';`],
    ['lib/drive/s3-drive.ts', `import { S3Client } from '@aws-sdk/client-s3'; const t = Date.now();`],
    ['lib/drive/directory-drive.ts', `import fs from 'node:fs'; import os from 'node:os';`],
    ['lib/panda/sqlite-panda.ts', `import { DatabaseSync } from 'node:sqlite';`],
    ['lib/infra/stack.ts', `import { Stack } from 'aws-cdk-lib'; import { S3Client } from '@aws-sdk/client-s3';`],
    ['functions/gc/handler.ts', `import middy from '@middy/core'; const t = process.env['TABLE'];`],
    ['bin/app.ts', `import { App } from 'aws-cdk-lib'; const t = Date.now();`],
    ['lib/foundation/clock.ts', `export const x = () => Date.now();`],
    ['lib/volume/a.ts', `// Date.now()\nconst s = 'Math.random()'; const d = new Date(5); const r = /process.env/;`],
    ['test/volume/a.test.ts', `import fs from 'node:fs'; const t = Date.now();`],
    ['lib/README.md', 'import x from anything'],
  ])('lets %s pass: %s', (path, text) => {
    expect(messages(path, text)).toEqual([]);
  });
});
