// What looks at volumes come to: counts, the list of what is damaged, findings for people, and damage rows kept in
// step. Doctor and the scrubber look differently and say it alike.
import { isPocketfulError } from '../foundation/errors.ts';
import { DOCTOR_DAMAGE_LISTED_MAX, FINDING_PARTS_MAX } from '../limits/engine.ts';
import type { VolumeLook } from '../volume/check/look.ts';
import { columnsOn, LOST, type Redundancy, RedundancyCount, spareOf } from '../volume/check/redundancy.ts';
import type { ReadPorts } from '../volume/read/read-column.ts';
import { clearDamage, type DamageFound, noteDamage } from '../volume/rows/damage.ts';
import type { Findings } from './findings.ts';

export interface LooksReport {
  readonly redundancy: Redundancy;
  readonly looked: {
    readonly volumes: number;
    readonly groups: number;
    /** Chunks and directories that must exist. */
    readonly objects: number;
    /** Of these, on drives that answered, but not for them. */
    readonly unread: number;
    /** In zones of volumes, and named by nothing: no damage. */
    readonly strays: { readonly objects: number; readonly bytes: number };
  };
  /** What is damaged now; the first of it, if it is much. */
  readonly damage: readonly (DamageFound & { readonly drive: number })[];
  readonly moreDamage: number;
}

/** Adds up what was seen, volume by volume. */
export class LookSum {
  readonly #ports: ReadPorts;
  readonly #away: ReadonlySet<number>;
  readonly #findings: Findings;
  readonly #redundancy = new RedundancyCount();
  readonly #damage: (DamageFound & { readonly drive: number })[] = [];
  readonly #strays = { objects: 0, bytes: 0 };
  #moreDamage = 0;
  #volumes = 0;
  #groups = 0;
  #objects = 0;
  #unread = 0;

  constructor(ports: ReadPorts, away: ReadonlySet<number>, findings: Findings) {
    this.#ports = ports;
    this.#away = away;
    this.#findings = findings;
  }

  async add(look: VolumeLook): Promise<void> {
    this.#volumes += 1;
    this.#groups += look.groups;
    this.#objects += look.objects;
    this.#unread += look.unread;
    this.#strays.objects += look.strays.objects;
    this.#strays.bytes += look.strays.bytes;
    for (const one of look.damage) {
      const drive = look.volume.extents[one.column]?.drive ?? -1;
      if (this.#damage.length < DOCTOR_DAMAGE_LISTED_MAX) this.#damage.push({ ...one, drive });
      else this.#moreDamage += 1;
    }
    this.#say(look);
    if (look.volume.buckets.size > 0) this.#redundancy.add(look.volume.codec, look.spare);
    await this.#keep(look);
  }

  /** A finding per column and kind, and one more if something cannot be had back. */
  #say(look: VolumeLook): void {
    const { volume, damage, lostParts, unread, spare, pendingPack } = look;
    for (const [place, of] of Map.groupBy(damage, ({ column, kind }) => `${column} ${kind}`)) {
      const [column, kind] = place.split(' ') as [string, DamageFound['kind']];
      const parts = of.slice(0, FINDING_PARTS_MAX).map(({ part }) => String(part));
      const more = of.length > parts.length ? ` and ${of.length - parts.length} more` : '';
      const drive = volume.extents[Number(column)]?.drive;
      const text = `volume ${volume.id}, column ${column} (drive ${drive}): ${parts.join(', ')}${more}: ${of[0]?.reason}`;
      this.#findings.add('degraded', kind, text);
    }
    if (unread > 0)
      this.#findings.add('degraded', 'unread', `volume ${volume.id}: ${unread} objects cannot be read now`);
    const unlisted = look.unlisted - columnsOn(volume, this.#away).length;
    if (unlisted > 0)
      this.#findings.add('degraded', 'unread', `volume ${volume.id}: ${unlisted} columns cannot be listed now`);
    if (volume.buckets.size === 0) return;
    if (pendingPack !== undefined)
      this.#findings.add(
        'waits',
        'directories',
        `volume ${volume.id} has its directories on ${pendingPack.sound} of ${pendingPack.of} columns: it keeps its group rows until all have them`,
      );
    const gone = columnsOn(volume, this.#away);
    const drives = gone.map((column) => volume.extents[column]?.drive);
    const lacks = gone.length === 0 ? '' : ` lacks drives ${drives.join(', ')} and`;
    if (spare === LOST)
      this.#findings.add(
        'lost',
        'volume',
        `volume ${volume.id} (${volume.codec})${lacks} cannot give back ${partsText(lostParts)}: some of its records wait or are lost`,
      );
    else if (gone.length > 0)
      this.#findings.add(
        'degraded',
        'volume',
        `volume ${volume.id} (${volume.codec})${lacks} is read by its code: it survives the loss of ${spare} more columns, ${spareOf(volume.codec)} when all are there`,
      );
  }

  async #keep({ volume, found, healed }: VolumeLook): Promise<void> {
    const { components } = this.#ports;
    try {
      if (found.length > 0) await noteDamage(components, volume, found);
      await clearDamage(components, healed);
    } catch (error) {
      if (!isPocketfulError(error) || error.kind === 'corrupt') throw error;
      this.#findings.add('waits', 'damage', `the damage of volume ${volume.id} cannot be noted now: ${error.message}`);
    }
  }

  get report(): LooksReport {
    return {
      redundancy: this.#redundancy.result,
      looked: {
        volumes: this.#volumes,
        groups: this.#groups,
        objects: this.#objects,
        unread: this.#unread,
        strays: { ...this.#strays },
      },
      damage: this.#damage,
      moreDamage: this.#moreDamage,
    };
  }
}

const partsText = (parts: readonly (string | number)[]): string => {
  const named = parts
    .slice(0, FINDING_PARTS_MAX)
    .map((part) => (part === 'pack' ? 'its directories' : `group ${part}`));
  return named.join(', ') + (parts.length > named.length ? ` and ${parts.length - named.length} more` : '');
};
