// The data every cell of a zone shares: Panda and the key. It is deployed first, so the check of the settings is here:
// a contradiction fails this stack before any other one is touched.
import type { Construct } from 'constructs';
import { KekKey } from '../kek-key.ts';
import { PandaTable } from '../panda-table.ts';
import { SettingsGuard } from '../settings-guard.ts';
import { PocketfulStack, type PocketfulStackProps } from './pocketful-stack.ts';

export class ZoneDataStack extends PocketfulStack {
  readonly panda: PandaTable;
  readonly kek: KekKey;
  readonly guard: SettingsGuard;

  constructor(scope: Construct, id: string, props: PocketfulStackProps) {
    super(scope, id, { description: `Pocketful ${props.stage.stage}: metadata and key`, ...props });
    const { stage, ephemeral, isProtected, journal, events } = props.stage;
    this.panda = new PandaTable(this, 'Panda', { ephemeral, isProtected, isStreamed: journal || events });
    this.kek = new KekKey(this, 'Kek', { stage, ephemeral });
    this.guard = new SettingsGuard(this, 'SettingsGuard', { stage: props.stage, panda: this.panda });
  }
}
