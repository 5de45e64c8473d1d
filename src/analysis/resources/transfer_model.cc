#include "analysis/resources/transfer_model.h"

#include <algorithm>

#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

// Sizes that differ by less say nothing of what a byte costs.
constexpr double kContrast = 4;
// Where they say nothing: a request of few bytes is not bound by them.
constexpr double kManyBytes = 256 * 1024;

struct Mean {
  double bytes = 0;
  double duration_ns = 0;
};

Mean MeanOf(const std::vector<Transfer>& transfers, size_t begin, size_t end) {
  Mean mean;
  for (size_t i = begin; i < end; ++i) {
    mean.bytes += static_cast<double>(transfers[i].bytes);
    mean.duration_ns += static_cast<double>(transfers[i].duration_ns);
  }
  const double count = static_cast<double>(end - begin);
  return {mean.bytes / count, mean.duration_ns / count};
}

}  // namespace

TransferModel ModelTransfers(std::vector<Transfer> transfers) {
  TransferModel out;
  for (const Transfer& transfer : transfers) {
    out.bytes = traces::AddUp(out.bytes, transfer.bytes);
    out.requests = traces::AddUp(out.requests, transfer.requests);
    out.duration_ns = traces::AddUp(out.duration_ns, transfer.duration_ns);
  }
  if (transfers.empty() || out.duration_ns == 0) return out;
  const auto total_ns = static_cast<double>(out.duration_ns);
  const auto bytes = static_cast<double>(out.bytes);
  const double requests = std::max(1.0, static_cast<double>(out.requests));
  std::sort(transfers.begin(), transfers.end(),
            [](const Transfer& a, const Transfer& b) { return a.bytes < b.bytes; });
  const size_t half = transfers.size() / 2;
  const Mean large = MeanOf(transfers, half, transfers.size());
  const Mean small = half == 0 ? large : MeanOf(transfers, 0, half);
  double for_bytes_ns = 0;
  if (large.bytes > 0 && large.bytes >= kContrast * small.bytes) {
    const double slope = (large.duration_ns - small.duration_ns) / (large.bytes - small.bytes);
    for_bytes_ns = std::clamp(slope * bytes, 0.0, total_ns);
    out.is_measured = true;
  } else if (bytes / requests >= kManyBytes) {
    for_bytes_ns = std::max(0.0, total_ns - kUsualRequestNs * requests);
  }
  out.bytes_share = for_bytes_ns / total_ns;
  out.bytes_per_second = bytes / total_ns * 1e9;
  out.request_ns = (total_ns - (out.is_measured ? for_bytes_ns : 0)) / requests;
  return out;
}

}  // namespace llama::analysis
