#include "llama/build/output_watch.h"

#include <algorithm>

#include "diagnostics/tool_errors.h"

namespace llama::app {
namespace {

constexpr size_t kMaxLine = 4096;
constexpr size_t kMaxFoundLines = 8;

constexpr size_t kMaxFound = 32;

// "a" of "src/a.cc:3" and of "CMakeFiles/p.dir/a.cc.o".
std::string NameOf(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  return std::string(path.substr(0, path.find_first_of(".:")));
}

// What compilers say before an error in a header: "In file included from x.h:1,", then, indented,
// "from a.c:2:". The last is the source.
std::string IncluderOf(std::string_view line) {
  constexpr std::string_view kFrom = "from ";
  if (line.starts_with("In file included ")) line.remove_prefix(17);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const bool is_one = line.starts_with(kFrom) && (line.ends_with(':') || line.ends_with(','));
  return is_one ? NameOf(line.substr(kFrom.size())) : std::string();
}

// automake puts the program's name before the source's: "prog-a.o".
bool IsMadeFrom(const std::string& target, const std::string& source) {
  const std::string name = NameOf(target);
  return !source.empty() && (name == source || name.ends_with("-" + source));
}

// Of a make that only goes through folders: "make -C lib", automake's "Making all in lib".
bool IsOnTheWay(std::string_view line) {
  if (line.starts_with("Making ")) return true;
  if (line.starts_with('[')) return false;  // a step of cmake's or ninja's
  const std::string_view word = line.substr(0, line.find(' '));
  const std::string_view program = word.substr(word.rfind('/') + 1);
  const bool is_make = program == "make" || program == "gmake";
  return diagnostics::IsProgress(line) || (is_make && line.find_first_of(";&|") == line.npos);
}

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
  if (diagnostics::SaysUpToDate(line)) {
    (line.starts_with("ninja: ") ? ninja_is_up_to_date_ : a_make_is_up_to_date_) = true;
  } else if (!IsOnTheWay(line)) {
    says_more_ = true;
  }
  if (diagnostics::ParseFailedTarget(line)) ++failures_;
  if (is_over_ || TakeFailure(of, line)) return;
  TakeError(of, line);
  if (!diagnostics::IsProgress(line)) of.last_said = line;
}

void OutputWatch::TakeError(Line& of, const std::string& line) {
  if (const auto error = diagnostics::ParseToolError(line)) {
    const std::string source = of.includer.empty() ? NameOf(error->place) : of.includer;
    const bool goes_on = of.found < found_.size() && found_[of.found].source == source;
    if (!goes_on && found_.size() < kMaxFound) {
      of.found = found_.size();
      found_.push_back({source, "", 0});
    }
    of.includer.clear();
  } else if (std::string includer = IncluderOf(line); !includer.empty()) {
    of.includer = std::move(includer);
  }
  if (of.found >= found_.size() || found_[of.found].lines >= kMaxFoundLines) return;
  found_[of.found].text += line + "\n";
  ++found_[of.found].lines;
}

void OutputWatch::ForgetFound() {
  found_.clear();
  for (Line& line : lines_) line.found = kNowhere;
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
    if (!is_over_) fallback_ = line;
    return is_over_;
  }
  if (line.ends_with("(ignored)") && diagnostics::IsProgress(line)) {
    ForgetFound();
    return true;
  }
  if (auto target = diagnostics::ParseFailedTarget(line)) {
    failed_target_ = std::move(*target);
    if (line.starts_with("FAILED: ")) {
      // Whatever looked like an error before was none of its.
      ForgetFound();
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
  if (found_.empty()) return diagnostics::ErrorExcerpt(fallback_);
  auto chosen = found_.begin();
  if (ninja_ == Ninja::kNone) {
    chosen = std::find_if(found_.begin(), found_.end(), [&](const Found& found) {
      return IsMadeFrom(failed_target_, found.source);
    });
  }
  return diagnostics::ErrorExcerpt((chosen == found_.end() ? found_.begin() : chosen)->text);
}

}  // namespace llama::app
