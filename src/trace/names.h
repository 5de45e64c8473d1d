// The names of spans and of their fields, as they stand in trace files: whoever writes or reads one
// takes it from here. A name that is here keeps its meaning; docs/trace_format.md says the same at
// greater length, and tests/golden/trace_names.py holds the two to each other.
//
// A name ends with its unit. Fields stand below the spans that have them; one that several kinds of
// span have stands once, below all of them. Any span may have `error`.
#pragma once

#include <string_view>

namespace llama::trace::span {

// Roots, and what hangs from them beside the phases.
inline constexpr std::string_view kBuild = "build";      // a command of `llama build`
inline constexpr std::string_view kMachine = "machine";  // the build host in a second of a build
inline constexpr std::string_view kCommand = "command";  // `llama invoke`; a job of `llama xargs`
inline constexpr std::string_view kLlamacc = "llamacc";  // a compile, from the wrapper's main on

// Phases of a compile or a command, in this order. Done here: kQueue and kLocal instead of what is
// between kParse and kReply, or after as much of that as was tried.
inline constexpr std::string_view kSend = "send";      // until the daemon has the request
inline constexpr std::string_view kParse = "parse";    // command line, toolchain, plan
inline constexpr std::string_view kScan = "scan";      // finding the inputs
inline constexpr std::string_view kSync = "sync";      // bringing the store in step
inline constexpr std::string_view kInvoke = "invoke";  // one invocation of the function
inline constexpr std::string_view kVerify = "verify";  // were its lookups answered as here?
inline constexpr std::string_view kAudit = "audit";    // the same compile here, to compare
inline constexpr std::string_view kWrite = "write";    // the outputs, into place
inline constexpr std::string_view kReply = "reply";    // until the wrapper has printed and ended
inline constexpr std::string_view kQueue = "queue";    // waiting for a local slot
inline constexpr std::string_view kLocal = "local";    // the compiler, run by the wrapper itself

// Below `invoke`, by the worker's clock: the whole, and its phases in this order.
inline constexpr std::string_view kWorker = "worker";            // from request to answer
inline constexpr std::string_view kReceive = "receive";          // decoding the request
inline constexpr std::string_view kMaterialise = "materialise";  // bringing the mirror in step
inline constexpr std::string_view kExec = "exec";                // the command
inline constexpr std::string_view kCollect = "collect";          // gathering outputs and lookups

}  // namespace llama::trace::span

