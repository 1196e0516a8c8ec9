// The drives of a cell: one private S3 bucket each. A drive's number is its position here for good, so drives may be
// added at the end, never removed or reordered: other stacks import every name, and CloudFormation refuses to drop what
// is imported.
import { Arn, Duration, Fn, Stack, Token } from 'aws-cdk-lib';
import { Grant } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import { removalOf } from './removal.ts';
import type { DriveAccess } from './stage-parts.ts';

export interface DrivesProps {
  readonly count: number;
  readonly ephemeral: boolean;
}

export class Drives extends Construct {
  readonly buckets: readonly Bucket[];
  /** The buckets' names, for other stacks. */
  readonly #imported: readonly string[];

  constructor(scope: Construct, id: string, props: DrivesProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.buckets = Array.from({ length: props.count }, (_, drive) => this.#bucket(nameOf(drive), props.ephemeral));
    this.#imported = this.buckets.map((bucket, drive) =>
      stack.exportValue(bucket.bucketName, { name: `${stack.stackName}:${nameOf(drive)}` }),
    );
  }

  #bucket(name: string, ephemeral: boolean): Bucket {
    return privateBucket(this, name, { ephemeral });
  }

  /** The buckets' names in order, separated by commas. */
  get names(): string {
    return Fn.join(',', [...this.#imported]);
  }

  /** The ARNs that `grant` grants, with the name of the export in place of what is exported. */
  exportedArns(user: Construct): string[] {
    return this.buckets.map((_, drive) => exportedArn(`${Stack.of(this).stackName}:${nameOf(drive)}`, user));
  }

  /**
   * What the drive port's S3 body calls, and nothing else. Listing is looking too: without it S3 calls a missing object
   * forbidden. s3:PutObject covers conditional creation.
   */
  grant(grantee: IFunction, access: Exclude<DriveAccess, 'none'>): void {
    const arns = this.#imported.map((name) => bucketArn(name, grantee));
    Grant.addToPrincipal({ grantee, actions: ['s3:ListBucket'], resourceArns: arns }).assertSuccess();
    Grant.addToPrincipal({
      grantee,
      actions: OBJECT_ACTIONS[access],
      resourceArns: arns.map((arn) => `${arn}/*`),
    }).assertSuccess();
  }
}

export interface PrivateBucketProps {
  readonly ephemeral: boolean;
  /** Objects are deleted after so long; missing: never. */
  readonly expires?: Duration;
}

/** A bucket that holds ciphertext, for the stage's functions alone. `name` is its logical id, too. */
export function privateBucket(scope: Construct, name: string, { ephemeral, expires }: PrivateBucketProps): Bucket {
  const bucket = new Bucket(scope, name, {
    // Chunks are ciphertext already; S3's own key adds encryption at rest free of charge.
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    // Chunks are never overwritten, and a shredded one must be gone: no versions.
    versioned: false,
    lifecycleRules: [
      { id: 'abort-multipart', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ...(expires === undefined ? [] : [{ id: 'expire', expiration: expires }]),
    ],
    removalPolicy: removalOf(ephemeral),
    autoDeleteObjects: ephemeral,
  });
  // CloudFormation makes bucket names of it, and functions have 4 KB for all of them.
  (bucket.node.defaultChild as CfnBucket).overrideLogicalId(name);
  return bucket;
}

const OBJECT_ACTIONS: Readonly<Record<Exclude<DriveAccess, 'none'>, string[]>> = {
  look: ['s3:GetObject'],
  append: ['s3:GetObject', 's3:PutObject'],
  erase: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
};

/** The ARN of a bucket with the name of its export in place of its own. */
export function exportedArn(exported: string, user: Construct): string {
  const { partition } = Stack.of(user);
  return bucketArn(exported, user).replace(partition, Token.isUnresolved(partition) ? '<AWS::Partition>' : '$&');
}

export const bucketArn = (resource: string, user: IConstruct): string =>
  Arn.format({ service: 's3', region: '', account: '', resource }, Stack.of(user));

const nameOf = (drive: number): string => `Drive${String(drive).padStart(2, '0')}`;
