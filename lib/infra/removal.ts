// What happens to data when its stack goes: an ephemeral stage leaves nothing behind, a durable one keeps everything
// but what a creation made that failed, which nobody has used.
import { RemovalPolicy } from 'aws-cdk-lib';

export const removalOf = (ephemeral: boolean): RemovalPolicy =>
  ephemeral ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
