#include "daemon/jobs/backend.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "aws/http/engine.h"
#include "aws/http/uplink.h"
#include "aws/lambda/functions.h"
#include "aws/s3/request.h"
#include "aws/s3/store.h"
#include "aws/service/credentials.h"
#include "aws/service/service.h"
#include "base/file.h"
#include "base/mutex.h"
#include "cloud/local_pool.h"
#include "daemon/jobs/recovery.h"
#include "job/store_url.h"

namespace llama::daemon {
namespace {

constexpr int64_t kPingMs = 5'000;

std::vector<std::string> Environment() {
  std::vector<std::string> env;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    env.emplace_back(*entry);
  }
  return env;
}

// What every AWS service stands on.
struct Account {
  std::unique_ptr<aws::HttpSender> sender;
  std::unique_ptr<aws::CredentialsProvider> credentials;
  std::unique_ptr<aws::Uplink> uplink;

  static Result<std::unique_ptr<Account>> Open(const aws::Settings& settings, const Clock& clock) {
    auto account = std::make_unique<Account>();
    aws::EngineOptions engine;
    engine.ca_file = settings.ca_file;
    ASSIGN_OR_RETURN(account->sender, aws::StartHttpEngine(engine));
    account->credentials =
        NewCredentialsChain(ChainOptionsOf(settings, Environment()), *account->sender, clock);
    account->uplink = std::make_unique<aws::Uplink>(clock);
    return account;
  }

  Result<std::unique_ptr<aws::Service>> Open(const aws::Settings& settings, std::string_view name,
                                             const Clock& clock) {
    ASSIGN_OR_RETURN(aws::ServiceOptions options, ServiceOptionsOf(settings, name));
    options.uplink = uplink.get();
    return NewService(options, *sender, *credentials, clock);
  }
};

// The bucket and the way to it. Members in the order of what stands on what.
struct S3Side {
  std::unique_ptr<Account> account;
  std::unique_ptr<aws::Service> service;
  std::unique_ptr<store::ObjectStore> store;
  std::string name;
  std::string location;  // for workers: docs/wire_format.md, "Envelope"
  aws::S3Location place;
  std::string ping_key;

  // Writes a few bytes: that needs what jobs need.
  Result<void> Ping(const std::function<bool()>& cancelled) {
    aws::ServiceCall call = aws::NewS3Call(place, "PUT", ping_key);
    call.body = "llama";
    call.deadlines.total_ms = kPingMs;
    call.cancelled = cancelled;
    TRY(service->Call(call));
    return {};
  }
};

Result<std::unique_ptr<S3Side>> OpenS3(const aws::Settings& settings, const Clock& clock) {
  ASSIGN_OR_RETURN(const aws::StoreLocation place, aws::ParseStoreLocation(settings.object_store));
  auto side = std::make_unique<S3Side>();
  ASSIGN_OR_RETURN(side->account, Account::Open(settings, clock));
  ASSIGN_OR_RETURN(side->service, side->account->Open(settings, "s3", clock));
  aws::S3StoreOptions options;
  options.bucket = place.bucket;
  options.prefix = place.prefix;
  options.path_style = settings.path_style;
  options.storage_class = settings.storage_class;
  ASSIGN_OR_RETURN(side->store, aws::S3Store::Open(options, *side->service));
  side->place = {place.bucket, settings.path_style};
  side->ping_key = place.prefix + "ping";
  side->name =
      "s3://" + place.bucket + "/" + place.prefix + " @ " + side->service->options().endpoint;
  side->location = job::FormatStoreUrl({place.bucket, place.prefix, side->service->options().region,
                                        settings.endpoint_s3, settings.path_style});
  return side;
}

std::string FolderOf(const aws::Settings& settings, const std::string& llama_dir) {
  return settings.object_store.empty() ? JoinPath(llama_dir, "store") : settings.object_store;
}

bool UsesS3(const aws::Settings& settings) { return settings.object_store.starts_with("s3://"); }

class BackendImpl final : public Backend {
 public:
  explicit BackendImpl(const Clock& clock) : clock_(clock) {}

  Result<void> Init(const aws::Settings& settings, const BackendOptions& options) {
    TRY(OpenStore(settings, options));
    if (!settings.function.empty()) return OpenLambda(settings);
    cloud::LocalPoolOptions pool;
    pool.worker_program = options.worker_program;
    pool.launcher = options.worker_launcher;
    pool.dir = JoinPath(options.llama_dir, "pool");
    pool.max_workers = options.max_workers;
    pool.idle_timeout_ms = options.worker_idle_ms;
    const auto workers = static_cast<uint64_t>(options.max_workers);
    pool.mirror_max_bytes = std::min(pool.mirror_max_bytes, options.max_disk_bytes / 2 / workers);
    ASSIGN_OR_RETURN(pool_, cloud::LocalPool::Start(pool, *store_));
    return {};
  }

  store::ObjectStore& store() override { return *store_; }
  std::string store_name() const override { return store_name_; }

