// The messages between daemon and worker: one job, its answer (docs/wire_format.md, "Job" and
// "Answer"). Both travel as the payload of an invocation: a zstd frame of the encoding, with a
// magic and version before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/process.h"
#include "base/result.h"
#include "base/root_mark.h"
#include "store/digest.h"
#include "trace/span.h"
#include "tree/inode.h"
#include "tree/view.h"

namespace llama::job {

// What a command other than a compiler is to leave behind. Nothing else that it writes is looked
// at.
struct JobOutput {
  std::string path;      // canonical local path
  bool is_tree = false;  // a directory: every regular file below it that is new or changed
};

struct Job {
  trace::Context parent;          // of the worker's spans
  tree::View view;                // what it finds
  std::string program;            // canonical local path of what to execute
  std::vector<std::string> argv;  // argv[0] included
  std::vector<std::string> env;   // "K=V", all of it but for what the worker adds itself
  std::string cwd;  // absolute local path (may go through symlinks of the view), kRootMark before
                    // it or not
  uint32_t umask = 022;
  // Directories (canonical local paths) in which new or changed files are outputs.
  std::vector<std::string> output_dirs;
  // Paths in them that exist locally: a placeholder stands for each, so that the command's deleting
  // it is seen.
  std::vector<std::string> placeholders;
  // What the command is told of these files (worker/preload/inodes.c).
  std::vector<tree::Inode> inodes;
  bool record_reads = true;       // preload the lookup recorder
  int64_t timeout_ms = 0;         // of the command
  uint64_t max_answer_bytes = 0;  // 0: the transport's own limit
  // A command of any kind (docs/any_command.md): `output_dirs` and `placeholders` are empty, and
  // the outputs are the announced ones. Whatever else it leaves in the tree is removed.
  bool any_command = false;
  std::vector<JobOutput> outputs;
  std::string input;      // on its stdin
  bool in_image = false;  // `program` is a path or a name that the worker's own PATH has
  // Of reports (found and absent) that need not be told again: at most kMaxForetold.
  std::vector<store::Digest> foretold;
};
inline constexpr size_t kMaxForetold = 4;

enum class Outcome : unsigned char {
  kRan = 0,             // the command ran to its end; everything below `outcome` holds
  kMissingObjects = 1,  // `missing` names them; nothing ran
  kFailed = 2,          // the worker could not do it: `error` says why
};

struct OutputFile {
  std::string path;  // canonical local path
  uint32_t mode = 0644;
  std::string bytes;
};

struct WorkerIdentity {
  std::string id;           // random, per worker process
  uint64_t job_count = 0;   // of this worker, this one included
  bool cold_start = false;  // this is its first
};

struct Answer {
  Outcome outcome = Outcome::kFailed;
  std::string error;                 // kFailed
  std::vector<std::string> missing;  // kMissingObjects: keys
  int32_t status = 0;                // as waitpid gives it
  std::string root;                  // what stands before local paths in the bytes below
  std::string out;
  std::string err;
  std::vector<OutputFile> outputs;
  std::vector<std::string> deleted;  // placeholders that are gone
  // Local paths (absolute, root taken off, "//" and "/./" collapsed, ".." kept, since only the
  // kernel knows what it leaves) of what the command looked up below the root, by what the first
  // lookup of each gave: files and directories that were found, and those that were not. What the
  // command itself created is in neither. Sorted, distinct.
  bool lookups_complete = false;  // the recorder ran in every process and lost nothing
  std::vector<std::string> found;
  std::vector<std::string> absent;
  // Not 0: they are those of the job's foretold report of this number, and are left out.
  uint64_t foretold = 0;
  // Of found and absent, as they came: made by DecodeAnswer, if they are complete and told.
  std::optional<store::Digest> report;
  // Directories whose names it asked for; only for commands of any kind. Sorted, distinct.
  std::vector<std::string> listed;
  // What kept an announced output from being taken: "/a/b: a directory".
  std::vector<std::string> refused;
  bool timed_out = false;  // kFailed: the command's time was up
  ProcessUsage usage;
  WorkerIdentity worker;
  uint64_t fetched_objects = 0;
  uint64_t fetched_bytes = 0;
  std::vector<trace::Span> spans;
};

// The digest of a report, as a job foretells it.
store::Digest ReportDigest(const std::vector<std::string>& found,
                           const std::vector<std::string>& absent);

std::string EncodeJob(const Job& job);
Result<Job> DecodeJob(std::string_view payload);
std::string EncodeAnswer(const Answer& answer);
Result<Answer> DecodeAnswer(std::string_view payload);

}  // namespace llama::job
