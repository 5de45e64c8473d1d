// The messages between wrapper (or `llama`) and daemon over the unix socket (docs/wire_format.md,
// "Session"). A frame is: u32 little-endian length of what follows, u8 type, body.
//
//   client                     daemon
//   Hello ────────────────────▶            version and build id of the binary
//        ◀──────────────────── Welcome      or Refuse{busy}: another version runs; idle ones exit
//   Compile ──────────────────▶            argv, cwd, environment, umask, times so far
//        ◀──────────────────── KeepAlive    every few seconds while the job is under way
//        ◀──────────────────── Result       stdout, stderr, status: done remotely
//   or   ◀──────────────────── RunLocally   become the compiler; the open socket is the slot
//   Done ─────────────────────▶            after Result: end time and CPU use; then close
//
//   RunCommand ───────────────▶            any command: argv, environment, files, outputs
//        ◀──────────────────── KeepAlive, CommandResult; then Done as after Result
//
// One compile or command a connection. The daemon takes a hang-up as the end of the job: before
// Result it cancels, after RunLocally it frees the slot.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_namespace.h"
#include "base/result.h"
#include "trace/span.h"

namespace llama::session {

inline constexpr uint32_t kProtocolVersion = 6;
inline constexpr uint32_t kMaxFrameBytes = 512u << 20;

enum class FrameType : unsigned char {
  kHello = 1,
  kWelcome = 2,
  kRefuse = 3,
  kCompile = 4,
  kKeepAlive = 5,
  kResult = 6,
  kRunLocally = 7,
  kDone = 8,
  kStatus = 9,  // llama daemon status, live progress: ask
  kStatusReply = 10,
  kStop = 11,        // llama daemon stop
  kBeginBuild = 12,  // llama build: registers a build
  kEndBuild = 13,    // its root span; the trace is flushed before kAck
  kAck = 14,
  kRunCommand = 15,  // llama invoke, xargs
  kCommandResult = 16,
};

struct Frame {
  FrameType type = FrameType::kHello;
  std::string body;
};

// Whole messages over a blocking descriptor within a deadline. kNotFound: closed by the other side
// before a frame began; kInvalid: a malformed frame; kDeadline.
Result<void> SendFrame(int fd, FrameType type, std::string_view body, int64_t timeout_ms);
Result<Frame> ReceiveFrame(int fd, int64_t timeout_ms, uint32_t max_bytes = kMaxFrameBytes);
std::string EncodeFrame(FrameType type, std::string_view body);
// What stands before a frame's body.
struct FrameHead {
  FrameType type = FrameType::kHello;
  uint32_t body_bytes = 0;
};
inline constexpr size_t kFrameHeadBytes = 5;
// The head at the front of `buffer`; nothing while it is not whole. kInvalid as TakeFrame.
Result<std::optional<FrameHead>> ReadHead(std::string_view buffer, uint32_t max_bytes);
// Takes the first whole frame off `buffer`, a reader's bytes so far; nothing while it is not whole.
// kInvalid for a length of 0 or above `max_bytes`, as soon as the length is there.
Result<std::optional<Frame>> TakeFrame(std::string& buffer, uint32_t max_bytes);

// The layout of Hello, Welcome and Refuse is the same in every version, fields are only added at
// the end: it is how two versions find out about each other.
struct Hello {
  uint32_t version = kProtocolVersion;
  // Of the binaries: a daemon and its wrapper are of one build. Empty: any daemon will do, only
  // Status and Stop follow.
  std::string build_id;
};

struct Welcome {
  std::string build_id;
  uint32_t pid = 0;
};

struct Refuse {
  bool busy = false;  // false: the daemon exits now; wait for the hang-up and start another
  std::string build_id;
};

// The answer to BeginBuild, EndBuild and Stop.
struct Ack {
  std::string error;  // empty: done
};

enum class StreamKind : unsigned char { kClosed = 0, kOther = 1, kTerminal = 2 };
struct StandardStream {
  StreamKind kind = StreamKind::kOther;
  uint32_t columns = 0;  // of a terminal; 0: it does not say
  uint32_t rows = 0;
  bool operator==(const StandardStream&) const = default;
};

struct Compile {
  int64_t start_ns = 0;            // when the wrapper's main began, on the wall clock
  int64_t start_monotonic_ns = 0;  // the same on the monotonic clock, which all processes share
  std::string compiler;            // absolute path of the real compiler
  std::vector<std::string> argv;   // argv[0] as the compiler is to see it
  std::vector<std::string> env;    // the variables that matter: session/environment.h
  std::string cwd;                 // getcwd()
  uint32_t umask = 022;
  uint32_t group = 0;  // the effective one, of files that it makes
  uint32_t pid = 0;
  std::array<StandardStream, 3> streams = {};  // stdin, stdout, stderr
  // What the wrapper's names mean: a daemon elsewhere would read and write other files.
  FileNamespace file_namespace;

