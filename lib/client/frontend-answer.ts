// Answers one lambda:Invoke request of aws-protocol.ts out of the use-cases.
import { isPocketfulError } from '../foundation/errors.ts';
import {
  BODY_BYTES_MAX,
  type FrontendAnswer,
  type FrontendRequest,
  fromBase64,
  parseRequest,
  toBase64,
  toWire,
} from './aws-protocol.ts';
import type { FrontendService, NewObject } from './frontend-service.ts';

/** Typed errors become answers; anything else is thrown, and so fails the invocation. */
export async function answerInvoke(service: FrontendService, event: unknown): Promise<FrontendAnswer> {
  try {
    return await answer(service, parseRequest(event));
  } catch (error) {
    return { error: toWire(error) };
  }
}

const decoded = ({ key, body, metadata }: { key: string; body: string; metadata?: string | undefined }): NewObject => ({
  key,
  body: fromBase64(body),
  metadata,
});

async function answer(service: FrontendService, request: FrontendRequest): Promise<FrontendAnswer> {
  switch (request.op) {
    case 'put':
      return { object: await service.put(request.namespace, decoded(request)) };
    case 'putMany': {
      const results = await service.putMany(request.namespace, request.objects.map(decoded));
      return { results: results.map((one) => (isPocketfulError(one) ? { error: toWire(one) } : { object: one })) };
    }
    case 'get': {
      const { object, offset, body } = await service.read(request.namespace, request, BODY_BYTES_MAX);
      return { object, offset, body: toBase64(body) };
    }
    case 'head':
      return { object: await service.head(request.namespace, request.key) };
    case 'delete':
      return { deleted: await service.delete(request.namespace, request.key) };
    case 'list': {
      const { objects, commonPrefixes, next } = await service.list(request.namespace, request);
      return { objects: [...objects], commonPrefixes: [...commonPrefixes], next };
    }
    case 'uploadBegin':
      return service.uploadBegin(request.namespace, request);
    case 'uploadPart':
      return service.uploadPart(request.upload, request.offset, fromBase64(request.body));
    case 'uploadFinish':
      return { object: await service.uploadFinish(request.upload, request.sizeBytes) };
    case 'uploadAbort':
      await service.uploadAbort(request.upload);
      return {};
  }
}
