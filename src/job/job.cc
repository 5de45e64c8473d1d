#include "job/job.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/codec.h"

namespace llama::job {
namespace {

constexpr std::string_view kJobMagic = "llJ";
constexpr std::string_view kAnswerMagic = "llA";
constexpr char kJobVersion = 5;
// Of one decoded message. An encoder of ours never makes more; a frame that claims more is refused.
constexpr uint64_t kMaxMessageBytes = 1ull << 30;
// A message that claims to be more than this, and more than so many times as large as its frame, is
// a bomb: no object of a real compile that was ever seen compresses so well.
constexpr uint64_t kFreeMessageBytes = 32 << 20;
constexpr uint64_t kMaxRatio = 256;
// Measured on object files: level 1 makes them 3.2 times smaller at 304 MB/s, level 3 3.6 times at
// 242 MB/s.
constexpr int kAnswerLevel = 1;
// Of redis's sources level 1 leaves 25.7 % at 255 MB/s, level 6 22.3 % at 86 MB/s: that would be a
// quarter of all that the daemon does for a compile, for 3 % of a source.
constexpr int kJobLevel = 1;

std::string Seal(std::string_view magic, std::string_view body, int level) {
  std::string out(magic);
  out.push_back(kJobVersion);
  const size_t head = out.size();
  out.resize(head + ZSTD_compressBound(body.size()));
  const size_t size =
      ZSTD_compress(out.data() + head, out.size() - head, body.data(), body.size(), level);
  // Only an allocation can fail with enough room; an empty frame is then refused by the reader.
  out.resize(head + (ZSTD_isError(size) != 0 ? 0 : size));
  return out;
}

// The frame's content, which must be of this size. Room is made as the content comes: a small frame
// that claims to be large is refused before it has cost much.
bool Decompress(std::string_view frame, uint64_t size, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   ZSTD_freeDCtx);
  if (!context) return false;
  ZSTD_inBuffer in = {frame.data(), frame.size(), 0};
  size_t used = 0;
  size_t hint = 1;
  while (hint != 0) {
    out.resize(std::min<uint64_t>(size, std::max<uint64_t>(2 * used, 8 * frame.size() + 65536)));
    ZSTD_outBuffer to = {out.data(), out.size(), used};
    const size_t consumed = in.pos;
    hint = ZSTD_decompressStream(context.get(), &to, &in);
    const bool stuck = to.pos == used && in.pos == consumed;
    if (ZSTD_isError(hint) != 0 || (hint != 0 && stuck)) return false;
    used = to.pos;
  }
  out.resize(used);
  return used == size && in.pos == frame.size();
}

Result<std::string> Unseal(std::string_view magic, std::string_view what,
                           std::string_view payload) {
  const std::string name(what);
  if (payload.size() < magic.size() + 1 || payload.substr(0, magic.size()) != magic) {
    return Error{Code::kInvalid, name + ": not a " + name};
  }
  if (payload[magic.size()] != kJobVersion) {
    return Error{Code::kInvalid, name + ": version " +
                                     std::to_string(static_cast<int>(payload[magic.size()])) +
                                     ", not " + std::to_string(static_cast<int>(kJobVersion))};
  }
  payload.remove_prefix(magic.size() + 1);
  const unsigned long long size = ZSTD_getFrameContentSize(payload.data(), payload.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      size > kMaxMessageBytes ||
      size > std::max<uint64_t>(kFreeMessageBytes, kMaxRatio * payload.size()) ||
      ZSTD_findFrameCompressedSize(payload.data(), payload.size()) != payload.size()) {
    return Error{Code::kInvalid, name + ": malformed frame"};
  }
  std::string body;
  if (!Decompress(payload, size, body)) return Error{Code::kInvalid, name + ": damaged frame"};
  return body;
}

void EncodeUsage(Encoder& out, const ProcessUsage& usage) {
  out.Int(usage.wall_ns);
  out.Int(usage.user_ns);
  out.Int(usage.system_ns);
  out.Int(usage.max_rss_bytes);
}

ProcessUsage DecodeUsage(Decoder& in) {
  ProcessUsage usage;
  usage.wall_ns = in.Int();
  usage.user_ns = in.Int();
  usage.system_ns = in.Int();
  usage.max_rss_bytes = in.Int();
  return usage;
}

void EncodeView(Encoder& out, const tree::View& view) {
  out.Uint(view.layers.size());
  for (const tree::LayerRef& layer : view.layers) {
    out.Bytes(layer.key);
    out.Uint(layer.size_bytes);
  }
  out.Uint(view.files.size());
  for (const tree::InlineFile& file : view.files) {
    out.Bytes(file.path);
    out.Bool(file.executable);
    out.Bytes(file.bytes);
  }
  out.Uint(view.extra.size());
  for (const auto& [path, entry] : view.extra) {
    out.Bytes(path);
    out.Bytes(entry.target);
  }
}

tree::View DecodeView(Decoder& in) {
  tree::View view;
  view.layers.resize(in.Count(2, sizeof(tree::LayerRef)));
  for (tree::LayerRef& layer : view.layers) {
    layer.key = in.String();
    layer.size_bytes = in.Uint();
  }
  view.files.resize(in.Count(3, sizeof(tree::InlineFile)));
  for (tree::InlineFile& file : view.files) {
    file.path = in.String();
    file.executable = in.Bool();
    file.bytes = in.String();
  }
  for (size_t left = in.Count(2); left > 0; --left) {
    tree::Entry& entry = view.extra[in.String()];
    entry.target = in.String();
    entry.type = entry.target.empty() ? tree::EntryType::kDir : tree::EntryType::kSymlink;
  }
  return view;
}

}  // namespace

