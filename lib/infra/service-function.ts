// Every Lambda function of Pocketful, with all defaults in one place: Node 24 on arm64, one minified ES module with the
// AWS SDK inside, source maps, its own log group with a retention, and a role that may do nothing but write there.
import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { ApplicationLogLevel, Architecture, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { StageSettings } from './stage-settings.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ServiceFunctionProps {
  /** Folder under functions/ whose main.ts exports `handler`. */
  readonly folder: string;
  readonly description: string;
  readonly stage: StageSettings;
  readonly environment: Readonly<Record<string, string>>;
}

export class ServiceFunction extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { stage } = props;
    const logGroup = new LogGroup(this, 'Logs', {
      retention: stage.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // The default role carries a managed policy that may write every log group of the account.
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    this.function = new NodejsFunction(this, 'Function', {
      description: props.description,
      entry: `${ROOT}functions/${props.folder}/main.ts`,
      projectRoot: ROOT,
      depsLockFilePath: `${ROOT}package-lock.json`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: stage.functionMemoryMiB,
      timeout: Duration.seconds(stage.functionTimeoutSeconds),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: `pocketful-${props.folder}`,
        POWERTOOLS_METRICS_NAMESPACE: 'Pocketful',
        POWERTOOLS_METRICS_DISABLED: String(!stage.functionMetrics),
        ...props.environment,
      },
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        mainFields: ['module', 'main'],
        bundleAwsSDK: true,
        minify: true,
        keepNames: true, // error classes are logged and matched by name
        sourceMap: true,
        sourcesContent: false,
        metafile: false,
      },
    });
  }
}
