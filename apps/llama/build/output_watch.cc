#include "llama/build/output_watch.h"

#include <algorithm>

#include "diagnostics/tool_errors.h"

namespace llama::app {
namespace {

constexpr size_t kMaxLine = 4096;
constexpr size_t kMaxFoundLines = 8;

bool IsBlank(const std::string& line) { return line.find_first_not_of(" \t") == line.npos; }

}  // namespace

void OutputWatch::Add(Stream stream, std::string_view bytes) {
  Line& line = lines_[static_cast<size_t>(stream)];
  while (!bytes.empty()) {
    const std::string_view rest = bytes.substr(0, bytes.find('\n'));
    const size_t end = std::min(rest.find('\r'), rest.size());
    const size_t room = kMaxLine - std::min(kMaxLine, line.text.size());
    line.text += bytes.substr(0, std::min(end, room));
    if (end == bytes.size()) return;
    bytes.remove_prefix(end + 1);
    EndLine(stream);
  }
}

void OutputWatch::End() {
  for (const Stream stream : {Stream::kOut, Stream::kErr}) EndLine(stream);
}

void OutputWatch::EndLine(Stream stream) {
  Line& of = lines_[static_cast<size_t>(stream)];
  const std::string line = diagnostics::WithoutEscapes(of.text);
  of.text.clear();
  if (!IsBlank(line)) TakeLine(of, line);
}

void OutputWatch::TakeLine(Line& of, const std::string& line) {
  if (diagnostics::SaysUpToDate(line)) says_up_to_date_ = true;
  if (diagnostics::ParseFailedTarget(line)) ++failures_;
  if (is_over_ || TakeFailure(of, line)) return;
  const auto stream = static_cast<size_t>(&of - lines_.data());
  if (found_.empty()) found_in_ = stream;
  if (found_.empty() ? diagnostics::ParseToolError(line).has_value()
                     : found_in_ == stream && found_lines_ < kMaxFoundLines) {
    found_ += line + "\n";
    ++found_lines_;
  }
  if (!diagnostics::IsProgress(line)) of.last_said = line;
}

// Whether the line tells of a failure, or belongs to what ninja tells of one.
bool OutputWatch::TakeFailure(const Line& of, const std::string& line) {
  if (ninja_ == Ninja::kCommand) {
    fallback_ = line;
    ninja_ = Ninja::kOutput;
    return true;
  }
  if (ninja_ == Ninja::kOutput) {
    // ninja shows what a command wrote at once, so what is next is another's.
    is_over_ = diagnostics::IsProgress(line) || diagnostics::ParseFailedTarget(line).has_value();
    return is_over_;
  }
  if (line.ends_with("(ignored)") && diagnostics::IsProgress(line)) {
    found_.clear();
    found_lines_ = 0;
    return true;
  }
  if (auto target = diagnostics::ParseFailedTarget(line)) {
    failed_target_ = std::move(*target);
    if (line.starts_with("FAILED: ")) {
      // Whatever looked like an error before was none of its.
      found_.clear();
      found_lines_ = 0;
      ninja_ = Ninja::kCommand;
      return true;
    }
    fallback_ = of.last_said;
    is_over_ = true;
    return true;
  }
  if (diagnostics::ParseMakeError(line)) {
    fallback_ = line;
    is_over_ = true;
    return true;
  }
  return false;
}

std::string OutputWatch::Diagnostic() const {
  return diagnostics::ErrorExcerpt(found_.empty() ? fallback_ : found_);
}

}  // namespace llama::app
