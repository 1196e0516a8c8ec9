// The declared workloads that policies are compared on: how data comes and goes, and what happens to it once.
import type { Deletes } from '../fleet/deletes.ts';
import { deletesOf } from '../fleet/deletes.ts';
import type { FleetRun } from '../fleet/fleet-run.ts';
import type { Separated } from '../fleet/world.ts';

export interface Workload {
  readonly name: string;
  readonly deletes: Deletes;
  /** Overhead of the fleet it starts with. */
  readonly startOverhead: number;
  readonly days: number;
  /** Not counted. */
  readonly warmUpDays: number;
  /** Classes are kept apart from the beginning. */
  readonly separated?: Separated;
  /** Before the first counted day. */
  readonly happens?: (run: FleetRun) => void;
}

const steady = (name: string, deletes: Deletes, days: number): Workload => ({
  name,
  deletes,
  startOverhead: 1.15,
  days,
  warmUpDays: Math.round(days / 3),
});

/** A calm store on which something happens. */
const calm = (name: string, happens: (run: FleetRun) => void, deletes = deletesOf('uniform', 0.002)): Workload => ({
  name,
  deletes,
  startOverhead: 1.06,
  days: 45,
  warmUpDays: 5,
  happens,
});

/** What is left goes on as before, in proportion. */
const massDelete = (part: number) => (run: FleetRun) => {
  run.deleteAtOnce(0, part);
  run.change(deletesOf('uniform', 0.002));
};

const tenants = (perDay: number): Deletes => ({
  name: 'two tenants',
  classes: [
    { writeShare: 0.5, liveShare: 0.5 },
    { writeShare: 0.5, liveShare: 0.5 },
  ],
  perDay,
});

function oneTenantLeaves(run: FleetRun): void {
  run.deleteAtOnce(0, 1);
  const classes = [
    { writeShare: 0, liveShare: 0 },
    { writeShare: 1, liveShare: 1 },
  ];
  run.change({ name: 'one tenant', classes, perDay: 0.002 });
}

export const WORKLOADS: readonly Workload[] = [
  steady('uniform 0.5 %/day', deletesOf('uniform', 0.005), 120),
  steady('uniform 2 %/day', deletesOf('uniform', 0.02), 90),
  steady('uniform 5 %/day', deletesOf('uniform', 0.05), 60),
  steady('80/20, 2 %/day', deletesOf('80/20', 0.02), 90),
  steady('90/10, 2 %/day', deletesOf('90/10', 0.02), 90),
  steady('age-dependent, 2 %/day', deletesOf('age', 0.02), 90),
  calm('75 % deleted at once', massDelete(0.75)),
  calm('90 % deleted at once', massDelete(0.9)),
  calm('under-filled Live Coder', (run) =>
    run.begin({ shape: 'severe', volumes: run.model.allocatedVolumes / 2, fromDay: run.day, rampDays: 20 }),
  ),
  calm('one of two tenants leaves', oneTenantLeaves, tenants(0.002)),
];

/** The same after a calm life, and after one in which everything was rewritten several times. */
export const TENANTS: readonly Workload[] = [
  calm('one of two tenants leaves', oneTenantLeaves, tenants(0.002)),
  { ...calm('the same after 90 days of 2 %/day', oneTenantLeaves, tenants(0.02)), days: 130, warmUpDays: 90 },
];

/** Live volumes. */
export const FLEET_SIZES = [20, 200] as const;
/** Fleets that take minutes have fewer workloads and policies. */
export const isLargeFleet = (liveVolumes: number): boolean => liveVolumes > 1000;
const OF_LARGE = ['uniform 2 %/day', '80/20, 2 %/day', '75 % deleted at once'];

export const workloadsFor = (liveVolumes: number): readonly Workload[] =>
  WORKLOADS.filter(({ name }) => !isLargeFleet(liveVolumes) || OF_LARGE.includes(name));
