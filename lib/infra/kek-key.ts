// The KMS key under which the versions of the key-encryption key are kept. Blocks never see KMS: one call unwraps a
// version for the life of a process.
import { Duration } from 'aws-cdk-lib';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { removalOf } from './removal.ts';

/** The shortest time KMS allows between asking for a key's deletion and its end. */
const PENDING_DAYS = 7;

export interface KekKeyProps {
  readonly stage: string;
  readonly ephemeral: boolean;
}

export class KekKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, props: KekKeyProps) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: `Pocketful ${props.stage}: wraps the key-encryption keys`,
      enableKeyRotation: true,
      removalPolicy: removalOf(props.ephemeral),
      ...(props.ephemeral ? { pendingWindow: Duration.days(PENDING_DAYS) } : {}),
    });
  }

  /** The unwrapping of key-encryption keys, without which no blob can be read, and new versions. */
  grantUse(grantee: IGrantable): Grant {
    return this.key.grant(grantee, 'kms:GenerateDataKeyWithoutPlaintext', 'kms:Decrypt');
  }
}
