// llama export: traces in other people's formats.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "aws/http/engine.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text/format.h"
#include "exports/formats/format.h"
#include "exports/send/send.h"
#include "llama/cloud/load_account.h"
#include "llama/command.h"
#include "llama/look/named_builds.h"

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
                                                 {"--to", true},
                                                 {"--header", true},
                                                 {"--header-file", true},
                                                 {"--header-env", true},
                                                 {"--no-gzip"},
                                                 {"-o", true},
                                                 {"--output", true}});

struct Request {
  const exports::Format* format = nullptr;
  std::vector<std::string> names;
  exports::SelectOptions select;
  exports::ExportOptions options;
  uint64_t max_bytes = exports::Output::kNoLimit;
  std::string output;
  exports::SendOptions send;  // without a URL: it is written
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

// A line a header; empty ones and those that begin with # are none.
Result<void> ReadHeaderFile(const std::string& path, aws::Headers& headers) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, 1 << 20));
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos || line[0] == '#') continue;
    auto header = exports::ParseHeader(line);
    if (!header) return std::move(header).error().With(path + ":" + std::to_string(number));
    headers.push_back(*std::move(header));
  }
  return {};
}

// "Name=VARIABLE": what is in an environment variable is on no command line.
Result<void> ReadHeaderVariable(const std::string& text, aws::Headers& headers) {
  ASSIGN_OR_RETURN(auto header, exports::ParseHeader(text));
  const char* value = std::getenv(header.second.c_str());
  if (value == nullptr) {
    return Error{Code::kInvalid, "--header-env: there is no environment variable " + header.second};
  }
  ASSIGN_OR_RETURN(header, exports::ParseHeader(header.first + "=" + value));
  headers.push_back(std::move(header));
  return {};
}

Result<void> ReadSendOption(const std::string& name, const std::string& value, Request& request) {
  aws::Headers& headers = request.send.headers;
  if (name == "--to") request.send.url = value;
  if (name == "--no-gzip") request.send.gzip = false;
  if (name == "--header-file") TRY(ReadHeaderFile(value, headers));
  if (name == "--header-env") TRY(ReadHeaderVariable(value, headers));
  if (name == "--header") {
    ASSIGN_OR_RETURN(auto header, exports::ParseHeader(value));
    headers.push_back(std::move(header));
  }
  return {};
}

Result<void> ReadOption(const std::string& name, const std::string& value, Request& request) {
  if (name == "--build") request.names.push_back(value);
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

Result<void> CheckOwnOptions(const ParsedArguments& parsed, const exports::Format& format) {
  for (const exports::Format& other : exports::Formats()) {
    if (other.own_option.empty() || &other == &format || !parsed.Has(other.own_option)) continue;
    return Error{Code::kInvalid, std::string(other.own_option) + " is for " +
                                     std::string(other.name) + ", not for " +
                                     std::string(format.name)};
  }
  return {};
}

Result<void> CheckDestination(const Request& request) {
  if (!request.send.url.empty()) {
    if (!request.output.empty()) return Error{Code::kInvalid, "either -o or --to"};
    TRY(exports::CheckSending(*request.format, request.send.url));
    if (request.max_bytes != exports::Output::kNoLimit) {
      return Error{Code::kInvalid, "--max-bytes is for files"};
    }
    return {};
  }
  if (!request.send.headers.empty()) return Error{Code::kInvalid, "headers need a --to URL"};
  if (!request.send.gzip) return Error{Code::kInvalid, "--no-gzip needs a --to URL"};
  if (request.output.empty()) {
    return Error{Code::kInvalid, "say where to: -o FILE, -o - for standard output, or --to URL"};
  }
  if (request.output == "-" && request.format->binary && isatty(STDOUT_FILENO) == 1) {
    return Error{Code::kInvalid, std::string(request.format->name) +
                                     " is binary, and standard output is a terminal: give -o FILE"};
  }
  return {};
}

Result<Request> ReadRequest(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed, ParseArguments(arguments, kOptions));
  Request request;
  ASSIGN_OR_RETURN(request.format, ReadFormat(parsed.Value("--format")));
  TRY(CheckOwnOptions(parsed, *request.format));
  for (const auto& [name, value] : parsed.options) {
    TRY(ReadOption(name, value, request));
    TRY(ReadSendOption(name, value, request));
  }
  request.names.insert(request.names.end(), parsed.rest.begin(), parsed.rest.end());
  if (std::find(request.names.begin(), request.names.end(), "") != request.names.end()) {
    return Error{Code::kInvalid, "an empty name"};
  }
  TRY(CheckDestination(request));
  return request;
}

// On stderr: standard output may be the document.
void Tell(const Request& request, const exports::ExportResult& result) {
  for (const std::string& warning : result.counts.warnings) PrintError("warning: " + warning);
  if (result.left_out > 0) {
    PrintError("warning: " + FormatCount(result.left_out) + " of " +
               FormatCount(result.left_out + result.counts.spans) +
               " spans did not fit into --max-bytes and are left out");
  }
  if (request.output == "-") return;
  std::fprintf(stderr, "%s: %s spans, %s\n", Printable(request.output).c_str(),
               FormatCount(result.counts.spans).c_str(),
               FormatBytes(static_cast<int64_t>(result.bytes)).c_str());
}

