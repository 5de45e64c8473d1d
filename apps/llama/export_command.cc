// llama export: traces in other people's formats.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "client/connection.h"
#include "command.h"
#include "exports/format.h"
#include "load_account.h"
#include "report/build_record.h"
#include "report/format.h"
#include "report/loader.h"

namespace llama::app {
namespace {

constexpr auto kOptions = std::to_array<Option>({{"--format", true},
                                                 {"--build", true},
                                                 {"--trace", true},
                                                 {"--top", true},
                                                 {"--time-range", true},
                                                 {"--no-args"},
                                                 {"--max-bytes", true},
                                                 {"--duckdb", true},
                                                 {"--corrected-clocks"},
                                                 {"-o", true},
                                                 {"--output", true}});

struct Request {
  const exports::Format* format = nullptr;
  std::vector<std::string> builds;
  std::vector<std::string> files;
  exports::SelectOptions select;
  exports::ExportOptions options;
  uint64_t max_bytes = exports::Output::kNoLimit;
  std::string output;
};

std::string FormatNames() {
  std::string names;
  for (const exports::Format& format : exports::Formats()) {
    names.append(names.empty() ? "" : ", ").append(format.name);
  }
  return names;
}

Result<const exports::Format*> ReadFormat(const std::string& name) {
  if (name.empty()) return Error{Code::kInvalid, "give a --format: " + FormatNames()};
  if (const exports::Format* format = exports::FindFormat(name)) return format;
  return Error{Code::kInvalid, "no format '" + name + "'; there are " + FormatNames()};
}

// "5000000", "5M", "2G": powers of 1000.
Result<uint64_t> ReadNumber(std::string_view option, std::string_view text, bool suffixes) {
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view rest(read.ptr, static_cast<size_t>(text.data() + text.size() - read.ptr));
  uint64_t unit = 1;
  if (suffixes && (rest == "k" || rest == "K")) unit = 1'000;
  if (suffixes && rest == "M") unit = 1'000'000;
  if (suffixes && rest == "G") unit = 1'000'000'000;
  uint64_t product = 0;
  if (read.ec != std::errc() || (unit == 1 && !rest.empty()) || number == 0 ||
      __builtin_mul_overflow(number, unit, &product)) {
    return Error{Code::kInvalid, std::string(option) + " takes a number above 0" +
                                     (suffixes ? ", such as 500M" : "") + ", not '" +
                                     std::string(text) + "'"};
  }
  return product;
}

Result<void> ReadOption(const std::string& name, const std::string& value, Request& request) {
  if (name == "--build") request.builds.push_back(value);
  if (name == "--trace") request.select.traces.push_back(value);
  if (name == "--no-args") request.options.fields = false;
  if (name == "--corrected-clocks") request.options.corrected_clocks = true;
  if (name == "--duckdb") request.options.duckdb_library = value;
  if (name == "-o" || name == "--output") request.output = value;
  if (name == "--top") {
    ASSIGN_OR_RETURN(request.select.slowest, ReadNumber(name, value, false));
  }
  if (name == "--max-bytes") {
    ASSIGN_OR_RETURN(request.max_bytes, ReadNumber(name, value, true));
  }
  if (name == "--time-range") {
    ASSIGN_OR_RETURN(request.select.range, exports::ParseTimeRange(value));
  }
  return {};
}

Result<Request> ReadRequest(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed, ParseArguments(arguments, kOptions));
  Request request;
  ASSIGN_OR_RETURN(request.format, ReadFormat(parsed.Value("--format")));
  for (const auto& [name, value] : parsed.options) TRY(ReadOption(name, value, request));
  request.files = parsed.rest;
  if (!request.files.empty() && !request.builds.empty()) {
    return Error{Code::kInvalid, "either builds or files"};
  }
  if (request.output.empty()) {
    return Error{Code::kInvalid, "say where to: -o FILE, or -o - for standard output"};
  }
  if (request.output == "-" && request.format->binary && isatty(STDOUT_FILENO) == 1) {
    return Error{Code::kInvalid, std::string(request.format->name) +
                                     " is binary, and standard output is a terminal: give -o FILE"};
  }
  return request;
}

bool IsFolder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<report::Columns> LoadNamedBuilds(std::vector<std::string> names) {
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  if (names.empty()) names.push_back("");  // the latest
  std::vector<std::string> dirs;
  for (const std::string& name : names) {
    auto record = report::FindBuild(state_dir, name);
    if (!record) {
      Error error = std::move(record).error();
      error.message += "; 'llama builds' lists what there is";
      return error;
    }
    std::string dir = report::BuildDir(state_dir, record->id);
    if (std::find(dirs.begin(), dirs.end(), dir) == dirs.end()) dirs.push_back(std::move(dir));
  }
  return report::LoadBuilds(dirs);
}

Result<report::Columns> Load(const Request& request) {
  if (request.files.empty()) return LoadNamedBuilds(request.builds);
  const auto folders = std::count_if(request.files.begin(), request.files.end(), IsFolder);
  if (folders == 0) return report::LoadFiles(request.files);
  if (static_cast<size_t>(folders) != request.files.size()) {
    return Error{Code::kInvalid, "either trace files or folders of builds"};
  }
  return report::LoadBuilds(request.files);
}

// On stderr: standard output may be the document.
void Tell(const Request& request, const exports::ExportResult& result) {
  for (const std::string& warning : result.counts.warnings) PrintError("warning: " + warning);
  if (result.left_out > 0) {
    PrintError("warning: " + report::FormatCount(result.left_out) + " of " +
               report::FormatCount(result.left_out + result.counts.spans) +
               " spans did not fit into --max-bytes and are left out");
  }
  if (request.output == "-") return;
  std::fprintf(stderr, "%s: %s spans, %s\n", report::Printable(request.output).c_str(),
               report::FormatCount(result.counts.spans).c_str(),
               report::FormatBytes(static_cast<int64_t>(result.bytes)).c_str());
}

Result<void> Export(const Request& request) {
  ASSIGN_OR_RETURN(const report::Columns columns, Load(request));
  TRY(AccountForTrace(columns, request.files.empty() ? request.builds : request.files));
  ASSIGN_OR_RETURN(const exports::Selection selection,
                   exports::Selection::Of(columns, request.select));
  if (selection.rows().empty()) PrintError("warning: no span is selected");
  ASSIGN_OR_RETURN(const exports::ExportResult result,
                   exports::ExportTo(request.output, *request.format, selection, request.options,
                                     request.max_bytes));
  Tell(request, result);
  return {};
}

int Run(const Arguments& arguments) {
  const auto request = ReadRequest(arguments);
  if (!request) return UsageError("export", request.error().message);
  if (const auto done = Export(*request); !done) {
    PrintError(done.error().message);
    return kFailed;
  }
  return kOk;
}

}  // namespace

