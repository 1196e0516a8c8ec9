// The functions of a stage on memory bodies, as the client's batches: only the wire between them is left out.
import { onStage } from '../../lib/client/aws/aws-batches.ts';
import type { Invoker } from '../../lib/client/aws/aws-invoke.ts';
import type { StageOutputs } from '../../lib/client/aws/aws-stage.ts';
import { StageTasks } from '../../lib/client/aws/aws-tasks.ts';
import type { Batches } from '../../lib/compaction/do/batches.ts';
import { Stage } from '../functions/stage.ts';
import type { Process, World } from '../store/harness.ts';

const OUTPUTS = { compactor: 'compactor', drainer: 'drainer', gc: 'gc' } as unknown as StageOutputs;

export function stageBatches(world: World, p: Process, stage = new Stage(world)): Batches {
  const call: Invoker['call'] = async (name, event, schema) => {
    const answer = await stage.invoke(name as 'gc', event);
    if (name === 'drainer') while ((await stage.deliver()).received > 0);
    return schema.parse(answer);
  };
  return onStage(p.volumes, new StageTasks({ call } as Invoker, OUTPUTS, async () => p.components));
}
