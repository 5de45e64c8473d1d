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

// Of those that came to their end.
double NsForBytes(std::vector<Transfer> transfers, bool& is_measured) {
  double total_ns = 0;
  double bytes = 0;
  double requests = 0;
  for (const Transfer& transfer : transfers) {
    total_ns += static_cast<double>(transfer.duration_ns);
    bytes += static_cast<double>(transfer.bytes);
    requests += static_cast<double>(transfer.requests);
  }
  if (transfers.empty() || total_ns == 0) return 0;
  std::sort(transfers.begin(), transfers.end(),
            [](const Transfer& a, const Transfer& b) { return a.bytes < b.bytes; });
  const size_t half = transfers.size() / 2;
  const Mean large = MeanOf(transfers, half, transfers.size());
  const Mean small = half == 0 ? large : MeanOf(transfers, 0, half);
  if (large.bytes > 0 && large.bytes >= kContrast * small.bytes) {
    const double slope = (large.duration_ns - small.duration_ns) / (large.bytes - small.bytes);
    is_measured = true;
    return std::clamp(slope * bytes, 0.0, total_ns);
  }
  requests = std::max(1.0, requests);
  if (bytes / requests < kManyBytes) return 0;
  return std::max(0.0, total_ns - kUsualRequestNs * requests);
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
  double for_bytes_ns = 0;
  const auto seen = std::partition(transfers.begin(), transfers.end(), [](const Transfer& t) {
    return t.seen == Transfer::Seen::kWhole;
  });
  for (auto transfer = seen; transfer != transfers.end(); ++transfer) {
    if (transfer->seen == Transfer::Seen::kSending)
      for_bytes_ns += static_cast<double>(transfer->duration_ns);
    out.is_measured = true;
    out.unfinished = traces::AddUp(out.unfinished, transfer->requests);
  }
  transfers.erase(seen, transfers.end());
  for_bytes_ns += NsForBytes(std::move(transfers), out.is_measured);
  const auto total_ns = static_cast<double>(out.duration_ns);
  const double requests = std::max(1.0, static_cast<double>(out.requests));
  out.bytes_share = for_bytes_ns / total_ns;
  out.bytes_per_second = static_cast<double>(out.bytes) / total_ns * 1e9;
  out.request_ns = (total_ns - (out.is_measured ? for_bytes_ns : 0)) / requests;
  return out;
}

}  // namespace llama::analysis
