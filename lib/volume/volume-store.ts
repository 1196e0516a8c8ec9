// One process's view of the volumes of a cell: soft state only, made once, gone without harm.
import { type AppendedGroup, appendGroup, type NewRecord } from './append.ts';
import type { Components } from './components.ts';
import { Directories } from './directories.ts';
import { DriveHealth } from './drive-health.ts';
import { OpenVolumes } from './open-volumes.ts';
import { RecordReader } from './read-record.ts';
import { ZoneAllocator } from './zones.ts';

export class VolumeStore {
  readonly c: Components;
  readonly health: DriveHealth;
  readonly zones: ZoneAllocator;
  readonly directories: Directories;
  readonly records: RecordReader;
  readonly open: OpenVolumes;

  constructor(components: Components) {
    this.c = components;
    this.health = new DriveHealth(components.clock);
    this.zones = new ZoneAllocator(components, this.health);
    this.directories = new Directories(components, this.health);
    this.records = new RecordReader(components, this.health, this.directories);
    this.open = new OpenVolumes(components, this.health, this.zones, this.directories);
  }

  /** LEASE, PUT and COMMIT of DESIGN 6a. The caller indexes the records and finishes or settles the group. */
  append(records: readonly NewRecord[]): Promise<AppendedGroup> {
    return appendGroup(this, records);
  }
}
