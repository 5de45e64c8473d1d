// Transfers: what a build sent and fetched, and whether bytes or requests took the time.
#pragma once

#include <cstdint>

#include "analysis/resources/transfer_model.h"
#include "analysis/units/units.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

struct Transfers {
  TransferModel uploads;    // of `sync`, those that did upload
  double upload_share = 0;  // of the time of those: in the store's requests; the rest is packing
  // Of it, too: in requests that failed and were made again. No transfer, and not in `uploads`.
  double upload_retry_share = 0;
  TransferModel calls;   // requests and answers of `invoke`, without what the worker took
  int64_t up_bytes = 0;  // of calls
  int64_t down_bytes = 0;
  // Of the units' time, requests and answers of `invoke` that were no cold starts.
  int64_t there_ns = 0;
  int64_t back_ns = 0;
  int64_t calls_made = 0;  // with such time
  // Of the wall clock: in which some request, or some answer, was on its way. What several share of
  // a line is what it delivers.
  int64_t sending_ns = 0;
  int64_t receiving_ns = 0;
  bool embedded = false;  // workers run on the build host itself

  // Latency is alike both ways; what takes much longer back than there waits for its bytes, if they
  // come no faster than a line of 100 Mbit/s gives. An estimate.
  bool AnswersAreSlow() const;
};

Transfers MeasureTransfers(const traces::Columns& trace, const Units& units);

}  // namespace llama::analysis