store::Digest ReportDigest(const std::vector<std::string>& found,
                           const std::vector<std::string>& absent) {
  Encoder out;
  out.SortedStrings(found);
  out.SortedStrings(absent);
  return store::Sha256(out.str());
}

std::string EncodeJob(const Job& job) {
  Encoder out;
  trace::Encode(out, job.parent);
  EncodeView(out, job.view);
  out.Bytes(job.program);
  out.Strings(job.argv);
  out.Strings(job.env);
  out.Bytes(job.cwd);
  out.Uint(job.umask);
  out.Strings(job.output_dirs);
  out.Strings(job.placeholders);
  out.Uint(job.inodes.size());
  for (const tree::Inode& inode : job.inodes) {
    out.Bytes(inode.path);
    out.Int(inode.mtime_ns);
    out.Uint(inode.number);
  }
  out.Bool(job.record_reads);
  out.Int(job.timeout_ms);
  out.Uint(job.max_answer_bytes);
  out.Bool(job.any_command);
  out.Uint(job.outputs.size());
  for (const JobOutput& output : job.outputs) {
    out.Bytes(output.path);
    out.Bool(output.is_tree);
  }
  out.Bytes(job.input);
  out.Bool(job.in_image);
  out.Uint(job.foretold.size());
  for (const store::Digest& report : job.foretold) out.Raw(report.view());
  return Seal(kJobMagic, out.str(), kJobLevel);
}

Result<Job> DecodeJob(std::string_view payload) {
  ASSIGN_OR_RETURN(const std::string body, Unseal(kJobMagic, "job", payload));
  Decoder in(body);
  Job job;
  job.parent = trace::DecodeContext(in);
  job.view = DecodeView(in);
  job.program = in.String();
  job.argv = in.Strings();
  job.env = in.Strings();
  job.cwd = in.String();
  job.umask = in.Uint32();
  job.output_dirs = in.Strings();
  job.placeholders = in.Strings();
  job.inodes.resize(in.Count(3, sizeof(tree::Inode)));
  for (tree::Inode& inode : job.inodes) {
    inode.path = in.String();
    inode.mtime_ns = in.Int();
    inode.number = in.Uint();
  }
  job.record_reads = in.Bool();
  job.timeout_ms = in.Int();
  job.max_answer_bytes = in.Uint();
  job.any_command = in.Bool();
  job.outputs.resize(in.Count(2, sizeof(JobOutput)));
  for (JobOutput& output : job.outputs) {
    output.path = in.String();
    output.is_tree = in.Bool();
  }
  job.input = in.String();
  job.in_image = in.Bool();
  job.foretold.resize(in.Count(sizeof(store::Digest)));
  if (job.foretold.size() > kMaxForetold) in.Fail();
  for (store::Digest& report : job.foretold) {
    report = store::Digest::FromBytes(in.Raw(sizeof report)).value_or(store::Digest{});
  }
  if (!in.Done()) return Error{Code::kInvalid, "job: malformed"};
  return job;
}

