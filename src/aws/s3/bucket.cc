#include "aws/s3/bucket.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

#include "aws/http/xml.h"
#include "signing/sigv4.h"

namespace llama::aws {
namespace {

constexpr std::string_view kNamespace = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
constexpr size_t kDeleteBatch = 1'000;  // of one DeleteObjects
constexpr int64_t kNameFreePollMs = 5'000;

std::string Element(std::string_view name, std::string_view content) {
  std::string out;
  out.append("<").append(name).append(">").append(content);
  return out.append("</").append(name).append(">");
}

std::string Root(std::string_view name, std::string_view content) {
  std::string out;
  out.append("<").append(name).append(kNamespace).append(">").append(content);
  return out.append("</").append(name).append(">");
}

std::string RuleXml(const S3LifecycleRule& rule) {
  std::string xml = Element("ID", XmlEscape(rule.id));
  xml.append(Element("Filter", Element("Prefix", XmlEscape(rule.prefix))));
  xml.append(Element("Status", "Enabled"));
  if (rule.expire_days > 0) {
    xml.append(Element("Expiration", Element("Days", std::to_string(rule.expire_days))));
  }
  if (rule.abort_incomplete_multipart_days > 0) {
    xml.append(Element(
        "AbortIncompleteMultipartUpload",
        Element("DaysAfterInitiation", std::to_string(rule.abort_incomplete_multipart_days))));
  }
  return Element("Rule", xml);
}

// encoding-type=url, in which S3 writes a space as '+'.
Result<std::string> DecodeKey(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '+', ' ');
  return signing::UriDecode(plain);
}

Result<std::vector<std::string>> ParseKeys(const XmlElement& root) {
  std::vector<std::string> keys;
  const bool encoded = root.Text("EncodingType") == "url";
  for (const XmlElement& element : root.children) {
    if (element.name != "Contents") continue;
    const std::string_view key = element.Text("Key");
    ASSIGN_OR_RETURN(keys.emplace_back(),
                     encoded ? DecodeKey(key) : Result<std::string>(std::string(key)));
  }
  return keys;
}

}  // namespace

S3Bucket::S3Bucket(S3Location location, Service& service)
    : location_(std::move(location)), service_(service) {}

Result<ServiceAnswer> S3Bucket::Send(const ServiceCall& call, std::string_view action) {
  ASSIGN_OR_RETURN(ServiceAnswer answer, service_.Call(call));
  if (answer.http.status >= 300) return S3Error(answer, action, name());
  return answer;
}

Result<BucketState> S3Bucket::Head() {
  TRY(CheckBucketName(name()));
  ASSIGN_OR_RETURN(const ServiceAnswer answer, service_.Call(NewS3Call(location_, "HEAD", "")));
  switch (answer.http.status) {
    case 200:
      return BucketState::kOurs;
    case 404:
      return BucketState::kAbsent;
    case 403:
      return BucketState::kForeign;
    default:
      return S3Error(answer, "s3:ListBucket", name());
  }
}

// A bucket of that name that was deleted a moment ago keeps its name for a while: "A conflicting
// conditional operation is currently in progress against this resource. Try again."
Result<bool> S3Bucket::Create(int64_t wait_ms) {
  while (true) {
    Result<bool> made = CreateOnce();
    const bool is_busy =
        !made && made.error().message.find("OperationAborted") != std::string::npos;
    if (!is_busy || wait_ms <= 0) return made;
    const int64_t pause_ms = std::min(wait_ms, kNameFreePollMs);
    wait_ms -= pause_ms;
    const auto& pause = service_.options().pause;
    pause ? pause(pause_ms) : std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
  }
}

Result<bool> S3Bucket::CreateOnce() {
  TRY(CheckBucketName(name()));
  ServiceCall call = NewS3Call(location_, "PUT", "");
  // us-east-1 is the default, and the one region that must not be named.
  const std::string& region = service_.options().region;
  std::string xml;
  if (region != "us-east-1") {
    xml = Root("CreateBucketConfiguration", Element("LocationConstraint", XmlEscape(region)));
    SetCheckedBody(call, xml);
  }
  ASSIGN_OR_RETURN(const ServiceAnswer answer, service_.Call(call));
  if (answer.http.status == 200) return true;
  const std::string code = ParseXmlError(answer.http.body).code;
  if (code == "BucketAlreadyOwnedByYou") return false;
  if (code == "BucketAlreadyExists") {
    return Error{Code::kInvalid, "bucket " + name() +
                                     " belongs to another account: names of buckets are unique "
                                     "world-wide; choose another"};
  }
  return S3Error(answer, "s3:CreateBucket", name());
}

Result<void> S3Bucket::Delete() {
  ASSIGN_OR_RETURN(const ServiceAnswer answer, service_.Call(NewS3Call(location_, "DELETE", "")));
  if (answer.http.status < 300 || answer.http.status == 404) return {};
  if (ParseXmlError(answer.http.body).code == "BucketNotEmpty") {
    return Error{Code::kInvalid, "bucket " + name() + " is not empty"};
  }
  return S3Error(answer, "s3:DeleteBucket", name());
}

