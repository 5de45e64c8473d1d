#include "cloud/fake_worker.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "worker/transport/runtime_client.h"

namespace llama::cloud {

std::vector<std::string> FakeWorkerCommand() {
  return {RealPath("/proc/self/exe").value(), "--gtest_also_run_disabled_tests",
          "--gtest_filter=FakeWorker.DISABLED_Main"};
}

namespace {

constexpr int kSocket = 3;

void SendRaw(const std::string& bytes) {
  (void)!send(kSocket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// A child in a process group of its own, whose id is in the file once it is there.
void MakeOrphan(const std::string& path) {
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    while (true) pause();
  }
  ASSERT_TRUE(WriteFileAtomic(path, std::to_string(pid), 0600));
}

void AwaitHangUp() {
  pollfd fd = {kSocket, POLLRDHUP, 0};
  poll(&fd, 1, -1);
}

std::string RawAnswer(const std::string& request) {
  SendRaw(request);
  char buffer[200];
  const ssize_t n = recv(kSocket, buffer, sizeof buffer, 0);
  return std::string(buffer, n > 0 ? static_cast<size_t>(n) : 0);
}

// The answer to a payload; some verbs never give one.
Result<std::string> Obey(worker::RuntimeClient& client, const std::string& verb,
                         const std::string& rest) {
  if (verb == "echo") return rest;
  if (verb == "pid") return std::to_string(getpid());
  if (verb == "fail") return Error{Code::kInternal, "as it was told"};
  if (verb == "die") kill(getpid(), SIGKILL);
  if (verb == "hang") {
    while (true) pause();
  }
  if (verb == "raw") {
    SendRaw(rest);
    _exit(0);
  }
  if (verb == "raw-get") return RawAnswer("GET /llama/store/" + rest + " HTTP/1.1\r\n\r\n");
  if (verb == "get") {
    Result<std::string> object = client.Get(rest);
    if (!object && object.error().code == Code::kNotFound) return std::string("not found");
    return object;
  }
  if (verb == "until") {
    while (access(rest.c_str(), F_OK) != 0) sched_yield();
    return std::string();
  }
  if (verb == "append") {
    const std::string path = rest.substr(0, rest.find(' '));
    Result<std::string> old = ReadFile(path);
    TRY(WriteFileAtomic(path, (old ? *old : "") + rest.substr(path.size() + 1), 0600));
    return std::string();
  }
  if (verb == "orphan-and-die") {
    MakeOrphan(rest);
    kill(getpid(), SIGKILL);
  }
  if (verb == "orphan-and-wait") {
    MakeOrphan(rest);
    AwaitHangUp();
    _exit(0);
  }
  return Error{Code::kInvalid, "unknown verb " + verb};
}

TEST(FakeWorker, DISABLED_Main) {
  auto client = worker::RuntimeClient::Connect("fd:3", SystemClock());
  if (!client) GTEST_SKIP() << "only the pool runs it";
  (void)mkdir(std::getenv("LLAMA_WORKER_DIR"), 0700);
  while (true) {
    Result<worker::RuntimeJob> job = (*client)->Next();
    if (!job) _exit(0);
    const std::string verb = job->payload.substr(0, job->payload.find(' '));
    const std::string rest = job->payload.substr(std::min(verb.size() + 1, job->payload.size()));
    Result<std::string> answer = Obey(**client, verb, rest);
    const Result<void> sent =
        answer ? (*client)->Respond(job->id, *answer) : (*client)->Fail(job->id, answer.error());
    if (!sent) _exit(1);
  }
}

}  // namespace
}  // namespace llama::cloud
