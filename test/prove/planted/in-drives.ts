// Planted in what watches drives and moves columns between them, and in restoring what was removed.
import type { Plant } from './plant.ts';

export const IN_DRIVES: readonly Plant[] = [
  {
    name: 'brake-is-not-held',
    profile: 'drives',
    file: 'lib/engine/drives/watch-drives.ts',
    find: "const isBraked = step.do === 'lose' && lossesByClock(rows.values(), nowMs) >= lossesMax(components);",
    replace: "const isBraked = step.do === 'lose' && lossesByClock(rows.values(), nowMs) > lossesMax(components);",
  },
  {
    name: 'drive-is-lost-though-nobody-looked',
    profile: 'drives',
    file: 'lib/engine/status/drive-watch.ts',
    find: 'away.seenMs <= nowMs && nowMs - away.seenMs <= lostAfterMs;',
    replace: 'away.seenMs <= nowMs;',
  },
  {
    // Either alone is held by the other.
    name: 'balance-to-a-drive-that-has-a-column',
    profile: 'drives',
    file: 'lib/volume/repair/balance-plan.ts',
    find: '    if (others.includes(to)) return false;\n',
    replace: '',
    also: [
      {
        file: 'lib/volume/rows/zones.ts',
        find: 'isActive(states, drive) && !keeps.includes(drive) &&',
        replace: 'isActive(states, drive) &&',
      },
    ],
  },
  {
    name: 'restore-of-another-version',
    aim: 'RESTORE',
    file: 'lib/frontend/removed/restore-object.ts',
    find: 'one.object.version === version)) last',
    replace: "one.object.version !== '')) last",
  },
  {
    name: 'restore-over-what-is-there',
    aim: 'RESTORE',
    file: 'lib/frontend/removed/restore-object.ts',
    find: "const ifVersion = request.overwrite ? undefined : 'absent';",
    replace: 'const ifVersion = request.overwrite ? undefined : request.version?.slice(99);',
  },
];
