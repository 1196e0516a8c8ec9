// Every Lambda function of Pocketful, with all defaults in one place: Node 24 on arm64, one minified ES module with the
// AWS SDK inside, source maps, its own log group with a retention, and a role that may do nothing but write there.
import { AssetHashType, DockerImage, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundle, entryOf, ROOT } from './bundle.ts';
import { checkEnvironment } from './environment-size.ts';
import type { StageSettings } from './stage-settings.ts';

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

export class ServiceFunction extends Construct {
  readonly function: LambdaFunction;

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
    const environment = {
      NODE_OPTIONS: '--enable-source-maps',
      POWERTOOLS_SERVICE_NAME: props.name,
      POWERTOOLS_METRICS_NAMESPACE: 'Pocketful',
      POWERTOOLS_METRICS_DISABLED: String(!stage.functionMetrics),
      ...props.environment,
    };
    checkEnvironment(stage, props.folder, environment);
    this.function = new LambdaFunction(this, 'Function', {
      functionName: props.name,
      description: props.description,
      code: codeOf(props.folder),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMiB ?? stage.functionMemoryMiB,
      timeout: props.timeout ?? Duration.seconds(stage.functionTimeoutSeconds),
      role,
      // It gives the role what X-Ray asks for.
      ...(stage.tracing ? { tracing: Tracing.ACTIVE } : {}),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      environment,
    });
  }
}

/** Bundled when a stack is deployed or shown, not in tests and not by `cdk ls` or `cdk destroy`. */
function codeOf(folder: string): Code {
  entryOf(folder);
  return Code.fromAsset(`${ROOT}functions/${folder}`, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('none: bundled here'),
      local: {
        tryBundle: (outputDirectory) => {
          bundle(folder, outputDirectory);
          return true;
        },
      },
    },
  });
}
