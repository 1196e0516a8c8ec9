// What a client of S3 is told when its request cannot be done: a code of S3's vocabulary, its status, one line.

/** Codes and their status, as the S3 API reference gives them. */
const STATUS = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  ConditionalRequestConflict: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartNumber: 416,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidTag: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchKey: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NoSuchWebsiteConfiguration: 404,
  NotImplemented: 501,
  NotModified: 304,
  ObjectLockConfigurationNotFoundError: 404,
  OwnershipControlsNotFoundError: 404,
  PreconditionFailed: 412,
  ReplicationConfigurationNotFoundError: 404,
  RequestTimeTooSkewed: 403,
  RequestTimeout: 400,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  NoSuchPublicAccessBlockConfiguration: 404,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type FaultCode = keyof typeof STATUS;

export class S3Fault extends Error {
  readonly code: FaultCode;
  readonly status: number;
  /** Further elements of the answer. */
  readonly details: Readonly<Record<string, string>>;

  constructor(code: FaultCode, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'S3Fault';
    this.code = code;
    this.status = STATUS[code];
    this.details = details;
  }
}

export const isS3Fault = (error: unknown): error is S3Fault => error instanceof S3Fault;
