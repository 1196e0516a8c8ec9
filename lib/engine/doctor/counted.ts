/** Rows that were counted. */
export interface Counted {
  readonly objects: number;
  readonly blocks: number;
  readonly buckets: number;
  readonly volumes: number;
  readonly zones: number;
}
