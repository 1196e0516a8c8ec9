// Where parts of bulk puts wait until they are gathered, a day at the most: a bucket that is no drive.
import { Duration, Stack } from 'aws-cdk-lib';
import { Grant } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { STAGED_DAYS } from '../limits/stage.ts';
import { bucketArn, exportedArn, privateBucket } from './drives.ts';

const NAME = 'Staging';

export class Staging extends Construct {
  readonly bucket: Bucket;
  /** For other stacks. */
  readonly bucketName: string;

  constructor(scope: Construct, id: string, { ephemeral }: { readonly ephemeral: boolean }) {
    super(scope, id);
    this.bucket = privateBucket(this, NAME, { ephemeral, expires: Duration.days(STAGED_DAYS) });
    const stack = Stack.of(this);
    this.bucketName = stack.exportValue(this.bucket.bucketName, { name: `${stack.stackName}:${NAME}` });
  }

  /** As `grantUse` grants it, with the name of the export in place of what is exported. */
  exportedArn(user: Construct): string {
    return exportedArn(`${Stack.of(this).stackName}:${NAME}`, user);
  }

  /** What S3Shelf calls of it; it is never listed, but without that right S3 calls a missing object forbidden. */
  grantUse(grantee: IFunction): void {
    const arn = bucketArn(this.bucketName, grantee);
    const actions = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
    Grant.addToPrincipal({ grantee, actions, resourceArns: [`${arn}/*`] }).assertSuccess();
    Grant.addToPrincipal({ grantee, actions: ['s3:ListBucket'], resourceArns: [arn] }).assertSuccess();
  }
}
