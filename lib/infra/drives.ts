// The drives of a stage: one private S3 bucket each. A drive's number is its position here for good, so drives may be
// added at the end, never removed or reordered.
import { Duration, Fn } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { removalOf } from './removal.ts';

export interface DrivesProps {
  readonly count: number;
  readonly ephemeral: boolean;
}

export class Drives extends Construct {
  readonly buckets: readonly Bucket[];

  constructor(scope: Construct, id: string, props: DrivesProps) {
    super(scope, id);
    this.buckets = Array.from({ length: props.count }, (_, drive) => this.#bucket(drive, props.ephemeral));
  }

  #bucket(drive: number, ephemeral: boolean): Bucket {
    return new Bucket(this, `Drive${String(drive).padStart(2, '0')}`, {
      // Chunks are ciphertext already; S3's own key adds encryption at rest free of charge.
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Chunks are never overwritten, and a shredded one must be gone: no versions.
      versioned: false,
      lifecycleRules: [{ id: 'abort-multipart', abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: removalOf(ephemeral),
      autoDeleteObjects: ephemeral,
    });
  }

  /** The buckets' names in order, separated by commas. */
  get names(): string {
    return Fn.join(
      ',',
      this.buckets.map((bucket) => bucket.bucketName),
    );
  }

  /** What the drive port's S3 body calls, and nothing else; s3:PutObject covers conditional creation. */
  grantUse(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:ListBucket'],
      resourceArns: this.buckets.map((bucket) => bucket.bucketArn),
    }).assertSuccess();
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      resourceArns: this.buckets.map((bucket) => bucket.arnForObjects('*')),
    }).assertSuccess();
  }
}