  Result<job::FunctionClient*> Function(const std::string& name) override {
    if (pool_) {
      if (name.empty()) return pool_.get();
      return Error{
          Code::kInvalid,
          "LLAMACC_FUNCTION=" + name +
              ": the daemon runs on the embedded cloud; configure a function and restart it"};
    }
    const std::string& wanted = name.empty() ? default_function_ : name;
    MutexLock lock(mutex_);
    auto& function = functions_[wanted];
    if (!function) {
      ASSIGN_OR_RETURN(function, NewLambda(wanted));
    }
    return function.get();
  }

  std::string Outage() override {
    std::string outage = CloudOutage();
    if (!outage.empty()) recovery_->Wake();
    return outage;
  }

  std::vector<pid_t> WorkerPids() override {
    return pool_ ? pool_->stats().pids : std::vector<pid_t>();
  }
  void FillStatus(session::Status& status) override {
    status.backend = (pool_ ? "local workers" : "lambda:" + default_function_) + ", " + store_name_;
    status.outage = Outage();
    if (!pool_) return;
    const cloud::PoolStats stats = pool_->stats();
    status.workers = stats.workers;
    status.busy_workers = stats.busy;
  }

 private:
  std::string CloudOutage() {
    std::string outage = s3_ ? s3_->service->Outage() : std::string();
    if (outage.empty() && lambda_) outage = lambda_->Outage();
    return outage;
  }

  // Only the answer's coming matters: it closes the circuit.
  void Ask(const std::function<bool()>& cancelled) {
    if (!s3_->service->Outage().empty()) (void)s3_->Ping(cancelled).has_value();
    if (!lambda_ || lambda_->Outage().empty()) return;
    const auto function = Function("");
    if (function) (void)(*function)->Ping({kPingMs, cancelled}).has_value();
  }

  Result<void> OpenStore(const aws::Settings& settings, const BackendOptions& options) {
    if (UsesS3(settings)) {
      ASSIGN_OR_RETURN(s3_, OpenS3(settings, clock_));
      recovery_ = std::make_unique<Recovery>(
          Recovery::Options{.is_up = [this] { return CloudOutage().empty(); },
                            .ask = [this](const auto& cancelled) { Ask(cancelled); }});
      store_ = s3_->store.get();
      store_name_ = s3_->name;
      return {};
    }
    const std::string folder = FolderOf(settings, options.llama_dir);
    ASSIGN_OR_RETURN(folder_,
                     store::OpenFolderStore(folder, {"layers/", options.max_disk_bytes / 2}));
    store_ = folder_.get();
    store_name_ = "folder:" + folder;
    return {};
  }

  Result<void> OpenLambda(const aws::Settings& settings) {
    if (!s3_) {
      return Error{Code::kInvalid, "function " + settings.function +
                                       ": its workers can't reach the folder " + store_name_ +
                                       "; set object_store to s3://BUCKET (llama config)"};
    }
    ASSIGN_OR_RETURN(lambda_, s3_->account->Open(settings, "lambda", clock_));
    default_function_ = settings.function;
    max_concurrency_ = settings.max_concurrency;
    ASSIGN_OR_RETURN([[maybe_unused]] const auto* function, Function(""));
    return {};
  }

  Result<std::unique_ptr<job::FunctionClient>> NewLambda(const std::string& name) {
    aws::LambdaFunctionsOptions options;
    options.function = name;
    options.store_location = s3_->location;
    if (max_concurrency_ > 0) options.max_concurrency = max_concurrency_;
    return aws::NewLambdaFunctions(options, *lambda_, *s3_->store, clock_);
  }

  const Clock& clock_;
  std::unique_ptr<S3Side> s3_;
  std::unique_ptr<store::ObjectStore> folder_;
  store::ObjectStore* store_ = nullptr;
  std::string store_name_;
  std::unique_ptr<cloud::LocalPool> pool_;

  std::unique_ptr<aws::Service> lambda_;
  std::string default_function_;
  int64_t max_concurrency_ = 0;
  Mutex mutex_;
  std::map<std::string, std::unique_ptr<job::FunctionClient>> functions_ GUARDED_BY(mutex_);
  std::unique_ptr<Recovery> recovery_;  // last: its thread uses the others
};

}  // namespace

Result<std::unique_ptr<Backend>> Backend::Open(const aws::Settings& settings,
                                               const BackendOptions& options, const Clock& clock) {
  auto backend = std::make_unique<BackendImpl>(clock);
  TRY(backend->Init(settings, options));
  return std::unique_ptr<Backend>(std::move(backend));
}

Result<StoreBackend> OpenStoreBackend(const aws::Settings& settings, const std::string& llama_dir,
                                      const Clock& clock) {
  StoreBackend backend;
  if (!UsesS3(settings)) {
    const std::string folder = FolderOf(settings, llama_dir);
    ASSIGN_OR_RETURN(backend.store, store::OpenFolderStore(folder));
    backend.name = "folder:" + folder;
    return backend;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<S3Side> side, OpenS3(settings, clock));
  backend.store = std::move(side->store);
  backend.name = side->name;
  backend.support = std::shared_ptr<const S3Side>(std::move(side));
  return backend;
}

}  // namespace llama::daemon
