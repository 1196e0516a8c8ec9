// A stage on AWS: what Lambda takes, what the functions answer, and how long their callers wait.
import { MINUTE_MS, SECOND_MS } from '../foundation/durations.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

// Requests and answers.

/** Lambda takes and gives 6 MiB of JSON; base64 makes 4 out of 3, and the rest is left for names and metadata. */
export const PAYLOAD_BYTES_MAX = 6 * MIB;
/** Plain bytes of all bodies of one request or answer: a block of the largest size and a little more. */
export const BODY_BYTES_MAX = 4 * MIB + 64 * KIB;
/** Characters of a body in base64. */
export const BASE64_CHARACTERS_MAX = Math.ceil(BODY_BYTES_MAX / 3) * 4;
/** Objects of one request. */
export const OBJECTS_PER_REQUEST_MAX = 256;
/** The frontend counts bytes and says what is wrong; these only bound the work before it does. */
export const KEY_CHARACTERS_MAX = 4096;
export const METADATA_CHARACTERS_MAX = 4096;
/** Bytes of a part of a long object, and of the longest answer. */
export const PART_BYTES_MAX = 4 * MIB;
/** A body up to this long is sent whole. */
export const WHOLE_BODY_BYTES_MAX = 4 * MIB;
/** Bytes that a client asks for at a time: what fits one answer. */
export const READ_PIECE_BYTES_MAX = 4 * MIB;

// A put of much at once: parts are staged, then gathered into large groups.

/** Of one gathering: what a function reads, codes and writes within its time. */
export const GATHER_BYTES_MAX = 256 * MIB;
/** Groups of one gathering, where these are small. */
export const GATHER_GROUPS = 16;
/** Parts that one gathering reads: those of its bytes, and as many cut short. */
export const GATHER_PARTS_MAX = (2 * GATHER_BYTES_MAX) / PART_BYTES_MAX;
export const GATHER_OBJECTS_MAX = 4096;
/** Of the names of a gathering as JSON, and of an outcome besides: question and answer have to fit. */
export const GATHER_NAMES_BYTES_MAX = 3 * MIB;
export const GATHER_OUTCOME_BYTES = 320;
/** No more objects are begun after so long: a third of the function's own time-out. */
export const GATHER_MS_MAX = 20 * SECOND_MS;
/** Parts that a gathering holds open: several bodies are read at once. */
export const STAGED_PARTS_HELD_MAX = 10;
/** S3 deletes what nobody gathered. */
export const STAGED_DAYS = 1;

// Who may ask.

/** Principals that a namespace names for reading, and for writing. */
export const PRINCIPALS_MAX = 50;
/** An ARN of IAM: a path of 512 and a name of 64 characters at the most, and what is before them. */
export const PRINCIPAL_CHARACTERS_MAX = 700;
/** A change of a namespace holds after so long in every process. */
export const NAMESPACE_RULES_MS = 30 * SECOND_MS;
/** Whose rules a process keeps at once. */
export const NAMESPACES_KNOWN_MAX = 1000;

// The caller.

/** Requests of one client under way. */
export const REQUESTS_AT_ONCE = 4;
/** Parts of a long object under way: they share the requests. */
export const PARTS_AT_ONCE = 3;
/** Runs of compaction that one client drives at once: a new account may have ten functions running altogether. */
export const STAGE_RUNS_AT_ONCE = 4;
/**
 * Calls of the frontend that is busy or throttled: up to a minute and a half of waiting, as an account of ten functions
 * is full for as long as some of them run.
 */
