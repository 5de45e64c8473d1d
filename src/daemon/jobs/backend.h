// Backend: the cloud that the daemon works with: where the objects are and what runs the jobs, as
// the settings say. The embedded cloud (a folder, worker processes), AWS (S3, Lambda), or S3 with
// workers on this machine. Thread-safe once opened.
//
// After an answer of Outage() that is not empty it asks from time to time, on its own, whether the
// cloud is back. Opening it makes no request: without network, or with the wrong credentials, the
// daemon starts, and jobs run locally with the reason.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "aws/settings/settings.h"
#include "base/clock.h"
#include "base/result.h"
#include "execute/functions.h"
#include "session/session.h"
#include "store/object_store.h"

namespace llama::daemon {

struct BackendOptions {
  std::string llama_dir;       // state folder
  std::string worker_program;  // llama-runtime
  std::vector<std::string> worker_launcher;
  int max_workers = 1;  // of the local pool
  // Of the embedded cloud's layers and its workers' mirrors of them, together: half for each. What
  // one job needs is there even so.
  uint64_t max_disk_bytes = uint64_t{20} << 30;
  int64_t worker_idle_ms = 300'000;
};

class Backend : public execute::Cloud {
 public:
  // kInvalid: settings that contradict each other, named. `clock` must outlive the backend.
  static Result<std::unique_ptr<Backend>> Open(const aws::Settings& settings,
                                               const BackendOptions& options, const Clock& clock);

  virtual store::ObjectStore& store() = 0;
  // Names the store's place for the layer index: "folder:/…", "s3://bucket/prefix @ endpoint".
  virtual std::string store_name() const = 0;
  virtual void FillStatus(session::Status& status) = 0;
  virtual std::vector<pid_t> WorkerPids() = 0;  // of workers of this machine
};

// The store alone, for programs that only put and get objects.
struct StoreBackend {
  std::unique_ptr<store::ObjectStore> store;
  std::string name;                     // as Backend::store_name
  std::shared_ptr<const void> support;  // what the store stands on; must outlive it
};
Result<StoreBackend> OpenStoreBackend(const aws::Settings& settings, const std::string& llama_dir,
                                      const Clock& clock);

}  // namespace llama::daemon
