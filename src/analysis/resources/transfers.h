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
  TransferModel calls;      // requests and answers of `invoke`, without what the worker took
  int64_t up_bytes = 0;     // of calls
  int64_t down_bytes = 0;
  bool embedded = false;  // workers run on the build host itself
};

Transfers MeasureTransfers(const traces::Columns& trace, const Units& units);

}  // namespace llama::analysis