Result<void> S3Bucket::PutConfiguration(std::string_view what, std::string_view action,
                                        const std::string& xml) {
  ServiceCall call = NewS3Call(location_, "PUT", "", {{std::string(what), ""}});
  call.headers.emplace_back("Content-Type", "application/xml");
  SetCheckedBody(call, xml);
  TRY(Send(call, action));
  return {};
}

Result<void> S3Bucket::PutEncryption() {
  const std::string rule = Element(
      "Rule", Element("ApplyServerSideEncryptionByDefault", Element("SSEAlgorithm", "AES256")));
  return PutConfiguration("encryption", "s3:PutEncryptionConfiguration",
                          Root("ServerSideEncryptionConfiguration", rule));
}

Result<void> S3Bucket::PutPublicAccessBlock() {
  std::string all;
  for (const std::string_view what :
       {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}) {
    all.append(Element(what, "true"));
  }
  return PutConfiguration("publicAccessBlock", "s3:PutBucketPublicAccessBlock",
                          Root("PublicAccessBlockConfiguration", all));
}

Result<void> S3Bucket::PutLifecycle(const std::vector<S3LifecycleRule>& rules) {
  std::string all;
  for (const S3LifecycleRule& rule : rules) all.append(RuleXml(rule));
  return PutConfiguration("lifecycle", "s3:PutLifecycleConfiguration",
                          Root("LifecycleConfiguration", all));
}

Result<void> S3Bucket::PutTags(const std::map<std::string, std::string>& tags) {
  std::string all;
  for (const auto& [key, value] : tags) {
    all.append(
        Element("Tag", Element("Key", XmlEscape(key)).append(Element("Value", XmlEscape(value)))));
  }
  return PutConfiguration("tagging", "s3:PutBucketTagging",
                          Root("Tagging", Element("TagSet", all)));
}

Result<std::map<std::string, std::string>> S3Bucket::GetTags() {
  ASSIGN_OR_RETURN(const ServiceAnswer answer,
                   service_.Call(NewS3Call(location_, "GET", "", {{"tagging", ""}})));
  std::map<std::string, std::string> tags;
  if (answer.http.status != 200) {
    if (ParseXmlError(answer.http.body).code == "NoSuchTagSet") return tags;
    return S3Error(answer, "s3:GetBucketTagging", name());
  }
  ASSIGN_OR_RETURN(const XmlElement root, ParseXml(answer.http.body));
  const XmlElement* set = root.Find("TagSet");
  if (set == nullptr) return tags;
  for (const XmlElement& tag : set->children) {
    tags.emplace(tag.Text("Key"), tag.Text("Value"));
  }
  return tags;
}

Result<std::vector<std::string>> S3Bucket::List() {
  const S3Query query = {{"encoding-type", "url"}, {"list-type", "2"}};
  ASSIGN_OR_RETURN(const ServiceAnswer answer,
                   Send(NewS3Call(location_, "GET", "", query), "s3:ListBucket"));
  const Result<XmlElement> root = ParseXml(answer.http.body);
  if (!root || root->name != "ListBucketResult") {
    return Error{Code::kInvalid, "bucket " + name() + ": a listing that is none"};
  }
  return ParseKeys(*root);
}

Result<void> S3Bucket::DeleteBatch(const std::vector<std::string>& keys) {
  std::string all = Element("Quiet", "true");
  for (const std::string& key : keys) {
    all.append(Element("Object", Element("Key", XmlEscape(key))));
  }
  const std::string xml = Root("Delete", all);
  ServiceCall call = NewS3Call(location_, "POST", "", {{"delete", ""}});
  call.headers.emplace_back("Content-Type", "application/xml");
  SetCheckedBody(call, xml);
  ASSIGN_OR_RETURN(const ServiceAnswer answer, Send(call, "s3:DeleteObject"));
  ASSIGN_OR_RETURN(const XmlElement root, ParseXml(answer.http.body));
  for (const XmlElement& error : root.children) {
    if (error.name != "Error" || error.Text("Code") == "NoSuchKey") continue;
    return Error{Code::kRemoteFailed, "s3:DeleteObject of " + name() + "/" +
                                          std::string(error.Text("Key")) + ": " +
                                          std::string(error.Text("Code"))};
  }
  return {};
}

Result<void> S3Bucket::DeleteObjects(const std::vector<std::string>& keys) {
  for (size_t i = 0; i < keys.size(); i += kDeleteBatch) {
    const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(i);
    const size_t count = std::min(kDeleteBatch, keys.size() - i);
    TRY(DeleteBatch(std::vector<std::string>(begin, begin + static_cast<std::ptrdiff_t>(count))));
  }
  return {};
}

}  // namespace llama::aws
