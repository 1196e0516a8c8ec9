// A WebAssembly emitter, as small as the kernel needs: one module, one imported memory, one exported function
// `run(table, from, to)`, its instructions as named functions. The binary format is that of the WebAssembly core specification.

/** Instructions are byte sequences; concatenating them is writing a program in order. */
export type Code = readonly number[];

const I32 = 0x7f;
const V128 = 0x7b;
const SIMD_PREFIX = 0xfd;
const ALIGN_1 = 0;
const ALIGN_4 = 2;

export const localGet = (local: number): Code => [0x20, ...unsigned(local)];
export const localSet = (local: number): Code => [0x21, ...unsigned(local)];
export const localTee = (local: number): Code => [0x22, ...unsigned(local)];
export const i32Const = (value: number): Code => [0x41, ...signed(value)];
export const i32Add: Code = [0x6a];
export const i32LessUnsigned: Code = [0x49];
export const i32Load = (offset: number): Code => [0x28, ALIGN_4, ...unsigned(offset)];
/** Loads and stores claim no alignment: columns may begin anywhere. */
export const v128Load = (offset: number): Code => [SIMD_PREFIX, 0x00, ALIGN_1, ...unsigned(offset)];
export const v128Store = (offset: number): Code => [SIMD_PREFIX, 0x0b, ALIGN_1, ...unsigned(offset)];
export const v128Xor: Code = [SIMD_PREFIX, 0x51];

/** `body` runs at least once, and again while the condition it leaves on the stack holds. */
export const doWhile = (body: Code): Code => [0x03, 0x40, ...body, 0x0d, 0, 0x0b];

/** Parameters of `run` come first, then the i32 locals, then the v128 ones. */
export const PARAMETERS = 3;

/** The bytes of the module. */
export function emitModule(i32Locals: number, v128Locals: number, code: Code): Uint8Array<ArrayBuffer> {
  const locals = [...unsigned(2), ...unsigned(i32Locals), I32, ...unsigned(v128Locals), V128];
  const body = [...locals, ...code, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, PARAMETERS, I32, I32, I32, 0]),
    ...section(2, [1, ...name('columns'), ...name('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const name = (text: string): Code => [...unsigned(text.length), ...Buffer.from(text)];

/** LEB128. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  while (rest < -0x40 || rest > 0x3f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...bytes, rest & 0x7f];
}
