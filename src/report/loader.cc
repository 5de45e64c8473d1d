#include "report/loader.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/file.h"
#include "report/build_record.h"
#include "report/columnar_file.h"
#include "report/format.h"
#include "report/merge.h"
#include "report/skew.h"
#include "report/span_parser.h"
#include "report/table_builder.h"
#include "report/trace_input.h"
#include "report/tree.h"

namespace llama::report {
namespace {

// Small enough to stay in a core's cache until it is parsed.
constexpr size_t kBlockBytes = size_t{256} << 10;
constexpr size_t kExamples = 5;
// Of generated traces; a line is rarely shorter, and room that is not used costs nothing.
constexpr uint64_t kLikelyLineBytes = 250;

// Cuts an input into lines and has them parsed.
class LineReader {
 public:
  LineReader(TableBuilder& builder, std::string label)
      : builder_(builder),
        parser_(builder),
        report_(builder.table().report),
        label_(std::move(label)) {
    buffer_.resize(kBlockBytes + SpanParser::kPaddingBytes);
  }

  Result<void> Read(TraceInput& input) {
    ++report_.files;
    while (true) {
      MakeRoom();
      ASSIGN_OR_RETURN(const TraceInput::Block block,
                       input.Read(buffer_.data() + held_, Capacity() - held_));
      if (block.after_gap) DropHeld(block.bytes);
      if (block.bytes == 0) break;
      report_.bytes += block.bytes;
      TakeLines(held_ + block.bytes);
      if (builder_.table().size() >= kMaxRows) return TooMany();
    }
    FinishLastLine();
    if (input.truncated() || cut_off_) ++report_.truncated;
    return {};
  }

 private:
  size_t Capacity() const { return buffer_.size() - SpanParser::kPaddingBytes; }

  Error TooMany() const {
    return {Code::kInvalid, label_ + ": more than " + std::to_string(kMaxRows) + " spans"};
  }

  // A line that does not fit: a larger buffer, up to where a line is no span.
  void MakeRoom() {
    if (held_ < Capacity()) return;
    if (held_ > kMaxLineBytes) {
      skipping_ = true;
      held_ = searched_ = 0;
      return;
    }
    buffer_.resize(2 * Capacity() + SpanParser::kPaddingBytes);
  }

  // The line begun was lost with what came after it.
  void DropHeld(size_t bytes) {
    std::memmove(buffer_.data(), buffer_.data() + held_, bytes);
    if (held_ > 0) cut_off_ = true;
    held_ = searched_ = 0;
    skipping_ = false;
  }

  void TakeLines(size_t size) {
    char* begin = buffer_.data();
    char* const end = begin + size;
    char* from = begin + searched_;
    while (true) {
      char* newline = static_cast<char*>(std::memchr(from, '\n', static_cast<size_t>(end - from)));
      if (newline == nullptr) break;
      if (std::exchange(skipping_, false)) {
        Reject("longer than 16 MiB", ++line_number_);
        ++report_.too_long;
      } else {
        Take({begin, static_cast<size_t>(newline - begin)});
      }
      from = begin = newline + 1;
    }
    held_ = static_cast<size_t>(end - begin);
    searched_ = held_;
    if (begin != buffer_.data()) std::memmove(buffer_.data(), begin, held_);
  }

  void Take(std::string_view line) {
    ++line_number_;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) return;
    if (line.size() > kMaxLineBytes) {
      ++report_.too_long;
      return Reject("longer than 16 MiB", line_number_);
    }
    ++report_.lines;
    if (const char* wrong = parser_.Parse(line)) {
      --report_.lines;
      Reject(wrong, line_number_);
    }
  }

  void Reject(const char* wrong, uint64_t line_number) {
    ++report_.lines;
    ++report_.malformed;
    if (report_.examples.size() >= kExamples) return;
    report_.examples.push_back(Printable(label_) + ":" + std::to_string(line_number) + ": " +
                               wrong);
  }

  // The last line may lack its newline. If it is no span, it was being written.
  void FinishLastLine() {
    if (skipping_) {
      cut_off_ = true;
      return;
    }
    std::string_view line(buffer_.data(), held_);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) return;
    if (parser_.Parse(line) == nullptr) {
      ++report_.lines;
    } else {
      cut_off_ = true;
    }
  }

