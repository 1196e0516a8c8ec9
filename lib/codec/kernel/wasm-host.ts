// The part of the WebAssembly JavaScript interface the kernel uses, typed here because Node's types leave it out.

export interface WasmMemory {
  /** Another one after it has grown. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

declare const moduleBrand: unique symbol;
export interface WasmModule {
  readonly [moduleBrand]: true;
}

interface WasmHost {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: { readonly columns: { readonly memory: WasmMemory } },
  ) => { readonly exports: { readonly run: unknown } };
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}

/** Undefined where a runtime has none (V8 with --jitless). */
export const wasmHost = (globalThis as { readonly WebAssembly?: unknown }).WebAssembly as WasmHost | undefined;
