#include "emulator/server/request_log.h"

#include <fcntl.h>

#include <cmath>

#include "base/file.h"
#include "base/text/json.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

std::string LogLine(const RequestLog::Entry& entry) {
  const Response& response = entry.response;
  JsonWriter json;
  json.BeginObject().Key("time").String(IsoDate(entry.time_ns));
  json.Key("id").String(entry.request.id).Key("peer").String(entry.request.peer);
  json.Key("method").String(entry.request.method).Key("service").String(response.service);
  json.Key("operation").String(response.operation).Key("resource").String(response.resource);
  json.Key("status").Int(response.status);
  json.Key("bytes_in").Int(static_cast<int64_t>(entry.request.body.size()));
  json.Key("bytes_out").Int(static_cast<int64_t>(entry.bytes_out));
  json.Key("duration_ms").Double(std::round(static_cast<double>(entry.duration_ns) / 1e3) / 1e3);
  json.Key("error").String(response.error).Key("fault").String(FaultName(response.plan.fault));
  json.Key("worker").String(response.worker).EndObject();
  return json.Take() + "\n";
}

void AppendCounters(JsonWriter& json, std::string_view name,
                    const std::map<std::string, int64_t>& counters) {
  json.Key(name).BeginObject();
  for (const auto& [key, value] : counters) json.Key(key).Int(value);
  json.EndObject();
}

}  // namespace

Result<void> RequestLog::Open(const std::string& path) {
  ASSIGN_OR_RETURN(Fd file, OpenFile(path, O_WRONLY | O_APPEND | O_CREAT, 0600));
  const MutexLock lock(mutex_);
  file_ = std::move(file);
  return {};
}

void RequestLog::Add(const Entry& entry) {
  const Response& response = entry.response;
  const std::string line = LogLine(entry);
  const std::string prefix = response.service + ".";
  const MutexLock lock(mutex_);
  ++requests_[prefix + response.operation];
  if (!response.error.empty()) ++errors_[prefix + response.error];
  if (response.plan.fault != Fault::kNone) ++faults_[prefix + FaultName(response.plan.fault)];
  bytes_in_ += entry.request.body.size();
  bytes_out_ += entry.bytes_out;
  // A full disk costs lines of the log, not answers.
  if (file_.valid() && !WriteAll(file_.get(), line, "request log")) ++counters_["log.lines_lost"];
}

void RequestLog::Count(const std::string& name, int64_t by) {
  const MutexLock lock(mutex_);
  counters_[name] += by;
}

std::string RequestLog::MetricsJson() const {
  const MutexLock lock(mutex_);
  JsonWriter json;
  json.BeginObject().Key("bytes_in").Int(static_cast<int64_t>(bytes_in_));
  json.Key("bytes_out").Int(static_cast<int64_t>(bytes_out_));
  AppendCounters(json, "requests", requests_);
  AppendCounters(json, "errors", errors_);
  AppendCounters(json, "faults", faults_);
  AppendCounters(json, "counters", counters_);
  json.EndObject();
  return json.Take() + "\n";
}

}  // namespace llama::emulator