Result<void> Send(const Request& request, const exports::Selection& selection) {
  ASSIGN_OR_RETURN(const auto http, aws::StartHttpEngine({}));
  ASSIGN_OR_RETURN(const exports::SendResult sent,
                   exports::SendSpans(*request.format, selection, request.options, request.send,
                                      *http, SystemClock()));
  if (sent.without_fields > 0) {
    PrintError("warning: " + FormatCount(sent.without_fields) +
               " spans are larger than the receiver takes and went without fields");
  }
  std::fprintf(stderr, "sent: %s spans in %s requests, %s, %s retries\n",
               FormatCount(sent.spans).c_str(), FormatCount(sent.requests).c_str(),
               FormatBytes(static_cast<int64_t>(sent.bytes)).c_str(),
               FormatCount(sent.retries).c_str());
  if (sent.refused == 0) {
    if (!sent.reason.empty()) PrintError("warning: the receiver says: " + sent.reason);
    return {};
  }
  return Error{Code::kRemoteFailed, "the receiver refused " + FormatCount(sent.refused) + " spans" +
                                        (sent.reason.empty() ? "" : ": " + sent.reason)};
}

Result<void> Export(const Request& request) {
  ASSIGN_OR_RETURN(const auto named, ResolveNames(request.names));
  ASSIGN_OR_RETURN(const NamedBuilds loaded, LoadNamed(named));
  const traces::Columns& columns = loaded.columns;
  TRY(AccountForTrace(columns, request.names));
  ASSIGN_OR_RETURN(const exports::Selection selection,
                   exports::Selection::Of(columns, request.select));
  if (selection.rows().empty()) PrintError("warning: no span is selected");
  if (!request.send.url.empty()) return Send(request, selection);
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
    "usage: llama export --format FORMAT [OPTION]... -o FILE [BUILD]...\n"
    "       llama export --format FORMAT [OPTION]... --to URL [BUILD]...\n"
    "\n"
    "Writes the spans of builds for other tools, or sends them. BUILD is an id or the beginning "
    "of\n"
    "one, a name, latest, a trace file, a build's folder, or - for a trace on standard input\n"
    "('llama help names'); without one it is the latest build.\n"
    "docs/viewers.md says which tool shows what, and how.\n"
    "\n"
    "  chrome       Chrome's Performance panel, Perfetto\n"
    "  perfetto     Perfetto, in its own format: for large builds\n"
    "  speedscope   speedscope: flame graphs\n"
    "  jaeger       Jaeger's UI\n"
    "  otlp         what takes OpenTelemetry, in protobuf; otlp-json: in JSON\n"
    "  zipkin       Zipkin\n"
    "  honeycomb    Honeycomb\n"
    "  xray         AWS X-Ray\n"
    "  csv          spreadsheets, pandas, R\n"
    "  ndjson       llama itself, jq\n"
    "  sqlite       a database for any SQLite tool\n"
    "  parquet      DuckDB, pandas, Spark; needs DuckDB's library\n"
    "\n"
    "  --build BUILD        the same as BUILD alone\n"
    "  --trace ID           only this trace, by its id or the beginning of it; may be repeated\n"
    "  --top N              only the N slowest traces\n"
    "  --time-range A..B    only spans that ran between A and B: seconds or 1m30s after the\n"
    "                       build's start, or times such as 2026-11-22T08:20:50Z, or nothing\n"
    "  --no-args            without the spans' fields\n"
    "  --max-bytes N        stop, and end the document properly, before it is larger: 500M, 2G\n"
    "  --corrected-clocks   of ndjson: times by the client's clock, not as they were recorded\n"
    "  --duckdb FILE        of parquet: where libduckdb.so is\n"
    "  -o, --output FILE    the file, replaced when all is written; - is standard output\n"
    "\n"
    "  --to URL                 send it: otlp, otlp-json, zipkin, honeycomb. A URL without a path "
    "gets\n"
    "                           the usual one\n"
    "  --header NAME=VALUE      with this header; may be repeated\n"
    "  --header-env NAME=VAR    the same with the value of an environment variable: for keys\n"
    "  --header-file FILE       the same with the headers in a file, one a line\n"
    "  --no-gzip                uncompressed\n"
    "\n"
    "exit status: 0, 1 if it can't be done, 2 for wrong usage.\n"
    "\n"
    "examples:\n"
    "  llama export --format perfetto -o build.pftrace\n"
    "  llama export --format chrome --top 20 --no-args -o slowest.json\n"
    "  llama export --format otlp --to http://localhost:4318\n"
    "  llama export --format honeycomb --to https://api.honeycomb.io \\\n"
    "    --header-env X-Honeycomb-Team=HONEYCOMB_KEY\n",
    Run};

}  // namespace llama::app
