// S3Bucket: what is done with a bucket as such: making it, setting it up, listing, emptying and
// removing it. For `llama bootstrap` and `llama doctor`; the objects of a build go through
// store.h.
//
// Errors as S3Error (request.h) has them. Thread-safe if the service is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/s3/request.h"
#include "aws/service/service.h"
#include "base/result.h"

namespace llama::aws {

// What is deleted by itself.
struct S3LifecycleRule {
  std::string id = {};
  std::string prefix = {};                  // "" = every object
  int expire_days = 0;                      // after the last write; 0: never
  int abort_incomplete_multipart_days = 0;  // 0: never
};

enum class BucketState : unsigned char { kAbsent, kOurs, kForeign };

class S3Bucket {
 public:
  // The service must outlive this.
  S3Bucket(S3Location location, Service& service);

  // kForeign: it is there and we may not look into it, or it is another account's.
  Result<BucketState> Head();
  // True: made; false: it was ours already. kInvalid: somebody else has that name. One that was
  // deleted just now is not free at once; that is waited for. The service's `pause` waits.
  Result<bool> Create(int64_t wait_ms = 60'000);
  // Of a bucket that is empty; absent: no error. kInvalid: it is not empty.
  Result<void> Delete();

  Result<void> PutEncryption();         // SSE-S3 (AES256), which costs nothing
  Result<void> PutPublicAccessBlock();  // all four
  // Replaces all rules that are there.
  Result<void> PutLifecycle(const std::vector<S3LifecycleRule>& rules);
  // Replaces all tags.
  Result<void> PutTags(const std::map<std::string, std::string>& tags);
  // Empty if there are none.
  Result<std::map<std::string, std::string>> GetTags();

  // The first 1,000 keys.
  Result<std::vector<std::string>> List();
  // Any number, in batches of 1,000; absent ones are no error. Names the first that could not be.
  Result<void> DeleteObjects(const std::vector<std::string>& keys);

  const std::string& name() const { return location_.bucket; }

 private:
  Result<bool> CreateOnce();
  Result<ServiceAnswer> Send(const ServiceCall& call, std::string_view action);
  Result<void> PutConfiguration(std::string_view what, std::string_view action,
                                const std::string& xml);
  Result<void> DeleteBatch(const std::vector<std::string>& keys);

  S3Location location_;
  Service& service_;
};

}  // namespace llama::aws