std::string EncodeAnswer(const Answer& answer) {
  Encoder out;
  out.Uint(static_cast<uint64_t>(answer.outcome));
  out.Bytes(answer.error);
  out.Strings(answer.missing);
  out.Int(answer.status);
  out.Bytes(answer.root);
  out.Bytes(answer.out);
  out.Bytes(answer.err);
  out.Uint(answer.outputs.size());
  for (const OutputFile& file : answer.outputs) {
    out.Bytes(file.path);
    out.Uint(file.mode);
    out.Bytes(file.bytes);
  }
  out.Strings(answer.deleted);
  out.Bool(answer.lookups_complete);
  out.Uint(answer.foretold);
  out.SortedStrings(answer.found);
  out.SortedStrings(answer.absent);
  out.SortedStrings(answer.listed);
  out.Strings(answer.refused);
  out.Bool(answer.timed_out);
  EncodeUsage(out, answer.usage);
  out.Bytes(answer.worker.id);
  out.Uint(answer.worker.job_count);
  out.Bool(answer.worker.cold_start);
  out.Uint(answer.fetched_objects);
  out.Uint(answer.fetched_bytes);
  out.Uint(answer.spans.size());
  for (const trace::Span& span : answer.spans) trace::Encode(out, span);
  return Seal(kAnswerMagic, out.str(), kAnswerLevel);
}

Result<Answer> DecodeAnswer(std::string_view payload) {
  ASSIGN_OR_RETURN(const std::string body, Unseal(kAnswerMagic, "answer", payload));
  Decoder in(body);
  Answer answer;
  const uint64_t outcome = in.Uint();
  if (outcome > static_cast<uint64_t>(Outcome::kFailed)) in.Fail();
  answer.outcome = static_cast<Outcome>(outcome);
  answer.error = in.String();
  answer.missing = in.Strings();
  answer.status = in.Int32();
  answer.root = in.String();
  answer.out = in.String();
  answer.err = in.String();
  answer.outputs.resize(in.Count(3, sizeof(OutputFile)));
  for (OutputFile& file : answer.outputs) {
    file.path = in.String();
    file.mode = in.Uint32();
    file.bytes = in.String();
  }
  answer.deleted = in.Strings();
  answer.lookups_complete = in.Bool();
  answer.foretold = in.Uint();
  const std::string_view report = in.rest();
  answer.found = in.SortedStrings();
  answer.absent = in.SortedStrings();
  if (answer.lookups_complete && answer.foretold == 0) {
    answer.report = store::Sha256(report.substr(0, report.size() - in.rest().size()));
  }
  answer.listed = in.SortedStrings();
  answer.refused = in.Strings();
  answer.timed_out = in.Bool();
  answer.usage = DecodeUsage(in);
  answer.worker.id = in.String();
  answer.worker.job_count = in.Uint();
  answer.worker.cold_start = in.Bool();
  answer.fetched_objects = in.Uint();
  answer.fetched_bytes = in.Uint();
  answer.spans.resize(in.Count(8, sizeof(trace::Span)));
  for (trace::Span& span : answer.spans) span = trace::DecodeSpan(in);
  if (!in.Done()) return Error{Code::kInvalid, "answer: malformed"};
  return answer;
}

}  // namespace llama::job
