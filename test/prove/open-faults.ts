// What the simulation has found and nobody has mended yet. A fault that shows in many seeds is known by its message, the others by their
// seed, too. It is empty when all is well.
export interface OpenFault {
  readonly profile: string;
  /** Missing: any, as long as the message is like this. */
  readonly seed?: number;
  readonly message: RegExp;
  /** What is known of it; docs/testing.md says more. */
  readonly what: string;
}

export const OPEN_FAULTS: readonly OpenFault[] = [];

/** The open fault that a failure is one more case of. */
export const openFault = (profile: string, failed: { seed: number; message: string }): OpenFault | undefined =>
  OPEN_FAULTS.find(
    (fault) =>
      fault.profile === profile && (fault.seed ?? failed.seed) === failed.seed && fault.message.test(failed.message),
  );
