// Jobs and answers. The first byte says which, and whether the rest is the payload as it comes or
// what is in its frame.
#include <zstd.h>

#include "base/fuzz.h"
#include "job/job.h"

namespace llama::job {
namespace {

std::string Seal(std::string_view magic, std::string_view body) {
  std::string out = std::string(magic) + "\5";
  const size_t head = out.size();
  out.resize(head + ZSTD_compressBound(body.size()));
  out.resize(head +
             ZSTD_compress(out.data() + head, out.size() - head, body.data(), body.size(), 1));
  return out;
}

}  // namespace

FUZZ_TARGET(bytes) {
  const unsigned bits = TakeByte(bytes);
  const bool is_job = (bits & 1) != 0;
  const std::string payload =
      (bits & 2) != 0 ? Seal(is_job ? "llJ" : "llA", bytes) : std::string(bytes);
  if (is_job) {
    const Result<Job> job = DecodeJob(payload);
    if (!job) return;
    const std::string once = EncodeJob(*job);
    const Result<Job> again = DecodeJob(once);
    CHECK(again.has_value() && EncodeJob(*again) == once);
  } else {
    const Result<Answer> answer = DecodeAnswer(payload);
    if (!answer) return;
    const std::string once = EncodeAnswer(*answer);
    const Result<Answer> again = DecodeAnswer(once);
    CHECK(again.has_value() && EncodeAnswer(*again) == once);
  }
}

}  // namespace llama::job
