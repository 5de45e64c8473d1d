#include "aws/lambda/log_report.h"

#include <simdjson.h>

#include <charconv>

namespace llama::aws {
namespace {

constexpr size_t kMaxText = 400;

// The number after "\tLabel: ".
std::optional<double> Field(std::string_view line, std::string_view label) {
  const size_t at = line.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(at + label.size());
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  // Nothing that Lambda has comes near to 1e12, and a double beyond int64_t can't be converted.
  if (error != std::errc() || end == rest.data() || !(value >= 0 && value < 1e12)) {
    return std::nullopt;
  }
  return value;
}

int64_t Whole(std::optional<double> value) { return static_cast<int64_t>(value.value_or(0)); }

struct Thrown {
  std::string type;
  std::string message;
};

Thrown Parse(std::string_view body) {
  Thrown thrown;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(body);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return thrown;
  std::string_view text;
  if (root["errorType"].get(text) == simdjson::SUCCESS) thrown.type = text;
  if (root["errorMessage"].get(text) == simdjson::SUCCESS) thrown.message = text;
  return thrown;
}

// "RequestId: … Error: Runtime exited with error: …" without its first half, in one printable line.
std::string Cause(std::string_view message) {
  if (const size_t at = message.find("Error: ");
      message.starts_with("RequestId:") && at != message.npos) {
    message.remove_prefix(at + 7);
  }
  std::string out(message.substr(0, kMaxText));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return out;
}

bool FilledMemory(const std::optional<LambdaReport>& report) {
  return report && report->memory_mb > 0 && report->max_memory_mb >= report->memory_mb;
}

}  // namespace

std::optional<LambdaReport> FindReport(std::string_view log) {
  const size_t at = log.rfind("REPORT RequestId:");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view line = log.substr(at, log.find('\n', at) - at);
  LambdaReport report;
  report.billed_ms = Whole(Field(line, "\tBilled Duration: "));
  report.memory_mb = Whole(Field(line, "\tMemory Size: "));
  report.max_memory_mb = Whole(Field(line, "\tMax Memory Used: "));
  report.init_ms = Field(line, "\tInit Duration: ");
  return report;
}

Error FunctionError(std::string_view function, std::string_view body,
                    const std::optional<LambdaReport>& report) {
  const Thrown thrown = Parse(body);
  const std::string name = "function " + std::string(function) + ": ";
  const std::string cause = Cause(thrown.message);
  const auto has = [&](std::string_view text) {
    return thrown.message.find(text) != std::string::npos;
  };

  if (thrown.type == "Sandbox.Timedout" || has("Task timed out after")) {
    return {Code::kDeadline, name + "its own timeout ended it (" + cause +
                                 "); 'llama function update --timeout' gives it more"};
  }
  if (thrown.type == "Runtime.OutOfMemory" || (has("signal: killed") && FilledMemory(report))) {
    const std::string size = report ? " (" + std::to_string(report->memory_mb) + " MB)" : "";
    return {Code::kRemoteFailed, name + "it ran out of memory" + size +
                                     "; 'llama function update --memory' gives it more"};
  }
  if (thrown.type == "Runtime.ExitError" || thrown.type == "Extension.Crash" ||
      thrown.type == "Runtime.Unknown" || has("Runtime exited")) {
    return {Code::kUnavailable, name + "the worker vanished: " + cause};
  }
  if (thrown.type.starts_with("Runtime.Invalid") || thrown.type.starts_with("InvalidImage") ||
      thrown.type == "Runtime.ImportModuleError") {
    return {Code::kRemoteFailed, name + "its code does not start: " + thrown.type + ": " + cause +
                                     "; 'llama function update' installs this version's worker"};
  }
  if (thrown.type.empty() && cause.empty()) {
    return {Code::kRemoteFailed, name + "it failed without saying why"};
  }
  return {Code::kRemoteFailed, name + Cause(thrown.type) + ": " + cause};
}

}  // namespace llama::aws