namespace llama::trace::field {

// On `build`, `machine`, `command`, `llamacc`.
inline constexpr std::string_view kBuildId = "global.build_id";  // names the folder of the build

// On `command`, `llamacc`.
inline constexpr std::string_view kLinkTraceId = "link.trace_id";   // of the build's root, in hex
inline constexpr std::string_view kLinkSpanId = "link.span_id";     // likewise
inline constexpr std::string_view kRemote = "remote";               // a function did it
inline constexpr std::string_view kReason = "reason";               // why not: a word to count
inline constexpr std::string_view kReasonDetail = "reason_detail";  // what it was in this case
inline constexpr std::string_view kPid = "pid";                     // of the wrapper
inline constexpr std::string_view kLocalUserNs = "local.user_ns";   // CPU time of the wrapper
inline constexpr std::string_view kLocalSystemNs = "local.system_ns";  // likewise
inline constexpr std::string_view kAbandoned = "abandoned";  // the wrapper left before the result

// On `build`, `command`, `llamacc`.
inline constexpr std::string_view kStatus = "status";  // exit status, or 128 + signal

// On `build`, `llamacc`, where it failed.
inline constexpr std::string_view kDiagnostic = "diagnostic";  // its first error, and what follows

// On `build`, `command`.
inline constexpr std::string_view kCommand = "command";  // of a build as typed; a command's name

// On `build`, `llamacc`.
inline constexpr std::string_view kCwd = "cwd";  // working directory

// On `build`.
inline constexpr std::string_view kName = "name";                // as given
inline constexpr std::string_view kTagsPrefix = "tags.";         // before the key of each tag
inline constexpr std::string_view kCpus = "cpus";                // processors of the build host
inline constexpr std::string_view kVersion = "version";          // llama's
inline constexpr std::string_view kInterrupted = "interrupted";  // ended before its time
inline constexpr std::string_view kSpansLost = "spans_lost";     // not written: the disk was full
inline constexpr std::string_view kFailedTarget = "failed_target";  // first one that make named
inline constexpr std::string_view kStepsLeft = "steps_left";  // of ninja: not run since it failed
inline constexpr std::string_view kUpToDate = "up_to_date";   // make said so
inline constexpr std::string_view kUnseenCompiler =
    "unseen_compiler";                             // one that ran without llama
inline constexpr std::string_view kJobs = "jobs";  // how many it runs at once; 0: any number

// On `command`.
inline constexpr std::string_view kProgram = "program";       // its absolute path
inline constexpr std::string_view kTimeoutMs = "timeout_ms";  // as given

// On `llamacc`.
inline constexpr std::string_view kSource = "source";    // as the command line names it
inline constexpr std::string_view kObject = "object";    // likewise; what a link makes
inline constexpr std::string_view kInputs = "inputs";    // of a link: a line a file, at most 64 KiB
inline constexpr std::string_view kDepfile = "depfile";  // the rules for make that it writes
inline constexpr std::string_view kCompiler = "compiler";  // absolute path of the real one
inline constexpr std::string_view kFlags = "flags";        // -O, -g, -f, -m, -std=; at most 4 KiB

// On `llamacc`, `scan`.
inline constexpr std::string_view kRung = "rung";  // how the inputs were found

// On `llamacc`, where it was audited.
inline constexpr std::string_view kAudited = "audited";  // whether all was the same
inline constexpr std::string_view kAuditDifference = "audit_difference";  // or what was not

// On `scan`.
inline constexpr std::string_view kRungReason = "rung_reason";  // why not by the one above

// On `machine`: what happened in its time, or was so at its end.
inline constexpr std::string_view kCpuUserNs = "cpu.user_ns";  // of all processors together
inline constexpr std::string_view kCpuSystemNs = "cpu.system_ns";
inline constexpr std::string_view kCpuIowaitNs = "cpu.iowait_ns";
inline constexpr std::string_view kCpuStealNs = "cpu.steal_ns";
inline constexpr std::string_view kCpuBuildNs = "cpu.build_ns";  // of the build's own processes
// Of those of the other builds that the daemon has; absent if there are none.
inline constexpr std::string_view kCpuOtherBuildsNs = "cpu.other_builds_ns";
inline constexpr std::string_view kCpuCores = "cpu.cores";        // processors
inline constexpr std::string_view kCpuRunnable = "cpu.runnable";  // processes, at its end
inline constexpr std::string_view kCpuPressureNs =
    "cpu.pressure_ns";  // something waited (PSI some)
inline constexpr std::string_view kIoPressureNs = "io.pressure_ns";
inline constexpr std::string_view kMemoryPressureNs = "memory.pressure_ns";
inline constexpr std::string_view kMemoryBytes = "memory.bytes";  // at its end, as the next
inline constexpr std::string_view kMemoryAvailableBytes = "memory.available_bytes";
inline constexpr std::string_view kDiskReadBytes = "disk.read_bytes";  // of all disks
inline constexpr std::string_view kDiskWrittenBytes = "disk.written_bytes";
inline constexpr std::string_view kDiskBusyNs = "disk.busy_ns";  // of the busiest
inline constexpr std::string_view kNetworkReceivedBytes = "network.received_bytes";  // but for lo
inline constexpr std::string_view kNetworkSentBytes = "network.sent_bytes";
inline constexpr std::string_view kDaemonUserNs = "daemon.user_ns";  // the daemon's own
inline constexpr std::string_view kDaemonSystemNs = "daemon.system_ns";
inline constexpr std::string_view kDaemonChildrenNs =
    "daemon.children_ns";  // of what it ran, but workers: cc -M, audits
inline constexpr std::string_view kDaemonResidentBytes = "daemon.resident_bytes";
inline constexpr std::string_view kJobsRemote = "jobs.remote";    // of this build, at its end
inline constexpr std::string_view kJobsLocal = "jobs.local";      // running here
inline constexpr std::string_view kJobsWaiting = "jobs.waiting";  // to run here
inline constexpr std::string_view kWorkers = "workers";  // of the embedded cloud, at its end
inline constexpr std::string_view kWorkersBusy = "workers.busy";
inline constexpr std::string_view kWorkersCpuNs = "workers.cpu_ns";  // of all of them, in its time

// On `scan`.
inline constexpr std::string_view kFiles = "files";               // found
inline constexpr std::string_view kInlineBytes = "inline_bytes";  // of a command: sent with the job

// On `sync`.
inline constexpr std::string_view kInlineFiles = "inline_files";          // sent with the job
inline constexpr std::string_view kUploadedObjects = "uploaded_objects";  // to the store
inline constexpr std::string_view kUploadedBytes = "uploaded_bytes";
inline constexpr std::string_view kStoreNs = "store_ns";  // spent in requests to the store
// Of an upload whose end it did not wait for, since a core here was idle.
inline constexpr std::string_view kAwaitedBytes = "awaited_bytes";
inline constexpr std::string_view kAwaitedSentBytes = "awaited_sent_bytes";  // so far
inline constexpr std::string_view kAwaitedNs = "awaited_ns";                 // since it began

// On `sync`, `materialise`.
inline constexpr std::string_view kLayers = "layers";  // that hold the inputs

// On `sync`, `invoke`.
inline constexpr std::string_view kStoreRequests = "store_requests";  // made for this compile

// On `sync`, `invoke`, `materialise`, where requests failed and were made again.
inline constexpr std::string_view kRetriedRequests = "retried_requests";  // how many
inline constexpr std::string_view kRetriedNs = "retried_ns";  // those, and the waits after them

// On `invoke`.
inline constexpr std::string_view kFunction = "function";         // local, lambda:<name>, replay
inline constexpr std::string_view kAttempt = "attempt";           // from 1 on; more is a retry
inline constexpr std::string_view kAnswerBytes = "answer_bytes";  // as sent
inline constexpr std::string_view kRequests = "requests";         // to the function's API
inline constexpr std::string_view kQueuedNs = "queued_ns";        // until a worker was free
inline constexpr std::string_view kBilledMs = "billed_ms";        // as Lambda bills it
inline constexpr std::string_view kBilledEstimated = "billed_estimated";  // it did not say
inline constexpr std::string_view kMemoryMb = "memory_mb";  // configured: what is billed
inline constexpr std::string_view kInitNs = "init_ns";      // how long its cold start took
inline constexpr std::string_view kCostUsd = "cost_usd";    // at the published prices
inline constexpr std::string_view kWorkerJobs =
    "worker_jobs";  // its worker's so far, with this one

// On `invoke`, `receive`.
inline constexpr std::string_view kPayloadBytes = "payload_bytes";  // of the request, as sent

// On `invoke`, `worker`.
inline constexpr std::string_view kColdStart = "cold_start";  // a worker was started for it
inline constexpr std::string_view kWorkerId = "worker_id";    // random, of the worker's process

// On `invoke`, `materialise`.
inline constexpr std::string_view kFetchedObjects =
    "fetched_objects";  // by the worker, from the store
inline constexpr std::string_view kFetchedBytes = "fetched_bytes";

// On `invoke`, `exec`.
inline constexpr std::string_view kUserNs = "user_ns";  // of the command, in the function
inline constexpr std::string_view kSystemNs = "system_ns";
inline constexpr std::string_view kMaxRssBytes = "max_rss_bytes";

// On `verify`.
inline constexpr std::string_view kLookups = "lookups";      // how many
inline constexpr std::string_view kForetold = "foretold";    // whether the job had told them
inline constexpr std::string_view kCorrected = "corrected";  // a path that was answered wrongly

// On `write`.
inline constexpr std::string_view kOutputFiles = "output_files";

// On `write`, `collect`, `command`.
inline constexpr std::string_view kOutputBytes = "output_bytes";

// On `worker`.
inline constexpr std::string_view kJobCount = "job_count";  // its jobs so far, with this one
inline constexpr std::string_view kOutcome = "outcome";     // ran, or why not
inline constexpr std::string_view kXray = "xray";           // Lambda's own trace header

// On `materialise`.
inline constexpr std::string_view kFilesWritten = "files_written";
inline constexpr std::string_view kFilesRemoved = "files_removed";
inline constexpr std::string_view kEvictedBytes = "evicted_bytes";

// On `exec`.
inline constexpr std::string_view kExitStatus = "exit_status";  // or else:
inline constexpr std::string_view kSignal = "signal";

// On `collect`.
inline constexpr std::string_view kOutputs = "outputs";  // files
inline constexpr std::string_view kFound = "found";      // lookups that found something
inline constexpr std::string_view kAbsent = "absent";    // and that did not

// On any span.
inline constexpr std::string_view kError = "error";  // what went wrong in it

// The value of kFunction where the embedded cloud did it: its workers share the client's clock.
inline constexpr std::string_view kEmbeddedFunction = "local";

}  // namespace llama::trace::field
