// A WebAssembly emitter, as small as the kernel needs: one module, one imported memory, one exported function
// `run(table, from, to)`, its instructions as methods. The binary format is that of the WebAssembly core specification.

const I32 = 0x7f;
const V128 = 0x7b;
const SIMD_PREFIX = 0xfd;
/** The exponents of the alignments claimed. Columns may begin anywhere. */
const ALIGN_1 = 0;
const ALIGN_4 = 2;

/** Parameters of `run` come first, then the i32 locals, then the v128 ones. */
export const PARAMETERS = 3;

const ZERO_BYTES: readonly number[] = new Array<number>(16).fill(0);

/** Bytes of a function, written in order. */
export class FunctionBody {
  readonly bytes: number[] = [];

  localGet(local: number): this {
    return this.#put(0x20).#unsigned(local);
  }

  localSet(local: number): this {
    return this.#put(0x21).#unsigned(local);
  }

  localTee(local: number): this {
    return this.#put(0x22).#unsigned(local);
  }

  i32Const(value: number): this {
    this.#put(0x41);
    pushSigned(this.bytes, value);
    return this;
  }

  i32Add(): this {
    return this.#put(0x6a);
  }

  i32LessUnsigned(): this {
    return this.#put(0x49);
  }

  i32Load(offset: number): this {
    return this.#put(0x28, ALIGN_4).#unsigned(offset);
  }

  v128Load(offset: number): this {
    return this.#put(SIMD_PREFIX, 0x00, ALIGN_1).#unsigned(offset);
  }

  v128Store(offset: number): this {
    return this.#put(SIMD_PREFIX, 0x0b, ALIGN_1).#unsigned(offset);
  }

  v128Zero(): this {
    return this.#put(SIMD_PREFIX, 0x0c, ...ZERO_BYTES);
  }

  v128Xor(): this {
    return this.#put(SIMD_PREFIX, 0x51);
  }

  /** Opens a loop; what follows runs at least once. */
  loop(): this {
    return this.#put(0x03, 0x40);
  }

  /** Closes the loop: once more if the condition on the stack holds. */
  loopWhile(): this {
    return this.#put(0x0d, 0, 0x0b);
  }

  #put(...bytes: readonly number[]): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }

  #unsigned(value: number): this {
    pushUnsigned(this.bytes, value);
    return this;
  }
}

/** The bytes of the module. */
export function emitModule(i32Locals: number, v128Locals: number, code: FunctionBody): Uint8Array<ArrayBuffer> {
  const locals = [...unsigned(2), ...unsigned(i32Locals), I32, ...unsigned(v128Locals), V128];
  const bodyBytes = locals.length + code.bytes.length + 1;
  const bodyLength = unsigned(bodyBytes);
  const head = [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, PARAMETERS, I32, I32, I32, 0]),
    ...section(2, [1, ...name('columns'), ...name('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('run'), 0, 0]),
    ...[10, ...unsigned(1 + bodyLength.length + bodyBytes), 1, ...bodyLength],
    ...locals,
  ];
  const bytes = new Uint8Array(head.length + code.bytes.length + 1);
  bytes.set(head);
  bytes.set(code.bytes, head.length);
  bytes[bytes.length - 1] = 0x0b;
  return bytes;
}

const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
const name = (text: string): number[] => [...unsigned(text.length), ...Buffer.from(text)];

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  pushUnsigned(bytes, value);
  return bytes;
}

/** LEB128. */
function pushUnsigned(bytes: number[], value: number): void {
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
}

function pushSigned(bytes: number[], value: number): void {
  let rest = value;
  while (rest < -0x40 || rest > 0x3f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  bytes.push(rest & 0x7f);
}
