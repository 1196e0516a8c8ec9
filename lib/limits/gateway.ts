// The S3 endpoint: what a request may be, and how much of them is under way at once.
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../foundation/durations.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

// Signatures.

/** How far the clock of a client may be from this one's: as on S3. */
export const CLOCK_SKEW_S3_MS = 15 * MINUTE_MS;
/** The longest life of a presigned URL: a week, as on S3. */
export const PRESIGNED_SECONDS_MAX = 604_800;
/** Headers that a signature covers: real ones cover about ten. */
export const SIGNED_HEADERS_MAX = 100;

// A request.

/** Bytes of the target of a request: a key of 1,024 bytes, each encoded by three characters, and a query. */
export const URI_BYTES_MAX = 8 * KIB;
/** Bytes of all headers: 2 KiB of metadata and whatever clients add. */
export const HEADERS_BYTES_MAX = 16 * KIB;
/** Bytes of a body that is XML: 10,000 parts with checksums take about half. */
export const XML_BYTES_MAX = 2 * MIB;
/** Elements within each other: what requests have is four. */
export const XML_DEPTH_MAX = 16;
/** Bytes of a line between chunks, and of all trailers. */
export const CHUNK_LINE_BYTES_MAX = 4 * KIB;
/** Bytes of one chunk: clients send 64 KiB to 8 MiB. */
export const CHUNK_BYTES_MAX = 16 * MIB;
/** Bytes of one PUT, as on S3. */
export const PUT_BYTES_MAX = 5 * KIB * MIB;
/** Bytes of a part but the last one, as on S3. */
export const PART_BYTES_MIN = 5 * MIB;
/** Parts of an upload, as on S3. */
export const PARTS_MAX = 10_000;
/** Objects that one request deletes, as on S3. */
export const DELETED_AT_ONCE = 1_000;
/** Bytes of names and values of users' metadata, as on S3. */
export const USER_METADATA_BYTES_MAX = 2 * KIB;
/** Tags of an object, and their lengths, as on S3. */
export const TAGS_MAX = 10;
export const TAG_NAME_CHARACTERS_MAX = 128;
export const TAG_VALUE_CHARACTERS_MAX = 256;

// Access keys.

/** Bytes of a stored key with all of its rules. */
export const ACCESS_KEY_BYTES_MAX = 256 * KIB;
/** Rules of one key. */
export const ACCESS_RULES_MAX = 100;
/** How long a key is believed to be what it was: one that was removed is refused everywhere after this. */
export const ACCESS_LOOK_EVERY_MS = 5 * SECOND_MS;
/** Signing keys that are remembered: one for each secret, day and region in use. */
export const SIGNING_KEYS_KEPT = 256;
/** Keys that are remembered, those that are not there among them. */
export const ACCESS_KEYS_KEPT = 1024;

// What is under way.

/** Bytes of small bodies in memory. */
export const SMALL_BODIES_BYTES_MAX = 64 * MIB;
/** Larger bodies that are stored at once: each has some blocks in memory. */
export const LARGE_BODIES_AT_ONCE = 4;
/** Bytes of blocks that are read and sent at once, of bodies that are no small ones. */
export const READ_BODIES_BYTES_MAX = 16 * MIB;
/** How long one of them counts while it is sent: at this pace all of them are more than a server reads in a second. */
export const READ_LEAVE_MS = 100;
/** Requests that wait for one of these: more are told to slow down. */
export const WAITING_BODIES_MAX = 256;
/** Objects that one batch of deletes takes. */
export const DELETES_PER_BATCH = 90;
/** Bytes of a body that is read though its request was refused, so that the connection can be used again. */
export const DROPPED_BYTES_MAX = MIB;
/** Open connections. */
export const CONNECTIONS_MAX = 1024;
/** Until all headers of a request have come. */
export const HEADERS_WAIT_MS = 10 * SECOND_MS;
/** Without a byte of a body that is being read or written: longer than any pause of a client that goes on. */
export const BODY_IDLE_MS = MINUTE_MS;
/** How long a connection without a request is kept. */
export const KEEP_ALIVE_MS = 60 * SECOND_MS;
/** How long figures of the store are shown before they are looked up anew: a look reads every row of volumes. */
export const STATUS_LOOK_EVERY_MS = MINUTE_MS;
/** How long requests under way may take to end when the server stops. */
export const STOP_WAIT_MS = 30 * SECOND_MS;

// Uploads in parts.

/** Given up this long after they began. */
export const UPLOAD_AGE_MS = 7 * DAY_MS;
/** Uploads that are listed of one bucket. */
export const UPLOADS_LISTED_MAX = 10_000;
/** How long a bucket is believed to be there. */
export const BUCKET_LOOK_EVERY_MS = 2 * SECOND_MS;
/** Buckets that are remembered. */
export const BUCKETS_KEPT = 1024;
