// Every Lambda function of Pocketful, with all defaults in one place: Node 24 on arm64, one minified ES module with the
// AWS SDK inside, source maps, its own log group with a retention, and a role that may do nothing but write there.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { ApplicationLogLevel, Architecture, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { missing } from '../foundation/errors.ts';
import type { StageSettings } from './stage-settings.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const BUNDLING: BundlingOptions = Object.freeze({
  format: OutputFormat.ESM,
  target: 'node24',
  mainFields: ['module', 'main'],
  bundleAwsSDK: true,
  minify: true,
  keepNames: true, // error classes are logged and matched by name
  sourceMap: true,
  sourcesContent: false,
  metafile: false,
});

export interface ServiceFunctionProps {
  /** Folder under functions/ that exports `handler`. */
  readonly folder: string;
  readonly name: string;
  readonly description: string;
  readonly stage: StageSettings;
  readonly environment: Readonly<Record<string, string>>;
  /** Default: the stage's functionMemoryMiB. */
  readonly memoryMiB?: number;
  /** Default: the stage's functionTimeoutSeconds. */
  readonly timeout?: Duration;
}

/** Throws `missing` HANDLER_MISSING rather than deploy a function without code. */
export function entryOf(folder: string): string {
  const file = `functions/${folder}/handler.ts`;
  if (!existsSync(`${ROOT}${file}`)) throw missing('HANDLER_MISSING', `there is no ${file}: nothing to deploy`);
  return `${ROOT}${file}`;
}

export class ServiceFunction extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { stage } = props;
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${props.name}`,
      retention: stage.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // The default role carries a managed policy that may write every log group of the account.
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    this.function = new NodejsFunction(this, 'Function', {
      functionName: props.name,
      description: props.description,
      entry: entryOf(props.folder),
      projectRoot: ROOT,
      depsLockFilePath: `${ROOT}package-lock.json`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMiB ?? stage.functionMemoryMiB,
      timeout: props.timeout ?? Duration.seconds(stage.functionTimeoutSeconds),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: props.name,
        POWERTOOLS_METRICS_NAMESPACE: 'Pocketful',
        POWERTOOLS_METRICS_DISABLED: String(!stage.functionMetrics),
        ...props.environment,
      },
      bundling: BUNDLING,
    });
  }
}
