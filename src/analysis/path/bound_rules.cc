#include "analysis/path/bound_rules.h"

#include <algorithm>
#include <utility>

namespace llama::analysis {
namespace {

// Of the units' time: what most of it goes to is what bounds the build.
constexpr double kMost = 0.5;
constexpr double kCpuFull = 0.85;

bool CpuIsFull(const CellSituation& cell) {
  if (cell.cpu_busy >= 0) return cell.cpu_busy >= kCpuFull;
  // Without a sample: as many compilers as there are processors keep them busy.
  double compilers = cell.in(Phase::kLocal) + cell.in(Phase::kLocalMeanwhile);
  if (cell.transfers->embedded) compilers += cell.in(Phase::kExec);
  return cell.cpus > 0 && compilers >= kCpuFull * static_cast<double>(cell.cpus);
}

// In `sync`, but not in the store's requests: packing what goes up, or waiting until it is packed.
double Packing(const CellSituation& cell) {
  return cell.in(Phase::kSync) *
         (1 - cell.transfers->upload_share - cell.transfers->upload_retry_share);
}

// Units on the build host's processors, or in line for them.
double OnHost(const CellSituation& cell) {
  double host = cell.in(Phase::kClient) + cell.in(Phase::kLocal) + cell.in(Phase::kLocalQueue);
  if (cell.transfers->embedded || cell.transfers->uploads.requests == 0) host += Packing(cell);
  if (cell.transfers->embedded) {
    host += cell.in(Phase::kExec) + cell.in(Phase::kMaterialise) + cell.in(Phase::kColdStart) +
            cell.in(Phase::kFill) + cell.in(Phase::kWorkerQueue);
  }
  return host;
}

// Uploads as quick as requests usually are tell of no slow store: there was much to bring.
Bound BoundOfUploads(const TransferModel& uploads) {
  if (uploads.BoundByBytes()) return Bound::kUplink;
  return uploads.request_ns >= kUsualRequestNs ? Bound::kStore : Bound::kFill;
}

std::pair<Bound, double> LargestWait(const CellSituation& cell) {
  const Transfers& transfers = *cell.transfers;
  std::array<double, kBounds> waits = {};
  const auto add = [&](Bound bound, double units) { waits[static_cast<size_t>(bound)] += units; };
  add(Bound::kWorkers, cell.in(Phase::kWorkerQueue));
  add(Bound::kColdStarts, cell.in(Phase::kColdStart));
  add(Bound::kRetries, cell.in(Phase::kRetry));
  // What is compiled here meanwhile would be done if the upload were.
  add(Bound::kRetries, cell.in(Phase::kSync)*transfers.upload_retry_share);
  add(BoundOfUploads(transfers.uploads),
      cell.in(Phase::kSync)*transfers.upload_share + cell.in(Phase::kLocalMeanwhile));
  add(Bound::kStore, cell.in(Phase::kMaterialise));
  add(Bound::kFill, cell.in(Phase::kFill));
  if (transfers.uploads.requests > 0) add(Bound::kFill, Packing(cell));
  // What goes to workers of this machine goes nowhere.
  if (!transfers.embedded) {
    const bool by_bytes = transfers.calls.BoundByBytes();
    const Bound bytes =
        transfers.up_bytes >= transfers.down_bytes ? Bound::kUplink : Bound::kDownlink;
    add(by_bytes ? bytes : Bound::kTransit, cell.in(Phase::kTransit));
    add(by_bytes                     ? bytes
        : transfers.AnswersAreSlow() ? Bound::kDownlink
                                     : Bound::kTransit,
        cell.in(Phase::kTransitBack));
  }
  add(Bound::kCpu, cell.in(Phase::kLocalQueue));
  const auto largest = std::max_element(waits.begin(), waits.end());
  double all = 0;
  for (const double wait : waits) all += wait;
  return {static_cast<Bound>(largest - waits.begin()), all};
}

}  // namespace

Bound BoundOfCell(const CellSituation& cell) {
  if (cell.busy_share <= 0 || cell.running <= 0) return Bound::kIdle;
  if (CpuIsFull(cell) && OnHost(cell) >= kMost * cell.running) return Bound::kCpu;
  const auto [wait, waiting] = LargestWait(cell);
  if (waiting >= kMost * cell.running) return wait;
  if (cell.all_slots_taken) return Bound::kSlots;
  if (!cell.next) return Bound::kTail;
  switch (*cell.next) {
    case LinkKind::kDependency:
    case LinkKind::kFollowed:
      return Bound::kDependencies;
    case LinkKind::kSlot:
      return Bound::kSlots;
    case LinkKind::kStart:
    case LinkKind::kLate:
      return Bound::kMake;
  }
  return Bound::kMake;
}

}  // namespace llama::analysis
