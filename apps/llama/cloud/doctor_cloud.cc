#include "llama/cloud/doctor_cloud.h"

#include <algorithm>
#include <cstdlib>
#include <random>

#include "aws/control/lambda_control.h"
#include "aws/lambda/functions.h"
#include "aws/s3/bucket.h"
#include "aws/s3/store.h"
#include "base/clock.h"
#include "base/text/format.h"
#include "build_id/build_id.h"
#include "job/envelope.h"
#include "signing/sigv4.h"

namespace llama::app {
namespace {

// Enough to see a line's throughput, and a second at 32 Mbit/s.
constexpr size_t kProbeBytes = 4 << 20;
constexpr int kPings = 3;
constexpr int64_t kSlowLineBytesPerS = 250'000;
// A vCPU's worth (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
constexpr int64_t kOneCpuMb = 1'769;
constexpr int64_t kShortTimeoutS = 60;
constexpr int64_t kSmallTmpMb = 1'024;
// A cold start, with room.
constexpr int64_t kPingMs = 60'000;

// Random, so that nothing on the way compresses it.
std::string NewProbe() {
  std::mt19937_64 random{std::random_device{}()};
  std::string out(kProbeBytes, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

std::string Rate(size_t bytes, int64_t took_ns) {
  const double per_s =
      static_cast<double>(bytes) * 1e9 / static_cast<double>(std::max<int64_t>(took_ns, 1));
  return FormatBytes(static_cast<int64_t>(per_s)) + "/s";
}

// The probe's life in the bucket.
class Probe {
 public:
  Probe(aws::S3Store& store, const Clock& clock)
      : store_(store), clock_(clock), bytes_(NewProbe()) {
    key_ = "doctor/" + signing::Sha256Hex(bytes_).substr(0, 24);
  }

  Result<void> Run() {
    ASSIGN_OR_RETURN(latency_ns_, Latency());
    int64_t start_ns = clock_.MonotonicNs();
    TRY(store_.Put(key_, bytes_));
    up_ns_ = clock_.MonotonicNs() - start_ns;
    start_ns = clock_.MonotonicNs();
    const Result<std::string> back = store_.Get(key_);
    down_ns_ = clock_.MonotonicNs() - start_ns;
    const Result<void> deleted = store_.Delete(key_);
    if (!back) return back.error();
    if (*back != bytes_) {
      return Error{Code::kInternal, "another object came back than was put: " + key_};
    }
    return deleted;
  }

  Finding Judge(const std::string& place) const {
    const std::string detail = place + ": " + FormatDuration(latency_ns_) + " a request, " +
                               Rate(bytes_.size(), up_ns_) + " up, " +
                               Rate(bytes_.size(), down_ns_) + " down";
    const double up = static_cast<double>(bytes_.size()) * 1e9 / static_cast<double>(up_ns_ + 1);
    if (up >= kSlowLineBytesPerS) return {"bucket", Health::kWell, detail, ""};
    return {"bucket", Health::kWarning, detail,
            "the first build, which uploads the toolchain, will take long on this line"};
  }

 private:
  // The quickest of a few: the first opens the connection.
  Result<int64_t> Latency() {
    int64_t best_ns = INT64_MAX;
    for (int i = 0; i < kPings; ++i) {
      const int64_t start_ns = clock_.MonotonicNs();
      TRY(store_.Exists(key_));
      best_ns = std::min(best_ns, clock_.MonotonicNs() - start_ns);
    }
    return best_ns;
  }

  aws::S3Store& store_;
  const Clock& clock_;
  const std::string bytes_;
  std::string key_;
  int64_t latency_ns_ = 0;
  int64_t up_ns_ = 0;
  int64_t down_ns_ = 0;
};

Finding Fail(std::string name, const Error& error, std::string advice) {
  return {std::move(name), Health::kFailure, error.message, std::move(advice)};
}

Finding JudgeConfiguration(const aws::LambdaFunction& function) {
  std::string detail = function.name + ", " + std::to_string(function.memory_mb) + " MB, " +
                       std::to_string(function.timeout_s) + " s, /tmp " +
                       std::to_string(function.tmp_mb) + " MB";
  if (function.state == "Failed" || function.update_status == "Failed") {
    return {"function", Health::kFailure,
            detail + ": " + function.state_reason + function.update_reason,
            "llama function update"};
  }
  std::string advice;
  if (function.memory_mb < kOneCpuMb) advice = "below 1769 MB it has less than one processor";
  if (function.timeout_s < kShortTimeoutS) advice = "long compiles will not end within its timeout";
  if (function.tmp_mb < kSmallTmpMb) advice = "/tmp may be too small for the toolchain";
  if (!advice.empty()) advice += ": llama function update";
  return {"function", advice.empty() ? Health::kWell : Health::kWarning, detail, advice};
}

struct Pinged {
  job::Pong pong;
  int64_t took_ns = 0;
};

Result<Pinged> Ping(aws::Service& lambda, const aws::FunctionName& name, const Clock& clock) {
  const std::string body = job::EncodeEnvelope({.ping = true});
  aws::ServiceCall call;
  call.method = "POST";
  call.target = "/2015-03-31/functions/" + signing::UriEncode(name.name) + "/invocations";
  if (!name.qualifier.empty()) call.target += "?Qualifier=" + signing::UriEncode(name.qualifier);
  call.headers.emplace_back("Content-Type", "application/json");
  call.body = body;
  call.deadlines.first_byte_ms = kPingMs;
  call.deadlines.total_ms = 2 * kPingMs;
  const int64_t start_ns = clock.MonotonicNs();
  ASSIGN_OR_RETURN(const aws::ServiceAnswer answer, lambda.Call(call));
  Pinged out;
  out.took_ns = clock.MonotonicNs() - start_ns;
  const std::string text = answer.http.body.substr(0, 300);
  if (answer.http.status != 200) {
    return Error{Code::kRemoteFailed, "lambda:InvokeFunction of " + name.name + ": status " +
                                          std::to_string(answer.http.status) + ", " + text};
  }
  if (answer.http.Find("x-amz-function-error") != nullptr) {
    return Error{Code::kRemoteFailed, name.name + " fails: " + text};
  }
  Result<job::Pong> pong = job::DecodePong(answer.http.body);
  if (!pong) return Error{Code::kInvalid, name.name + " answers, but is no worker of llama's"};
  out.pong = *std::move(pong);
  return out;
}

Finding JudgePing(const Pinged& first, const Pinged& second) {
  const std::string detail = "answers in " + FormatDuration(second.took_ns) + " (first " +
                             FormatDuration(first.took_ns) + "), version " + first.pong.version +
                             ", build " + first.pong.build.substr(0, 12);
  if (first.pong.build == BuildId()) return {"worker", Health::kWell, detail, ""};
  return {"worker", Health::kWarning,
          detail + ", not " + std::string(BuildId().substr(0, 12)) + " as here",
          "llama function update"};
}

}  // namespace

std::vector<Finding> CheckBucket(CloudAccess& cloud) {
  if (!cloud.settings().object_store.starts_with("s3://")) {
    if (cloud.settings().function.empty()) return {};
    return {{"bucket", Health::kFailure, "functions are in Lambda, but the store is a folder here",
             "set LLAMA_OBJECT_STORE=s3://bucket, or run 'llama bootstrap'"}};
  }
  const std::string advice = "'llama bootstrap' makes what is missing";
  const auto place = aws::ParseStoreLocation(cloud.settings().object_store);
  if (!place) return {Fail("bucket", place.error(), advice)};
  const auto service = cloud.Service("s3");
  if (!service) return {Fail("bucket", service.error(), advice)};
  aws::S3StoreOptions options;
  options.bucket = place->bucket;
  options.prefix = place->prefix;
  options.path_style = cloud.settings().path_style;
  options.storage_class = cloud.settings().storage_class;
  const auto store = aws::S3Store::Open(options, **service);
  if (!store) return {Fail("bucket", store.error(), advice)};
  Probe probe(**store, SystemClock());
  if (const Result<void> ran = probe.Run(); !ran) return {Fail("bucket", ran.error(), advice)};
  return {probe.Judge(cloud.settings().object_store)};
}

std::vector<Finding> CheckFunction(CloudAccess& cloud) {
  if (cloud.settings().function.empty()) return {};
  const std::string advice = "'llama bootstrap' makes what is missing";
  const auto name = aws::ParseFunctionName(cloud.settings().function);
  if (!name) return {Fail("function", name.error(), "set LLAMACC_FUNCTION to a function's name")};
  const auto service = cloud.Service("lambda");
  if (!service) return {Fail("function", service.error(), advice)};
  std::vector<Finding> out;
  aws::LambdaControl control(**service, SystemClock());
  const auto function = control.Get(name->name);
  if (function) {
    out.push_back(JudgeConfiguration(*function));
  } else {
    const bool is_absent = function.error().code == Code::kNotFound;
    // A build does not need to read the configuration.
    out.push_back({"function", is_absent ? Health::kFailure : Health::kWarning,
                   function.error().message, advice});
    if (is_absent) return out;
  }
  const Result<Pinged> first = Ping(**service, *name, SystemClock());
  const Result<Pinged> second = first ? Ping(**service, *name, SystemClock()) : first;
  if (first && second) {
    out.push_back(JudgePing(*first, *second));
  } else {
    const Error& error = (first ? second : first).error();
    // The variables' key was granted to a role that is gone.
    const bool is_granted_to_another = error.message.find("KMSAccessDenied") != std::string::npos;
    out.push_back(Fail("worker", error,
                       is_granted_to_another ? "its role was made anew: 'llama function delete " +
                                                   name->name + "', then 'llama bootstrap'"
                                             : "'llama function logs' shows what it printed"));
  }
  return out;
}

}  // namespace llama::app