  bool stderr_is_terminal() const { return streams[2].kind == StreamKind::kTerminal; }
};

struct CompileResult {
  int32_t status = 0;  // as waitpid gives it
  std::string out;
  std::string err;
  // If there is something to print: the files that were written, for who can't print it.
  std::vector<std::string> written = {};
};

struct RunLocally {
  std::string reason;
};

struct Done {
  int64_t end_monotonic_ns = 0;
  int64_t user_ns = 0;
  int64_t system_ns = 0;
};

struct BeginBuild {
  std::string id;  // names the folder builds/<id>
  std::string name;
  int64_t start_ns = 0;
  trace::Context root;          // of the build's root span
  std::string record_dir = {};  // absolute; not empty: what comes of each action is kept there
  std::string replay_dir = {};  // absolute; not empty: actions are answered from there, as follows
  int32_t replay_workers = 1000;
  double replay_speed = 1;
  int64_t replay_cold_start_ms = 0;
  int64_t replay_uplink_bytes_per_s = 0;
  double audit_share = 0;  // of the compiles, how many are run here as well: 0 to 1
  trace::Span span = {};   // the root as it begins: written if the build ends without EndBuild
  int32_t pid = 0;         // of who runs the build's command; 0: not known
};

struct EndBuild {
  std::string id;
  trace::Span root;  // written to the build's trace before kAck
};

// A file that a command is to find. Both paths are absolute; `local` may be a directory, which
// means every regular file below it.
struct CommandInput {
  std::string local;
  std::string remote;
  bool is_shared = false;  // other commands read it as well: worth an object of its own
};

struct CommandOutput {
  std::string remote;
  std::string local;
  bool is_tree = false;  // every new file below the directory
};

// Run this command remotely (docs/any_command.md).
struct RunCommand {
  int64_t start_ns = 0;  // as of Compile
  int64_t start_monotonic_ns = 0;
  std::string build_id;     // as LLAMACC_BUILD_ID names it
  std::string traceparent;  // of that build's root, or of whoever called
  std::string program;      // absolute; in_image: as it was called
  std::vector<std::string> argv;
  std::vector<std::string>
      env;  // "K=V": what the command gets, and what its libraries are found by
  std::vector<std::string> overrides;  // "K=V" by the user's own hand: passed on as they are
  std::string cwd;                     // absolute, there
  uint32_t umask = 022;
  std::vector<CommandInput> inputs;
  std::vector<CommandOutput> outputs;
  std::string input;       // its stdin
  int64_t timeout_ms = 0;  // of the command; 0: the daemon's
  bool in_image = false;
  std::string function;  // by name; empty: the configured one
  uint32_t pid = 0;
};

struct CommandResult {
  // Not empty: llama could not do it, for this reason; nothing was written.
  std::string error;
  bool timed_out = false;  // with `error`: the command's time was up
  int32_t status = 0;      // as waitpid gives it
  std::string out;
  std::string err;
  std::string output_error;        // an announced output is missing or could not be written
  std::vector<std::string> notes;  // worth knowing when something is odd
  uint64_t output_bytes = 0;
  uint64_t sent_bytes = 0;
  int64_t wall_ns = 0;  // of the command in the function
};

// Asks for the daemon's state and the counters of one build (empty: of all since the start).
struct StatusRequest {
  std::string build_id;
};

struct Counters {
  uint64_t remote_done = 0;
  uint64_t local_done = 0;
  uint64_t remote_running = 0;  // from request to answer
  uint64_t local_running = 0;
  uint64_t local_waiting = 0;  // for a slot
  uint64_t cold_starts = 0;
  uint64_t retries = 0;
  uint64_t bytes_up = 0;        // payloads and uploaded objects
  uint64_t bytes_down = 0;      // answers, and objects fetched by workers
  uint64_t store_requests = 0;  // ours and the workers'
  uint64_t replayed = 0;        // answered from a recording
  uint64_t unrecorded = 0;      // of a replayed build: not in the recording, so run
  double cost_usd = 0;          // at AWS's published prices
};

struct Status {
  uint32_t pid = 0;
  std::string build_id;  // of the binary
  int64_t start_ns = 0;
  uint64_t connections = 0;
  int32_t workers = 0;
  int32_t busy_workers = 0;
  int32_t local_slots = 0;
  uint64_t layers = 0;  // of the remote tree, that some job may still name
  Counters counters;
  std::string backend;  // what runs jobs, where objects are: "lambda:llama, s3://bucket/"
  std::string outage;   // why nothing goes there now, in a line; empty: all is well
};

std::string Encode(const Hello& m);
std::string Encode(const Welcome& m);
std::string Encode(const Refuse& m);
std::string Encode(const Ack& m);
std::string Encode(const BeginBuild& m);
std::string Encode(const EndBuild& m);
std::string Encode(const StatusRequest& m);
std::string Encode(const Status& m);
Result<BeginBuild> DecodeBeginBuild(std::string_view body);
Result<EndBuild> DecodeEndBuild(std::string_view body);
Result<StatusRequest> DecodeStatusRequest(std::string_view body);
Result<Status> DecodeStatus(std::string_view body);
std::string Encode(const RunCommand& m);
std::string Encode(const CommandResult& m);
Result<RunCommand> DecodeRunCommand(std::string_view body);
Result<CommandResult> DecodeCommandResult(std::string_view body);
std::string Encode(const Compile& m);
std::string Encode(const CompileResult& m);
std::string Encode(const RunLocally& m);
std::string Encode(const Done& m);
Result<Hello> DecodeHello(std::string_view body);
Result<Welcome> DecodeWelcome(std::string_view body);
Result<Refuse> DecodeRefuse(std::string_view body);
Result<Ack> DecodeAck(std::string_view body);
Result<Compile> DecodeCompile(std::string_view body);
Result<CompileResult> DecodeCompileResult(std::string_view body);
Result<RunLocally> DecodeRunLocally(std::string_view body);
Result<Done> DecodeDone(std::string_view body);

}  // namespace llama::session