export const FRONTEND_ATTEMPTS_MAX = 11;
export const FRONTEND_BACK_OFF_MS_MAX = 20 * SECOND_MS;
/** The first wait is up to twice this, each further one up to twice the one before. */
export const FRONTEND_BACK_OFF_MS = 100;
/** Calls of a maintenance function, which may be called again at any time: half a minute of waiting. */
export const TASK_ATTEMPTS_MAX = 8;
export const TASK_BACK_OFF_MS = 250;
export const CONNECT_MS = 5 * SECOND_MS;
/** For the frontend: a little over its own default time-out, so that its answer comes first. */
export const ANSWER_MS = 90 * SECOND_MS;
/** For a maintenance function: Lambda's longest, and a little. */
export const TASK_ANSWER_MS = 910 * SECOND_MS;
/** Between two looks at a queue that others work off. */
export const QUEUE_POLL_MS = 2 * SECOND_MS;
/** So long without any progress, and it is not ours to wait for. */
export const QUEUE_IDLE_MS_MAX = 15 * MINUTE_MS;
/** So long DynamoDB keeps a change in its stream. */
export const STREAM_KEPT_SECONDS = 86_400;
/** Older figures of how late the table's stream is read say nothing of now. */
export const STREAM_AGE_MS_MAX = 10 * MINUTE_MS;

// The functions.

/** Lambda ends any invocation then. */
export const FUNCTION_SECONDS_MAX = 900;
/** Time-out of the frontend, unless the stage says otherwise. */
export const FRONTEND_SECONDS = 60;
/** Time-out of everything behind it; long work goes on in the next call. */
export const WORKER_SECONDS = 300;
/** Kept at the end of an invocation for ending in order: a third of its time, but not more than this. */
export const ENDING_MS_MAX = 30 * SECOND_MS;
/** The state machine waits longer than a function may run: whoever waits must not give up first. */
export const TASK_GRACE_SECONDS = 30;
/** The first wait of the state machine, which doubles up to the longest. */
export const MACHINE_WAIT_SECONDS = 2;
export const MACHINE_WAIT_SECONDS_MAX = 120;
/** A message is hidden for this many time-outs (AWS's advice): a throttled batch must not come back before its turn. */
export const VISIBILITY_PER_TIME_OUT = 6;
/** Runs of one execution: its input and its history stay short; the rest waits for the next one. */
export const EXECUTION_RUNS_MAX = 100;
/** Functions that a new account may have running altogether. */
export const EXECUTIONS_OF_NEW_ACCOUNT = 10;
/** Compactors at once, where that many functions may run. */
export const COMPACTORS_AT_ONCE = 4;
/** One of so many functions is a compactor, at the most; and an encoder that puts call for. */
export const EXECUTIONS_PER_COMPACTOR = 5;
export const EXECUTIONS_PER_ENCODER = 10;
/** Encoders at once that puts may call for, beside the scheduled one. */
export const ENCODERS_AT_ONCE = 3;
/** Passes of repair at once, of the compactors: the others go on with compaction. */
export const REPAIRERS_AT_ONCE = 2;
/** Lines of each list in the answer of a step of repair: it is the state of an execution, of at most 256 KiB. */
export const REPAIR_LINES_MAX = 50;
/** Live Coders at once: the least AWS allows. */
export const LIVE_CODERS_MAX = 2;
/** Messages of one invocation of the Live Coder: about a group's worth of buckets, gathered for a while. */
export const DRAIN_BATCH_MAX = 100;
/** Names and values of all variables of a function. */
export const ENVIRONMENT_BYTES_MAX = 4096;
/** S3's own. */
export const BUCKET_NAME_CHARACTERS_MAX = 63;
/** Drives of a stage: the function's policies and its 4 KB of variables name every one. */
export const STAGE_DRIVES_MAX = 48;
/** A role that was made a moment ago is not known everywhere yet. */
export const GUARD_ATTEMPTS_MAX = 5;
/** Drives that a refusal names: CloudFormation cuts long reasons. */
export const GUARD_DRIVES_NAMED_MAX = 3;
export const GUARD_WAIT_MS = 4 * SECOND_MS;
/** Of an amount of `deploy --load`: so that a sum of money is a number at all. */
export const LOAD_AMOUNT_MAX = 1e15;
