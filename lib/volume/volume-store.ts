// One process's view of the volumes of a cell: soft state only, made once, gone without harm.

import { assertLimits } from '../limits/relations.ts';
import { OpenVolumes } from './open/open-volumes.ts';
import { Directories } from './read/directories.ts';
import { RecordReader } from './read/read-record.ts';
import type { Components } from './rows/components.ts';
import { DriveHealth } from './rows/drive-health.ts';
import { ZoneAllocator } from './rows/zones.ts';

export class VolumeStore {
  readonly components: Components;
  readonly health: DriveHealth;
  readonly zones: ZoneAllocator;
  readonly directories: Directories;
  readonly records: RecordReader;
  readonly open: OpenVolumes;

  constructor(components: Components) {
    assertLimits();
    this.components = components;
    this.health = new DriveHealth(components.clock);
    this.zones = new ZoneAllocator(components, this.health);
    this.directories = new Directories(components, this.health);
    this.records = new RecordReader(components, this.health, this.directories);
    this.open = new OpenVolumes(components, this.health, this.zones, this.directories);
  }
}
