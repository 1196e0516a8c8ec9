// Wires the frontend function: the environment the stack gave it, one store for the life of the process, opened at the first request.
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { FrontendService, type OpenService } from '../../lib/client/frontend-service.ts';
import { openDeployed, stageOf } from '../../lib/engine/deployed.ts';
import { newHandler } from './handler.ts';

const stage = stageOf(process.env);
let opened: Promise<FrontendService> | undefined;

/** A failure is not kept: the next request tries again. */
const open: OpenService = () => {
  opened ??= openDeployed(stage).then(
    (store) => new FrontendService(store),
    (error: unknown) => {
      opened = undefined;
      throw error;
    },
  );
  return opened;
};

export const handler = newHandler({ open, logger: new Logger(), metrics: new Metrics() });
