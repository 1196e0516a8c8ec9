// Which steps of the protocols runs have seen: every kind of port call by what befell it, and every edge of the state machines that rows are.
export class Coverage {
  /** `port.operation shape: outcome` -> how often. */
  readonly points = new Map<string, number>();
  /** `machine before -> call -> after` -> how often. */
  readonly edges = new Map<string, number>();

  point(step: string, outcome: string): void {
    add(this.points, `${step}: ${outcome}`, 1);
  }

  edge(machine: string, before: string, call: string, after: string): void {
    add(this.edges, `${machine} ${before} -> ${call} -> ${after}`, 1);
  }

  merge(other: CoverageFigures): void {
    for (const [name, count] of Object.entries(other.points)) add(this.points, name, count);
    for (const [name, count] of Object.entries(other.edges)) add(this.edges, name, count);
  }

  figures(): CoverageFigures {
    return { points: Object.fromEntries(this.points), edges: Object.fromEntries(this.edges) };
  }
}

export interface CoverageFigures {
  readonly points: Readonly<Record<string, number>>;
  readonly edges: Readonly<Record<string, number>>;
}

const add = (counts: Map<string, number>, name: string, by: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + by);
};
