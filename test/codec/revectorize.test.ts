// V8's revectorizer: right for every pattern while it is on, compared with the twin at each new program, off for good at the first difference.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { linearCodeOf } from '../../lib/codec/codes.ts';
import { agreesWithTwin } from '../../lib/codec/kernel/revectorize.ts';
import { compileProgram } from '../../lib/codec/kernel/simd-compiler.ts';
import { hasSimd } from '../../lib/codec/kernel/simd-kernel.ts';
import { wasmHost } from '../../lib/codec/kernel/wasm-host.ts';
import { encodeProgram } from '../../lib/codec/planner.ts';
import { present } from '../../lib/foundation/assert.ts';

const child = (...args: readonly string[]) =>
  JSON.parse(
    execFileSync(process.execPath, [join(import.meta.dirname, 'revectorize-child.ts'), ...args], { encoding: 'utf8' }),
  );

it('rebuilds every pattern, each program compared with the twin first', () => {
  const { rebuilt, wrong, programs, isRevectorizing } = child();
  // 9 + 36 + 84 of rs-6-3, 4 of xor-3-1, 16 + 120 of lrc-12-2-2.
  expect({ rebuilt, wrong, isRevectorizing }).toEqual({ rebuilt: 269, wrong: 0, isRevectorizing: true });
  expect(programs).toBeGreaterThan(200);
});

it('is off from the first program on that differs, and nothing is wrong', () => {
  expect(child('disagree')).toEqual({ rebuilt: 269, wrong: 0, programs: 4, isRevectorizing: false });
});

it.runIf(hasSimd())('the comparison sees a program that is another one', () => {
  const host = present(wasmHost, 'WebAssembly is there');
  const encoder = encodeProgram(linearCodeOf('rs-6-3'));
  const last = encoder.steps.length - 1;
  const steps = encoder.steps.map((step, i) => (i === last && step.op === 'store' ? { ...step, value: 0 } : step));
  for (const [compiled, isSame] of [
    [encoder, true],
    [{ ...encoder, steps }, false],
  ] as const) {
    const module = new host.Module(compileProgram(compiled, true));
    expect(
      agreesWithTwin(encoder, (arena) => {
        const { run } = new host.Instance(module, { columns: { memory: arena.memory } }).exports;
        return run as (table: number, from: number, to: number) => void;
      }),
    ).toBe(isSame);
  }
});
