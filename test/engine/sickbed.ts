// One drive after the other is lost with all that lay on it, or is to be emptied; once what it held is whole elsewhere it is used again.
import { changeDrive } from '../../lib/engine/drives/change-drive.ts';
import { listDrives } from '../../lib/engine/drives/list-drives.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import type { SeededRandomness } from '../../lib/foundation/randomness.ts';

export class Sickbed {
  readonly #random: SeededRandomness;
  /** The drive that is lost now. */
  lost: readonly number[] = [];
  healed = 0;

  constructor(random: SeededRandomness) {
    this.#random = random;
  }

  async visit({ components, volumes }: EmbeddedStore): Promise<void> {
    const { drives } = await listDrives(components);
    const sick = drives.find(({ state }) => state !== 'active');
    if (sick === undefined) {
      const drive = this.#random.below(drives.length);
      if (this.#random.below(2) === 0) {
        await changeDrive(volumes, drive, { state: 'draining' });
        return;
      }
      await changeDrive(volumes, drive, { state: 'lost' });
      for (const zone of (await components.drives[drive]?.zones()) ?? []) await components.drives[drive]?.erase(zone);
      this.lost = [drive];
    } else if (sick.columns === 0) {
      await changeDrive(volumes, sick.drive, { state: 'active' });
      this.lost = [];
      this.healed += 1;
    }
  }
}