const Command kExportCommand = {
    "export", "write traces in other formats",
    "usage: llama export --format FORMAT [OPTION]... -o FILE\n"
    "       llama export --format FORMAT [OPTION]... -o FILE TRACE...\n"
    "\n"
    "Writes the spans of a build (without --build, of the latest) or of trace files (- is "
    "standard\n"
    "input; or folders of builds) for other tools. docs/viewers.md says which shows what, and "
    "how.\n"
    "\n"
    "  chrome      Chrome's Performance panel, Perfetto\n"
    "\n"
    "  --build BUILD        an id, the beginning of one, or a name; may be repeated\n"
    "  --trace ID           only this trace, by its id or the beginning of it; may be repeated\n"
    "  --top N              only the N slowest traces\n"
    "  --time-range A..B    only spans that ran between A and B: seconds or 1m30s after the "
    "build's\n"
    "                       start, or times such as 2026-11-22T08:20:50Z; either may be left out\n"
    "  --no-args            without the spans' fields\n"
    "  --max-bytes N        stop, and end the document properly, before it is larger; 500M, 2G\n"
    "  -o, --output FILE    the file, replaced when all is written; - is standard output\n"
    "\n"
    "exit status: 0, 1 if it can't be done, 2 for wrong usage.\n"
    "\n"
    "examples:\n"
    "  llama export --format chrome -o build.json\n"
    "  llama export --format chrome --top 20 --no-args -o slowest.json\n",
    Run};

}  // namespace llama::app
