// TransferModel: whether transfers took their time for their bytes (bandwidth) or for each request
// (latency), told from how long small and large ones took.
#pragma once

#include <cstdint>
#include <vector>

namespace llama::analysis {

// A request of S3's rarely takes longer than this without its bytes.
inline constexpr double kUsualRequestNs = 150e6;

struct Transfer {
  int64_t bytes = 0;
  int64_t requests = 0;
  int64_t duration_ns = 0;
  // Seen before its end: whether bytes were still on their way then, or their answer.
  enum class Seen : unsigned char { kWhole, kSending, kWaiting };
  Seen seen = Seen::kWhole;
};

struct TransferModel {
  double bytes_share = 0;  // of the time: for the bytes; the rest is for the requests
  double bytes_per_second = 0;
  // The mean of what a request took: without its bytes if sizes differ enough to tell that.
  double request_ns = 0;
  bool is_measured = false;  // they do, or it was seen; else bytes_share is an estimate
  int64_t bytes = 0;
  int64_t requests = 0;
  int64_t duration_ns = 0;
  int64_t unfinished = 0;  // of the requests
  bool BoundByBytes() const { return bytes_share >= 0.5; }
};

TransferModel ModelTransfers(std::vector<Transfer> transfers);

}  // namespace llama::analysis
