// Reading and writing the row of a verifier. Two passes at once do some work twice, and the later one's row stays.
import type { Components } from '../volume/rows/components.ts';
import { transact } from '../volume/rows/transact.ts';
import {
  type VerifierName,
  type VerifierRow,
  verifierAttributes,
  verifierFromRow,
  verifierKey,
} from './verifier-row.ts';

type Ports = Pick<Components, 'panda' | 'settings' | 'clock' | 'randomness'>;

export async function readVerifier({ panda, settings }: Ports, name: VerifierName): Promise<VerifierRow | undefined> {
  const row = await panda.get(verifierKey(settings.cell, name));
  return row === undefined ? undefined : verifierFromRow(row);
}

export async function writeVerifier(ports: Ports, name: VerifierName, row: VerifierRow): Promise<void> {
  const put = { kind: 'put', ...verifierKey(ports.settings.cell, name), attributes: verifierAttributes(row) } as const;
  await transact(ports, [put], async () => false);
}
