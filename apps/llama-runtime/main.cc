// llama-runtime: the worker. Runs jobs for whoever speaks Lambda's Runtime API to it: the local
// pool (over the socket it inherits) or Lambda itself.
//
//   AWS_LAMBDA_RUNTIME_API   host:port, or fd:N for a connected socket
//   LLAMA_WORKER_DIR         the folder it may write to (default /tmp/llama-worker)
//   LLAMA_WORKER_MAX_BYTES   what its mirror of the tree may hold there (default: most of what is
//                            free, so that a function's ephemeral storage decides)
//   LLAMA_STORE              the only store that jobs may name (job/store_url.h)
//   LLAMA_CA_FILE            certificates that the store's must come from
//
// In Lambda also AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN: the
// function's role, with which it reads the store.
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "build_id/build_id.h"
#include "worker/run/job_runner.h"
#include "worker/run/worker_dir.h"
#include "worker/transport/deliveries.h"
#include "worker/transport/job_store.h"
#include "worker/transport/runtime_client.h"
#include "worker/transport/serve.h"

namespace {

using llama::Error;
using llama::Fd;
using llama::Result;

std::string Variable(const char* name, std::string_view otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : std::string(otherwise);
}

// SIGTERM and SIGINT as a descriptor, so that every wait can watch for them.
Fd StopSignals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return Fd(signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
}

// What its mirror may hold: three quarters of what is free, the rest being for outputs.
uint64_t MirrorRoom(const std::string& dir) {
  uint64_t bytes = 0;
  const std::string said = Variable("LLAMA_WORKER_MAX_BYTES", "");
  std::from_chars(said.data(), said.data() + said.size(), bytes);
  struct statvfs disk {};
  if (bytes != 0 || statvfs(std::string(llama::DirName(dir)).c_str(), &disk) != 0) return bytes;
  return uint64_t{disk.f_bavail} * disk.f_frsize / 4 * 3;
}

// The folder that the pool made for its worker, if it is there: under a launcher that changes the
// root it isn't.
Result<llama::worker::WorkerDir> ClaimDir() {
  const std::string wanted = Variable("LLAMA_WORKER_DIR", "");
  struct stat st {};
  if (!wanted.empty() && stat(std::string(llama::DirName(wanted)).c_str(), &st) == 0) {
    return llama::worker::WorkerDir::Given(wanted);
  }
  return llama::worker::WorkerDir::Claim("/tmp");
}

llama::worker::FunctionFacts Facts(const std::string& dir) {
  llama::worker::FunctionFacts facts;
  facts.version = LLAMA_VERSION;
  facts.build = llama::BuildId();
  facts.dir = dir;
  facts.region = Variable("AWS_REGION", Variable("AWS_DEFAULT_REGION", ""));
  facts.fixed_store = Variable("LLAMA_STORE", "");
  facts.keys = {Variable("AWS_ACCESS_KEY_ID", ""), Variable("AWS_SECRET_ACCESS_KEY", ""),
                Variable("AWS_SESSION_TOKEN", "")};
  const std::string memory_mb = Variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "");
  std::from_chars(memory_mb.data(), memory_mb.data() + memory_mb.size(), facts.memory_mb);
  for (const char* name : {"SSL_CERT_FILE", "LLAMA_CA_FILE"}) {
    if (const std::string file = Variable(name, ""); !file.empty()) facts.ca_files.push_back(file);
  }
  // A function of the user's own may bring certificates along.
  if (Result<std::string> home = llama::ExecutableDir())
    facts.ca_files.push_back(*home + "/ca.pem");
  facts.ca_files.push_back("/etc/pki/tls/certs/ca-bundle.crt");
  facts.ca_files.push_back("/etc/ssl/certs/ca-certificates.crt");
  return facts;
}

Result<std::unique_ptr<llama::worker::JobRunner>> OpenRunner(const std::string& dir,
                                                             llama::store::ObjectStore& store) {
  llama::worker::RunnerOptions options;
  options.dir = dir;
  if (const uint64_t room = MirrorRoom(dir); room != 0) options.mirror_max_bytes = room;
  return llama::worker::JobRunner::Open(options, store, llama::SystemClock());
}

int Report(const Error& error) {
  LOG(kError, "llama-runtime: " + error.message);
  return 1;
}

}  // namespace

int main() {
  const Fd stop = StopSignals();
  auto client = llama::worker::RuntimeClient::Connect(Variable("AWS_LAMBDA_RUNTIME_API", ""),
                                                      llama::SystemClock(), stop.get());
  if (!client) return Report(client.error());
  const auto dir = ClaimDir();
  if (!dir) {
    (void)(*client)->FailInit(dir.error()).has_value();
    return Report(dir.error());
  }
  const auto runtime = llama::worker::NewRuntimeStore(**client);
  llama::worker::JobStore store(*runtime);
  auto runner = OpenRunner(dir->path(), store);
  if (!runner) {
    (void)(*client)->FailInit(runner.error()).has_value();
    return Report(runner.error());
  }
  llama::worker::Deliveries deliveries(Facts(dir->path()), *runtime, store, llama::SystemClock(),
                                       stop.get());
  const Result<void> served =
      llama::worker::Serve(**client, **runner, deliveries, llama::SystemClock());
  return served ? 0 : Report(served.error());
}
