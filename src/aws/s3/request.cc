#include "aws/s3/request.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "aws/http/xml.h"
#include "signing/sigv4.h"
#include "store/bucket_owner.h"

namespace llama::aws {
namespace {

bool IsBucketByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

std::string Base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::string Md5(std::string_view bytes) {
  std::array<char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
             EVP_md5(), nullptr);
  return std::string(digest.data(), size);
}

std::string_view BucketOf(std::string_view object) { return object.substr(0, object.find('/')); }

Error WrongRegion(std::string_view object, const std::string& region) {
  std::string message = "bucket ";
  message.append(BucketOf(object)).append(" is in another region");
  if (!region.empty()) {
    message.append(": set AWS_REGION=").append(region).append(" (or 'region = ");
    message.append(region).append("' in the configuration)");
  }
  return Error{Code::kInvalid, std::move(message)};
}

// The region in "https://bucket.s3.eu-west-1.amazonaws.com/key" or "…s3-eu-west-1.…"; empty: the
// address has none.
std::string RegionIn(std::string_view location) {
  const size_t host = location.find("://");
  if (host == std::string_view::npos) return "";
  location.remove_prefix(host + 3);
  location = location.substr(0, location.find_first_of("/:?"));
  const size_t domain = location.find(".amazonaws.com");
  if (domain == std::string_view::npos) return "";
  location = location.substr(0, domain);
  for (const std::string_view service : {".s3.", ".s3-", ".s3.dualstack."}) {
    const std::string padded = "." + std::string(location);
    const size_t at = padded.rfind(service);
    if (at == std::string::npos) continue;
    const std::string region = padded.substr(at + service.size());
    if (!region.empty() && region.find('.') == std::string::npos) return region;
  }
  return "";
}

// Never followed: a signature is for one host, and what an endpoint sends us to may be anybody's.
Error Redirected(const ServiceAnswer& answer, const XmlError& error, std::string_view object) {
  const std::string* region = answer.http.Find("x-amz-bucket-region");
  const std::string* location = answer.http.Find("location");
  std::string known = region != nullptr ? *region : error.region;
  if (known.empty() && location != nullptr) known = RegionIn(*location);
  if (!known.empty() || answer.http.status == 301) return WrongRegion(object, known);
  std::string message = "bucket ";
  message.append(BucketOf(object)).append(": the endpoint answers with a redirect (status ");
  message.append(std::to_string(answer.http.status)).append(")");
  if (location != nullptr) message.append(" to ").append(location->substr(0, 200));
  return Error{Code::kInvalid,
               message.append("; set the endpoint or the region that the bucket is in")};
}

Error Denied(std::string_view action, std::string_view object) {
  std::string message = "no permission for ";
  message.append(action).append(" on ").append(object);
  message.append("; 'llama bootstrap --policy' prints the policy that llama needs");
  if (action == "s3:GetObject") {
    message.append(" (without s3:ListBucket, S3 says this of an absent object too)");
  }
  if (const std::string_view owner = store::OwnerInName(BucketOf(object)); !owner.empty()) {
    message.append("; or the bucket is not account ").append(owner).append("'s, as its name says");
  }
  return Error{Code::kInvalid, std::move(message)};
}

Error NoBucket(std::string_view object) {
  return Error{Code::kInvalid, "bucket " + std::string(BucketOf(object)) +
                                   " does not exist; 'llama bootstrap' creates it"};
}

Code CodeOf(int status) {
  if (status == 404) return Code::kNotFound;
  if (status == 409 || status == 429 || status >= 500) return Code::kUnavailable;
  return Code::kInvalid;
}

}  // namespace

Result<void> CheckBucketName(std::string_view bucket) {
  const std::string name(bucket);
  if (bucket.size() < 3 || bucket.size() > 63 ||
      !std::all_of(bucket.begin(), bucket.end(), IsBucketByte) || bucket.front() == '-' ||
      bucket.front() == '.' || bucket.back() == '-' || bucket.back() == '.' ||
      bucket.find("..") != std::string_view::npos) {
    return Error{Code::kInvalid,
                 "bucket '" + name +
                     "': a name has 3 to 63 lower-case letters, digits, '-' and '.', and begins "
                     "and ends with a letter or digit"};
  }
  if (bucket.ends_with("--x-s3")) {
    return Error{Code::kInvalid, "bucket '" + name +
                                     "' is a directory bucket (S3 Express), which llama can't use; "
                                     "take a general purpose bucket"};
  }
  return {};
}

ServiceCall NewS3Call(const S3Location& location, std::string_view method, std::string_view key,
                      const S3Query& query) {
  ServiceCall call;
  call.method = method;
  if (location.path_style || location.bucket.find('.') != std::string::npos) {
    call.target = "/" + location.bucket + (key.empty() ? "" : "/");
  } else {
    call.host_prefix = location.bucket + ".";
    call.target = "/";
  }
  call.target.append(signing::UriEncode(key, true));
  char separator = '?';
  for (const auto& [name, value] : query) {
    call.target.push_back(std::exchange(separator, '&'));
    call.target.append(signing::UriEncode(name)).append("=").append(signing::UriEncode(value));
  }
  // CreateBucket alone does not know it: there is no owner yet.
  const bool creates = method == "PUT" && key.empty() && query.empty();
  if (const std::string_view owner = store::OwnerInName(location.bucket);
      !owner.empty() && !creates) {
    call.headers.emplace_back(store::kExpectedOwnerHeader, owner);
  }
  return call;
}

void SetCheckedBody(ServiceCall& call, std::string_view body) {
  call.body = body;
  call.headers.emplace_back("Content-MD5", Base64(Md5(body)));
}

int64_t TransferMs(uint64_t bytes) { return 120'000 + static_cast<int64_t>(bytes / 64); }

Error S3Error(const ServiceAnswer& answer, std::string_view action, std::string_view object) {
  const XmlError error = ParseXmlError(answer.http.body);
  const int status = answer.http.status;
  if (status / 100 == 3) return Redirected(answer, error, object);
  if (error.code == "AuthorizationHeaderMalformed" || error.code == "PermanentRedirect") {
    const std::string* region = answer.http.Find("x-amz-bucket-region");
    return WrongRegion(object, region != nullptr ? *region : error.region);
  }
  if (error.code == "NoSuchBucket") return NoBucket(object);
  // A HEAD's answer has no body that could tell more.
  if (status == 403 && (error.code == "AccessDenied" || error.code.empty())) {
    return Denied(action, object);
  }
  std::string message(action);
  message.append(" of ").append(object).append(": status ").append(std::to_string(status));
  if (!error.code.empty()) message.append(", ").append(error.code);
  if (!error.message.empty()) message.append(": ").append(error.message.substr(0, 500));
  return Error{CodeOf(status), std::move(message)};
}

}  // namespace llama::aws
