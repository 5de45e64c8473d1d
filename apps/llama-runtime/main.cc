// llama-runtime: the worker. Runs jobs for whoever speaks Lambda's Runtime API to it: the local
// pool (over the socket it inherits) or Lambda itself.
//
//   AWS_LAMBDA_RUNTIME_API   host:port, or fd:N for a connected socket
//   LLAMA_WORKER_DIR         the folder it may write to (default /tmp/llama-worker)
//   LLAMA_WORKER_MAX_BYTES   what its mirror of the tree may hold there
#include <sys/signalfd.h>
#include <sys/stat.h>
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
#include "worker/job_runner.h"
#include "worker/runtime_client.h"
#include "worker/serve.h"

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

Result<std::unique_ptr<llama::worker::JobRunner>> OpenRunner(llama::store::ObjectStore& store) {
  llama::worker::RunnerOptions options;
  const std::string max_bytes = Variable("LLAMA_WORKER_MAX_BYTES", "");
  std::from_chars(max_bytes.data(), max_bytes.data() + max_bytes.size(), options.mirror_max_bytes);
  options.dir = Variable("LLAMA_WORKER_DIR", "/tmp/llama-worker");
  // Under a launcher that changes the root, the folder that the pool made for its workers isn't
  // there. The name is as short as can be: see job_runner.h.
  struct stat st {};
  if (stat(std::string(llama::DirName(options.dir)).c_str(), &st) != 0) {
    options.dir = "/tmp/llama-" + std::to_string(getpid());
  }
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
  const auto store = llama::worker::NewRuntimeStore(**client);
  auto runner = OpenRunner(*store);
  if (!runner) {
    (void)(*client)->FailInit(runner.error()).has_value();
    return Report(runner.error());
  }
  const Result<void> served = llama::worker::Serve(**client, **runner);
  return served ? 0 : Report(served.error());
}
