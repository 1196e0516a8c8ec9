// What an actor of a model over rows does at its turn: a step that remembers something, or a transaction, of which named conditions can
// be left out.
import type { Clause, Write } from '../../lib/panda/panda.ts';
import { type Rows, transacted, type Without } from './rows.ts';

interface RowsState<Actor> {
  readonly rows: Rows;
  readonly actors: Readonly<Partial<Record<string, Actor>>>;
}

/** A condition is named `action: what holds`; this says which writes it is part of, and the attributes its clauses look at. */
export interface NamedCondition {
  readonly isOn: (write: Write) => boolean;
  readonly attributes: readonly string[];
}

export interface TurnStep<State> {
  readonly name: string;
  readonly next: State;
}

export abstract class Turn<State extends RowsState<Actor>, Actor extends object> {
  protected readonly state: State;
  protected readonly name: string;
  protected readonly me: Actor;
  protected readonly off: ReadonlySet<string>;

  constructor(state: State, name: string, off: ReadonlySet<string>) {
    this.state = state;
    this.name = name;
    this.me = state.actors[name] as Actor;
    this.off = off;
  }

  /** Undefined for what is no clause. */
  protected abstract conditionOf(name: string): NamedCondition | undefined;

  protected go(what: string, me: Partial<Actor>, change: Partial<State> = {}): TurnStep<State>[] {
    const actors = { ...this.state.actors, ...change.actors, [this.name]: { ...this.me, ...me } };
    return [{ name: `${this.name} ${what}`, next: { ...this.state, ...change, actors } }];
  }

  /** The rows after a transaction; undefined if a condition does not hold. */
  protected after(action: string, writes: readonly Write[]): Rows | undefined {
    const dropped = [...this.off]
      .filter((name) => name.startsWith(`${action}:`))
      .flatMap((name) => this.conditionOf(name) ?? []);
    const without: Without = (write, clause) =>
      dropped.some(({ isOn, attributes }) => isOn(write) && attributes.includes(attributeOf(clause)));
    return transacted(this.state.rows, writes, dropped.length === 0 ? undefined : without);
  }

  /** A transaction: what follows if it takes effect, and if a condition does not hold. */
  protected attempt(
    action: string,
    writes: readonly Write[],
    done: Partial<Actor>,
    failed: Partial<Actor>,
    change: Partial<State> = {},
  ): TurnStep<State>[] {
    const rows = this.after(action, writes);
    return rows === undefined ? this.go(`does not ${action}`, failed) : this.go(action, done, { ...change, rows });
  }
}

const attributeOf = (clause: Clause): string => (typeof clause === 'string' ? clause : clause.attribute);
