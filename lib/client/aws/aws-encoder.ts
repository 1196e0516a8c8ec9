// Calls the stage's encoder for want of room: an event that Lambda keeps until the function takes it, so that the put
// that saw the pressure waits for nothing. It may be called as often as anybody likes: the encoder looks for itself.
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { PressureSignal } from '../../frontend/hot-gauge.ts';

const EVENT = Buffer.from(JSON.stringify({ pressure: true }));

/** `onFailure`: puts go on while there is room, and the next look calls again. */
export const encoderCall =
  (
    lambda: Pick<LambdaClient, 'send'>,
    functionName: string,
    onFailure: (error: Error) => void = () => {},
  ): PressureSignal =>
  async () => {
    try {
      const command = new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: EVENT });
      await lambda.send(command);
    } catch (error) {
      onFailure(error as Error);
    }
  };
