// For tests of the server: a pipeline that does what argv[1] of a compile says and notes what it
// was asked.
//
//   remote TEXT   a remote result with TEXT as stdout
//   big           a remote result of 8 MiB
//   local         a local verdict
//   block         waits until it is cancelled or Release() is called, then as remote
//   deaf          the same, but does not hear that it is cancelled
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "daemon/server/job.h"
#include "daemon/server/metrics.h"

namespace llama::daemon {

class FakePipeline final : public Pipeline {
 public:
  std::unique_ptr<Job> Start(session::Compile request, int64_t received_ns) override {
    AddTime(received_ns);
    return std::make_unique<FakeJob>(*this, std::move(request));
  }
  std::unique_ptr<Job> StartCommand(session::RunCommand request, int64_t received_ns) override {
    EXPECT_GT(received_ns, 0);
    session::Compile compile;
    compile.argv = std::move(request.argv);
    return std::make_unique<FakeJob>(*this, std::move(compile), true);
  }
  Result<void> BeginBuild(const session::BeginBuild& build) override {
    if (build.id == "bad") return Error{Code::kInvalid, "bad: no build id"};
    Note("begin " + build.id);
    return {};
  }
  Result<void> EndBuild(const session::EndBuild& build) override {
    Note("end " + build.id);
    return {};
  }
  void AbandonBuild(const std::string& build_id, int64_t gone_ns) override {
    AddTime(gone_ns);
    Note("abandon " + build_id);
  }
  session::Counters CountersOf(const std::string& build_id) override {
    session::Counters counters;
    counters.remote_done = build_id.size();
    return counters;
  }
  void FillStatus(session::Status& status) override { status.workers = 17; }
  void FillMetrics(Metrics& metrics) override { metrics.ended = {{"local", "link", 5}}; }
  void Tick() override {}

  // Lets every blocked job go.
  void Release() {
    const MutexLock lock(mutex_);
    released_ = true;
    changed_.NotifyAll();
  }
  // Waits until `count` notes begin with `prefix`; false after ten seconds.
  bool Await(const std::string& prefix, size_t count = 1) {
    const MutexLock lock(mutex_);
    for (int i = 0; i < 1000 && CountOf(prefix) < count; ++i) changed_.WaitFor(mutex_, 10);
    return CountOf(prefix) >= count;
  }
  size_t Count(const std::string& prefix) {
    const MutexLock lock(mutex_);
    return CountOf(prefix);
  }
  // Every moment that a compile's job was told of.
  std::vector<int64_t> times() {
    const MutexLock lock(mutex_);
    return times_;
  }
  std::vector<std::string> notes() {
    const MutexLock lock(mutex_);
    return notes_;
  }

 private:
  class FakeJob final : public Job {
   public:
    FakeJob(FakePipeline& pipeline, session::Compile request, bool is_command = false)
        : pipeline_(pipeline),
          request_(std::move(request)),
          what_(request_.argv.at(1)),
          is_command_(is_command) {}

    Verdict Run(const std::function<bool()>& cancelled) override {
      pipeline_.Note("run " + what_);
      if (what_ == "block") pipeline_.Block(cancelled);
      if (what_ == "deaf") pipeline_.Block([] { return false; });
      if (what_ == "local") return RunHere{"told to"};
      if (is_command_) {
        session::CommandResult result;
        result.out = request_.argv.back();
        return result;
      }
      session::CompileResult result{3 << 8, request_.argv.back(), {}};
      if (what_ == "big") result.out.assign(8 << 20, 'x');
      return result;
    }
    void SlotGranted(int64_t now_ns) override {
      pipeline_.AddTime(now_ns);
      pipeline_.Note("granted " + request_.argv.back());
    }
    void Finished(const std::optional<session::Done>& done, int64_t now_ns) override {
      pipeline_.AddTime(now_ns);
      pipeline_.Note("finished " + request_.argv.back() +
                     (done ? " done " + std::to_string(done->user_ns) : " hung up"));
    }

   private:
    FakePipeline& pipeline_;
    const session::Compile request_;
    const std::string what_;
    const bool is_command_;
  };

  void AddTime(int64_t time_ns) {
    const MutexLock lock(mutex_);
    times_.push_back(time_ns);
  }
  void Note(std::string note) {
    const MutexLock lock(mutex_);
    notes_.push_back(std::move(note));
    changed_.NotifyAll();
  }
  size_t CountOf(const std::string& prefix) const REQUIRES(mutex_) {
    return static_cast<size_t>(
        std::count_if(notes_.begin(), notes_.end(),
                      [&](const std::string& note) { return note.starts_with(prefix); }));
  }
  void Block(const std::function<bool()>& cancelled) {
    const MutexLock lock(mutex_);
    while (!released_ && !cancelled()) changed_.WaitFor(mutex_, 5);
  }

  Mutex mutex_;
  CondVar changed_;
  bool released_ GUARDED_BY(mutex_) = false;
  std::vector<std::string> notes_ GUARDED_BY(mutex_);
  std::vector<int64_t> times_ GUARDED_BY(mutex_);
};

}  // namespace llama::daemon