  TableBuilder& builder_;
  SpanParser parser_;
  LoadReport& report_;
  const std::string label_;
  std::vector<char> buffer_;
  size_t held_ = 0;        // bytes at the buffer's front: a line begun
  size_t searched_ = 0;    // of these, known to hold no newline
  bool skipping_ = false;  // inside a line that is too long
  bool cut_off_ = false;
  uint64_t line_number_ = 0;
};

// What the spans of a file belong to, unless they say it themselves.
std::string BuildLabel(const std::string& path) {
  if (path == "-") return "stdin";
  const std::string_view name = BaseName(path);
  if (name == "trace.ndjson" || name == "trace.ndjson.zst") {
    const std::string_view folder = BaseName(DirName(path));
    if (folder != "." && folder != "/") return std::string(folder);
  }
  return std::string(name);
}

// Rows into a Table, file by file.
class TraceLoader {
 public:
  Result<void> Add(TraceInput& input, const std::string& name, std::string_view label) {
    builder_.Reserve(std::min<uint64_t>(
        builder_.table().size() + input.LikelyBytes() / kLikelyLineBytes, kMaxRows));
    LineReader reader(builder_, name);
    TRY(reader.Read(input));
    labels_.push_back(builder_.strings().Add(label));
    builder_.table().build.resize(builder_.table().size(),
                                  static_cast<uint32_t>(labels_.size() - 1));
    return {};
  }

  std::unique_ptr<Table> Finish(const LoadOptions& options) {
    auto table = builder_.Finish();
    ResolveParents(*table);
    AssignBuilds(*table, labels_);
    const BigVector<Row> order = OrderRows(*table);
    if (options.correct_clocks) CorrectClocks(*table, order);
    MeasureTree(*table, order);
    return table;
  }

 private:
  TableBuilder builder_;
  std::vector<StringId> labels_;
};

}  // namespace

Result<Columns> LoadFiles(std::span<const std::string> paths, const LoadOptions& options) {
  TraceLoader loader;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(TraceInput input, TraceInput::Open(path));
    TRY(loader.Add(input, path, BuildLabel(path)));
  }
  return Columns(loader.Finish(options));
}

namespace {

// Smaller traces are read faster than a second file is opened.
constexpr uint64_t kMinCachedBytes = uint64_t{256} << 10;

Result<std::unique_ptr<Table>> LoadTraceOf(const std::string& build_dir, const std::string& path,
                                           const LoadOptions& options) {
  TraceLoader loader;
  ASSIGN_OR_RETURN(TraceInput input, TraceInput::Open(path));
  TRY(loader.Add(input, path, BaseName(build_dir)));
  return loader.Finish(options);
}

// Its spans, from the columnar file if that fits the trace.
Result<std::unique_ptr<Table>> LoadBuild(const std::string& build_dir, const LoadOptions& options) {
  const std::string path = TracePath(build_dir);
  const std::string cache = ColumnsPath(build_dir);
  // What is cached has corrected clocks.
  if (!options.use_cache || !options.correct_clocks) return LoadTraceOf(build_dir, path, options);
  ASSIGN_OR_RETURN(const SourceStamp stamp, StampOf(path));
  if (auto bytes = ReadFile(cache); bytes) {
    auto table = DecodeColumnar(std::move(*bytes), stamp);
    if (table) return table;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Table> table, LoadTraceOf(build_dir, path, options));
  if (table->report.bytes < kMinCachedBytes) return table;
  // A folder that can't be written to has no cache; a trace that grew meanwhile makes it stale.
  if (const std::string bytes = EncodeColumnar(*table, stamp); !bytes.empty()) {
    (void)WriteFileAtomic(cache, bytes, 0600).has_value();
  }
  return table;
}

}  // namespace

Result<Columns> LoadBuilds(std::span<const std::string> build_dirs, const LoadOptions& options) {
  std::vector<std::unique_ptr<Table>> parts;
  for (const std::string& dir : build_dirs) {
    ASSIGN_OR_RETURN(std::unique_ptr<Table> part, LoadBuild(dir, options));
    parts.push_back(std::move(part));
  }
  if (parts.size() == 1) return Columns(std::move(parts[0]));
  return Columns(Concatenate(std::move(parts)));
}

Columns LoadText(std::string_view ndjson, const LoadOptions& options) {
  TraceLoader loader;
  TraceInput input = TraceInput::OfText(ndjson);
  // Only too many spans can fail; those before are kept.
  if (auto added = loader.Add(input, "text", "text"); !added) return Columns();
  return Columns(loader.Finish(options));
}

}  // namespace llama::report
