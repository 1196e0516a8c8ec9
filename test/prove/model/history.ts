// What clients asked and were told, per key, in the scheduler's steps: the input of the linearizability check.
import type { BodyId } from './bodies.ts';

/** A key's value: a body, or nothing. */
export type Value = BodyId | undefined;

export type OperationKind = 'put' | 'put-absent' | 'delete' | 'get';

export interface Operation {
  readonly id: number;
  readonly key: string;
  readonly kind: OperationKind;
  readonly process: string;
  /** Of a put. */
  readonly value: Value;
  readonly from: number;
  /** When it was answered; absent while it is not. */
  to?: number;
  /**
   * `ok`: it was done as asked (of a get: `seen` is what it may have read). `refused`: it was not done, as the key had a value (put-absent). `maybe`: it
   * failed or was never answered; it may have been done, or may still be.
   */
  result: 'ok' | 'refused' | 'maybe';
  seen?: readonly Value[];
}

export class History {
  readonly #byKey = new Map<string, Operation[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  keys(): string[] {
    return [...this.#byKey.keys()];
  }

  of(key: string): readonly Operation[] {
    return this.#byKey.get(key) ?? [];
  }

  /** Every body a key may have had. */
  valuesOf(key: string): Value[] {
    const values = this.of(key).flatMap(({ kind, value }) => (kind.startsWith('put') ? [value] : []));
    return [...new Set<Value>([undefined, ...values])];
  }

  /** An operation that begins now; until it is answered it may or may not be done. */
  begin(operation: Pick<Operation, 'key' | 'kind' | 'process' | 'value' | 'from'>): Operation {
    const made: Operation = { ...operation, id: this.#count++, result: 'maybe' };
    const of = this.#byKey.get(operation.key);
    if (of === undefined) this.#byKey.set(operation.key, [made]);
    else of.push(made);
    return made;
  }

  /** The store is as it was at a step: what was asked since was never done, and what was on its way then may or may not be. */
  goBack(step: number): void {
    for (const [key, operations] of this.#byKey) {
      const before = operations.filter(
        ({ from, to, kind }) => from <= step && !(kind === 'get' && (to ?? step + 1) > step),
      );
      const kept = before.map((one): Operation => {
        if (one.to !== undefined && one.to <= step) return one;
        const { to: _, ...asked } = one;
        return { ...asked, result: 'maybe' };
      });
      if (kept.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, kept);
    }
  }

  /** Whether the key may have been changed after that step: what was never answered may have been done at any time. */
  hasChangedSince(key: string, step: number): boolean {
    return this.of(key).some(
      ({ kind, result, to }) => kind !== 'get' && (result === 'maybe' || to === undefined || to > step),
    );
  }

  /** Gone, and everybody may know. */
  lost(key: string, step: number): void {
    const operation = this.begin({ key, kind: 'delete', process: 'lost', value: undefined, from: step });
    operation.to = step;
    operation.result = 'ok';
  }

  /** A put that was acknowledged before the run began. */
  given(key: string, value: Value): void {
    const operation = this.begin({ key, kind: 'put', process: 'before', value, from: -2 });
    operation.to = -1;
    operation.result = 'ok';
  }
}
