#include "llama/run/joblog.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

#include "base/file.h"

namespace llama::app {
namespace {

constexpr std::string_view kHeader =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";
constexpr size_t kFields = 9;
constexpr uint64_t kMaxLogBytes = uint64_t{1} << 30;

std::string Escaped(std::string_view command) {
  std::string out;
  for (const char c : command) {
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  while (fields.size() + 1 < kFields) {
    const size_t tab = line.find('\t');
    if (tab == line.npos) break;
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
  return fields;
}

std::string Seconds(int64_t ns) {
  char text[64];
  std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(ns / 1'000'000'000),
                static_cast<long long>(ns / 1'000'000 % 1000));
  return text;
}

}  // namespace

std::string FormatLogLine(const LogEntry& entry) {
  std::string line = std::to_string(entry.seq);
  for (const std::string& field :
       {entry.host, Seconds(entry.start_ns), Seconds(entry.run_ns),
        std::to_string(entry.sent_bytes), std::to_string(entry.received_bytes),
        std::to_string(entry.exit_status), std::to_string(entry.signal), Escaped(entry.command)}) {
    line.append("\t").append(field);
  }
  return line + "\n";
}

Result<JobLog> JobLog::Open(const std::string& path, bool resume) {
  const int flags = O_RDWR | O_CREAT | O_APPEND | (resume ? 0 : O_TRUNC);
  ASSIGN_OR_RETURN(Fd fd, OpenFile(path, flags, 0666));
  JobLog log(path, std::move(fd));
  TRY(log.ReadOld());
  return log;
}

Result<void> JobLog::ReadOld() {
  ASSIGN_OR_RETURN(const std::string text, ReadAll(fd_.get(), kMaxLogBytes, path_));
  if (text.empty()) return WriteAll(fd_.get(), kHeader, path_);
  // Cut short by a full disk, say: the next line begins a new one.
  if (!text.ends_with('\n')) TRY(WriteAll(fd_.get(), "\n", path_));
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const auto fields = Fields(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    size_t seq = 0;
    if (fields.size() != kFields) continue;
    const auto parsed = std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), seq);
    if (parsed.ec != std::errc() || seq == 0) continue;
    commands_.emplace(seq, fields[8]);
    logged_.insert(seq);
    if (fields[6] == "0" && fields[7] == "0") done_.emplace(seq, fields[8]);
  }
  return {};
}

Result<bool> JobLog::IsDone(size_t seq, std::string_view command) const {
  if (!logged_.contains(seq)) return false;
  const std::pair<size_t, std::string> key(seq, Escaped(command));
  if (!commands_.contains(key)) {
    return Error{Code::kInvalid, path_ + ": its job " + std::to_string(seq) +
                                     " is another command; was the log made with other items?"};
  }
  return done_.contains(key);
}

Result<void> JobLog::Write(const LogEntry& entry) {
  return WriteAll(fd_.get(), FormatLogLine(entry), path_);
}

}  // namespace llama::app
