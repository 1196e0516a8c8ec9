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

const PACK = 'a directory pack counts as stored when one column took it, and a torn one as an earlier attempt’s';

export const OPEN_FAULTS: readonly OpenFault[] = [
  { profile: 'swarm', message: /CHUNK_TRUNCATED part pack column/, what: PACK },
  { profile: 'swarm', message: /cannot give back its directories/, what: PACK },
  { profile: 'swarm', message: /KEK_DESTROYED/, what: 'a rewrap that stood still ends with KEK_DESTROYED; harmless' },
  { profile: 'swarm', seed: 828, message: /zone/, what: 'a zone claimed by a late request stays in use' },
  {
    profile: 'swarm',
    seed: 2254,
    message: /BLOCK_LIST_SHORT/,
    what: 'an upload given up is begun again by a late request, and published without a segment',
  },
];

/** The open fault that a failure is one more case of. */
export const openFault = (profile: string, failed: { seed: number; message: string }): OpenFault | undefined =>
  OPEN_FAULTS.find(
    (fault) =>
      fault.profile === profile && (fault.seed ?? failed.seed) === failed.seed && fault.message.test(failed.message),
  );
