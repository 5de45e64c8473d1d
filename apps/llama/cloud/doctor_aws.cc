#include <algorithm>
#include <cstdlib>

#include "aws/http/endpoint.h"
#include "aws/service/credentials.h"
#include "aws/service/service_error.h"
#include "aws/service/sts.h"
#include "base/clock.h"
#include "base/text/format.h"
#include "llama/cloud/doctor.h"
#include "llama/cloud/doctor_cloud.h"

namespace llama::app {
namespace {

// AWS refuses requests that are 15 minutes off.
constexpr int64_t kSkewFailsS = 900;
constexpr int64_t kSkewWarnsS = 60;

Finding CheckRegion(const aws::Settings& settings) {
  const Result<aws::ServiceOptions> options = ServiceOptionsOf(settings, "s3");
  if (!options) {
    return {"region", Health::kFailure, options.error().message, "set AWS_REGION"};
  }
  return {"region", Health::kWell,
          settings.region.empty() ? "none; " + options->region + " is signed" : settings.region,
          ""};
}

// One line for each endpoint that is not AWS's own.
std::vector<Finding> CheckEndpoints(const aws::Settings& settings) {
  std::vector<Finding> out;
  for (const std::string* url : {&settings.endpoint_s3, &settings.endpoint_lambda}) {
    const Result<aws::Endpoint> endpoint = aws::ParseEndpoint(*url);
    if (url->empty() || !endpoint) continue;
    Finding finding{url == &settings.endpoint_s3 ? "endpoint s3" : "endpoint lambda", Health::kWell,
                    *url, ""};
    if (!endpoint->is_https && !endpoint->is_loopback) {
      finding.health = Health::kWarning;
      finding.advice = "http lets everybody on the way read sources and objects: use https";
    }
    out.push_back(std::move(finding));
  }
  return out;
}

std::string ExpiryText(const aws::Credentials& credentials) {
  if (credentials.expires_s == 0) return "";
  const int64_t left_ns = credentials.expires_s * 1'000'000'000 - SystemClock().NowNs();
  return ", for " + FormatDuration(std::max<int64_t>(left_ns, 0)) + " more";
}

Finding JudgeCredentials(const Result<aws::Credentials>& credentials) {
  if (credentials) {
    return {"credentials", Health::kWell, credentials->source + ExpiryText(*credentials), ""};
  }
  return {"credentials", Health::kFailure, credentials.error().message,
          "'llama config' says where credentials would come from"};
}

// Nothing where STS is not AWS's to answer: a server that stands for S3 and Lambda has none.
std::vector<Finding> CheckIdentity(CloudAccess& cloud) {
  const aws::Settings& settings = cloud.settings();
  const bool own_cloud = !settings.endpoint_s3.empty() || !settings.endpoint_lambda.empty();
  const Result<aws::Service*> sts = cloud.Service("sts");
  if (!sts) return {{"account", Health::kFailure, sts.error().message, "set AWS_REGION"}};
  if (own_cloud && settings.endpoint_sts.empty()) return {};
  const Result<aws::CallerIdentity> identity = GetCallerIdentity(**sts);
  if (identity) return {{"account", Health::kWell, identity->account + ", " + identity->arn, ""}};
  if (own_cloud) {
    return {
        {"account", Health::kWell, (*sts)->options().endpoint + " does not tell who we are", ""}};
  }
  return {{"account", Health::kFailure, identity.error().message,
           "renew the credentials, or name others by AWS_PROFILE"}};
}

// By the Date of any answer of S3's.
std::vector<Finding> CheckClock(aws::Service& s3) {
  aws::ServiceCall call;
  call.target = "/";
  const Result<aws::ServiceAnswer> answer = s3.Call(call);
  if (!answer) {
    return {{"connection", Health::kFailure, answer.error().message,
             "is there a network, and a proxy in https_proxy if one is needed?"}};
  }
  const std::string* date = answer->http.Find("date");
  const auto theirs_s = date == nullptr ? std::nullopt : aws::ParseHttpDate(*date);
  if (!theirs_s) return {};
  const int64_t skew_s = std::llabs(SystemClock().NowNs() / 1'000'000'000 - *theirs_s);
  const std::string detail = skew_s < 2 ? "right" : std::to_string(skew_s) + " s off";
  const Health health = skew_s >= kSkewFailsS   ? Health::kFailure
                        : skew_s >= kSkewWarnsS ? Health::kWarning
                                                : Health::kWell;
  return {{"clock", health, detail,
           health == Health::kWell ? "" : "set it right, by NTP for instance; AWS refuses 15 min"}};
}

void Append(std::vector<Finding>& to, std::vector<Finding> findings) {
  for (Finding& finding : findings) to.push_back(std::move(finding));
}

}  // namespace

std::vector<Finding> CheckAws(const Patient& patient) {
  const aws::Settings& settings = patient.settings;
  if (!settings.UsesAws()) {
    return {{"cloud", Health::kWell, "embedded: workers of this machine, objects in a folder", ""}};
  }
  std::vector<Finding> out = {CheckRegion(settings)};
  if (out.back().health == Health::kFailure) return out;
  Append(out, CheckEndpoints(settings));
  const auto cloud = CloudAccess::With(settings, patient.env);
  if (!cloud) {
    out.push_back({"tls", Health::kFailure, cloud.error().message, "see AWS_CA_BUNDLE"});
    return out;
  }
  out.push_back(JudgeCredentials((*cloud)->credentials().Get()));
  if (out.back().health == Health::kFailure) return out;
  Append(out, CheckIdentity(**cloud));
  if (const auto s3 = (*cloud)->Service("s3"); s3) Append(out, CheckClock(**s3));
  Append(out, CheckBucket(**cloud));
  Append(out, CheckFunction(**cloud));
  if (patient.full) Append(out, CheckRules(**cloud));
  return out;
}

}  // namespace llama::app
