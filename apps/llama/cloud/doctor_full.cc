// What `llama doctor --full` tries besides: that AWS (or what stands for it) does what llama's
// correctness and its figures rest on. docs/aws.md has the list.
#include <utility>

#include "aws/control/lambda_control.h"
#include "aws/control/logs.h"
#include "aws/control/policies.h"
#include "aws/lambda/functions.h"
#include "aws/lambda/log_report.h"
#include "aws/s3/request.h"
#include "base/clock.h"
#include "job/base64.h"
#include "job/envelope.h"
#include "llama/cloud/doctor_cloud.h"
#include "signing/sigv4.h"

namespace llama::app {
namespace {

// Of new accounts (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
constexpr int64_t kNewAccountConcurrency = 10;
constexpr char kOwnerHeader[] = "x-amz-expected-bucket-owner";
constexpr char kNobody[] = "999999999999";

std::string StatusText(const Result<aws::ServiceAnswer>& answer) {
  return answer ? "HTTP " + std::to_string(answer->http.status) : answer.error().message;
}

// One rule of S3's: a call, and the status that it must have.
class S3Rules {
 public:
  S3Rules(aws::Service& s3, aws::S3Location location, std::string prefix)
      : s3_(s3), location_(std::move(location)), key_(std::move(prefix)) {
    key_ +=
        "doctor/full-" + signing::Sha256Hex(std::to_string(SystemClock().NowNs())).substr(0, 16);
  }

  Finding AbsentObject() {
    const auto answer = s3_.Call(NewS3Call(location_, "HEAD", key_));
    return Judge("absent object", answer, 404, "an object that is not there is told from a refusal",
                 "s3:ListBucket is missing: 'llama bootstrap --policy'");
  }

  Finding BucketOwner() {
    aws::ServiceCall call = NewS3Call(location_, "HEAD", "");
    std::erase_if(call.headers, [](const auto& header) { return header.first == kOwnerHeader; });
    call.headers.emplace_back(kOwnerHeader, kNobody);
    return Judge("bucket owner", s3_.Call(call), 403, "a bucket of another account is refused",
                 "a server that ignores x-amz-expected-bucket-owner can't be used with names that "
                 "others may take");
  }

  // Of two writers one wins.
  Finding ConditionalPut() {
    const auto put = [&] {
      aws::ServiceCall call = NewS3Call(location_, "PUT", key_);
      call.headers.emplace_back("If-None-Match", "*");
      call.body = "doctor";
      return s3_.Call(call);
    };
    const auto first = put();
    const auto second = put();
    static_cast<void>(s3_.Call(NewS3Call(location_, "DELETE", key_)));
    if (!first || first->http.status != 200) {
      return Judge("conditional put", first, 200, "",
                   "'llama bootstrap --policy' has s3:PutObject");
    }
    return Judge("conditional put", second, 412, "of two writers of an object one wins",
                 "without it objects are asked for by HEAD first, and may be sent twice");
  }

 private:
  static Finding Judge(std::string name, const Result<aws::ServiceAnswer>& answer, int status,
                       const std::string& holds, std::string advice) {
    if (answer && answer->http.status == status) {
      return {std::move(name), Health::kWell, holds + ": seen to hold", ""};
    }
    return {std::move(name), Health::kWarning,
            holds + ": not seen, " + StatusText(answer) + " instead of " + std::to_string(status),
            std::move(advice)};
  }

  aws::Service& s3_;
  const aws::S3Location location_;
  std::string key_;
};

// The log's end with each answer says what it costs.
Finding CheckBill(aws::Service& lambda, const aws::FunctionName& name) {
  const std::string body = job::EncodeEnvelope({.ping = true});
  aws::ServiceCall call;
  call.method = "POST";
  call.target = "/2015-03-31/functions/" + signing::UriEncode(name.name) + "/invocations";
  if (!name.qualifier.empty()) call.target += "?Qualifier=" + signing::UriEncode(name.qualifier);
  call.headers = {{"Content-Type", "application/json"}, {"X-Amz-Log-Type", "Tail"}};
  call.body = body;
  const auto answer = lambda.Call(call);
  if (answer) {
    const std::string* tail = answer->http.Find("x-amz-log-result");
    const Result<std::string> log = job::DecodeBase64(tail == nullptr ? "" : *tail);
    if (const auto report = log ? aws::FindReport(*log) : std::nullopt) {
      return {"bill", Health::kWell,
              "an answer says what is billed: " + std::to_string(report->billed_ms) + " ms, " +
                  std::to_string(report->memory_mb) + " MB: seen to hold",
              ""};
    }
  }
  return {"bill", Health::kWarning, "no REPORT line came with an answer: " + StatusText(answer),
          "costs in reports are estimates"};
}

Finding CheckConcurrency(aws::Service& lambda) {
  aws::LambdaControl control(lambda, SystemClock());
  const Result<int64_t> most = control.AccountConcurrency();
  if (!most) {
    return {"concurrency", Health::kWarning, "not known: " + most.error().message,
            "lambda:GetAccountSettings would tell; Service Quotas in AWS's console does, too"};
  }
  const std::string detail = std::to_string(*most) + " functions at once in this account";
  if (*most > kNewAccountConcurrency) return {"concurrency", Health::kWell, detail, ""};
  return {"concurrency", Health::kWarning, detail + ", as new accounts have it",
          "ask for more: Service Quotas, AWS Lambda, 'Concurrent executions'"};
}

Finding CheckLog(CloudAccess& cloud, const aws::FunctionName& name) {
  const auto service = cloud.Service("logs");
  const std::string group = aws::LogGroupOf(name.name);
  const Result<bool> has = service ? aws::Logs(**service).HasGroup(group) : service.error();
  if (has && *has) return {"log", Health::kWell, group + ": what functions print is kept", ""};
  return {"log", Health::kWarning, has ? group + " is not there" : has.error().message,
          "'llama bootstrap' makes it; without it 'llama function logs' shows nothing"};
}

}  // namespace

std::vector<Finding> CheckRules(CloudAccess& cloud) {
  std::vector<Finding> out;
  const aws::Settings& settings = cloud.settings();
  const auto place = aws::ParseStoreLocation(settings.object_store);
  const auto s3 = cloud.Service("s3");
  if (place && s3 && !place->bucket.empty()) {
    S3Rules rules(**s3, {place->bucket, settings.path_style}, place->prefix);
    out.push_back(rules.AbsentObject());
    out.push_back(rules.BucketOwner());
    out.push_back(rules.ConditionalPut());
  }
  const auto name = aws::ParseFunctionName(settings.function);
  const auto lambda = cloud.Service("lambda");
  if (settings.function.empty() || !name || !lambda) return out;
  out.push_back(CheckBill(**lambda, *name));
  out.push_back(CheckConcurrency(**lambda));
  out.push_back(CheckLog(cloud, *name));
  return out;
}

}  // namespace llama::app
