#include "traces/load/line_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text/format.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

// Small enough to stay in a core's cache until it is parsed.
constexpr size_t kBlockBytes = size_t{256} << 10;
constexpr size_t kExamples = 5;
// Of a document that is packed as tightly as a text of ours is not: what is likely, times this.
constexpr uint64_t kTightestRatio = 32;

static_assert(kMaxPartBytes == kMaxLineBytes);

std::string_view WithoutBlanks(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

LineReader::LineReader(TableBuilder& builder, LoadLimit& limit, std::string name)
    : builder_(builder),
      parser_(builder),
      limit_(limit),
      report_(builder.table().report),
      name_(std::move(name)) {
  buffer_.resize(kBlockBytes + SpanParser::kPaddingBytes);
}

Result<void> LineReader::Read(TraceInput& input) {
  ++report_.files;
  while (true) {
    MakeRoom();
    ASSIGN_OR_RETURN(const TraceInput::Block block,
                     input.Read(buffer_.data() + held_, Capacity() - held_));
    if (block.after_gap) DropHeld(block.bytes);
    if (block.bytes == 0) break;
    TRY(Count(input, block));
    TakeLines(held_ + block.bytes);
    TRY(CheckRoom(0));
  }
  FinishLastLine();
  if (input.truncated() || cut_off_) ++report_.truncated;
  return {};
}

Result<void> LineReader::Count(const TraceInput& input, const TraceInput::Block& block) {
  report_.bytes += block.bytes;
  limit_.Add(input.file_bytes() - std::exchange(file_bytes_, input.file_bytes()), block.bytes);
  if (limit_.TextFits()) return {};
  return Error{Code::kInvalid,
               name_ + ": not read, since " + FormatBytes(static_cast<int64_t>(file_bytes_)) +
                   " of it hold more than " + FormatBytes(LoadLimit::kFreeTextBytes) +
                   " of text, as no trace's do"};
}

Result<void> LineReader::CheckRoom(uint64_t held_bytes) const {
  if (builder_.table().size() >= kMaxRows) {
    return Error{Code::kInvalid, name_ + ": more than " + std::to_string(kMaxRows) + " spans"};
  }
  if (limit_.MemoryFits(builder_.MemoryBytes() + document_bytes_ + held_bytes)) return {};
  return Error{Code::kInvalid,
               name_ + ": not read, since " + FormatBytes(static_cast<int64_t>(file_bytes_)) +
                   " of it take more than " + FormatBytes(LoadLimit::kFreeMemoryBytes) +
                   " of memory, as no trace's do"};
}

bool LineReader::HasRoom(uint64_t held_bytes) {
  if (no_room_) return false;
  if (auto room = CheckRoom(held_bytes); !room) no_room_ = std::move(room).error();
  return !no_room_;
}

Result<void> LineReader::ReadDocument(TraceInput& input, ReadParts read) {
  ++report_.files;
  std::string document;
  // An array that grows is there twice for a moment; room that is not used takes no memory.
  const uint64_t likely = input.LikelyBytes();
  const uint64_t packed = std::min(kTightestRatio * likely, LoadLimit::kFreeMemoryBytes);
  document.reserve(std::min<uint64_t>(std::max(likely, packed), kMaxDocumentBytes) + kBlockBytes);
  while (true) {
    const size_t had = document.size();
    document.resize(had + kBlockBytes);
    ASSIGN_OR_RETURN(const TraceInput::Block block, input.Read(document.data() + had, kBlockBytes));
    document.resize(had + block.bytes);
    if (block.bytes == 0) break;
    TRY(Count(input, block));
    document_bytes_ = document.size();
    TRY(CheckRoom(0));
    if (document.size() > kMaxDocumentBytes) {
      return Error{
          Code::kInvalid,
          name_ + ": a document of more than 512 MiB; what has a span a line may be larger"};
    }
  }
  read(document, *this);
  if (no_room_) return *std::move(no_room_);
  if (input.truncated() || cut_off_) ++report_.truncated;
  return CheckRoom(0);
}

void LineReader::Add(const std::string& line) {
  ++line_number_;
  const std::string padded = line + std::string(SpanParser::kPaddingBytes, ' ');
  Take(std::string_view(padded).substr(0, line.size()));
}

void LineReader::Reject(const char* wrong) {
  ++line_number_;
  LeaveOut(wrong);
}

void LineReader::RejectTooLong() {
  ++line_number_;
  LeaveOutTooLong();
}

void LineReader::LeaveOutTooLong() {
  ++report_.too_long;
  LeaveOut("longer than 4 MiB");
}

// A line that does not fit gets a larger buffer, up to where a line is no span.
void LineReader::MakeRoom() {
  if (held_ < Capacity()) return;
  if (held_ > kMaxLineBytes) {
    skipping_ = true;
    held_ = 0;
    return;
  }
  buffer_.resize(2 * Capacity() + SpanParser::kPaddingBytes);
}

// What continued the line begun was lost.
void LineReader::DropHeld(size_t bytes) {
  std::memmove(buffer_.data(), buffer_.data() + held_, bytes);
  if (held_ > 0) cut_off_ = true;
  held_ = 0;
  skipping_ = false;
}

void LineReader::TakeLines(size_t size) {
  char* begin = buffer_.data();
  char* const end = begin + size;
  char* from = begin + held_;
  while (true) {
    void* const found = std::memchr(from, '\n', static_cast<size_t>(end - from));
    if (found == nullptr) break;
    char* const newline = static_cast<char*>(found);
    ++line_number_;
    if (std::exchange(skipping_, false)) {
      LeaveOutTooLong();
    } else {
      Take({begin, static_cast<size_t>(newline - begin)});
    }
    from = begin = newline + 1;
  }
  held_ = skipping_ ? 0 : static_cast<size_t>(end - begin);
  if (begin != buffer_.data()) std::memmove(buffer_.data(), begin, held_);
}

void LineReader::Take(std::string_view line) {
  line = WithoutBlanks(line);
  if (line.empty()) return;
  if (line.size() > kMaxLineBytes) return LeaveOutTooLong();
  if (const char* wrong = parser_.Parse(line)) return LeaveOut(wrong);
  ++report_.lines;
}

void LineReader::LeaveOut(const char* wrong) {
  ++report_.lines;
  ++report_.malformed;
  if (report_.examples.size() >= kExamples) return;
  report_.examples.push_back(Printable(name_) + ":" + std::to_string(line_number_) + ": " + wrong);
}

// The last line may lack its newline. If it is no span, it was being written.
void LineReader::FinishLastLine() {
  const std::string_view line = WithoutBlanks({buffer_.data(), held_});
  if (skipping_) {
    cut_off_ = true;
  } else if (line.empty()) {
    return;
  } else if (parser_.Parse(line) == nullptr) {
    ++report_.lines;
  } else {
    cut_off_ = true;
  }
}

}  // namespace llama::traces
