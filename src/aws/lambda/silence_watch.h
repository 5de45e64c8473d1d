// SilenceWatch: tells an invocation that is long from an endpoint that is gone. An invocation's
// answer may rightly take as long as its command, so its silence alone says nothing. But while any
// is under way and *nothing at all* has come from the service for kSilentMs, the watch asks it for
// something that it answers at once (a dry run). As long as that is answered, invocations may take
// their time; when kUnanswered requests in a row got no answer and the circuit is open for it, the
// endpoint counts as mute, and those that wait for it are ended.
//
// Its thread sleeps while nothing is under way. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "aws/service/service.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace llama::aws {

class SilenceWatch {
 public:
  static constexpr int64_t kSilentMs = 2'000;
  static constexpr int64_t kAnswerMs = 2'500;  // what a dry run is given
  static constexpr int kUnanswered = 2;

  // `ask` sends one dry run, within kAnswerMs.
  SilenceWatch(Service& service, const Clock& clock, std::function<void()> ask);
  ~SilenceWatch();  // waits for a question that is under way

  // An invocation that is under way for as long as this lives.
  class Invocation {
   public:
    explicit Invocation(SilenceWatch& watch) : watch_(watch) { watch_.Begin(); }
    ~Invocation() { watch_.End(); }
    Invocation(const Invocation&) = delete;
    Invocation& operator=(const Invocation&) = delete;

   private:
    SilenceWatch& watch_;
  };

  bool is_mute() const;

 private:
  void Begin();
  void End();
  void Run();
  bool WaitForSilence();

  Service& service_;
  const Clock& clock_;
  const std::function<void()> ask_;
  Mutex mutex_;
  CondVar changed_;
  int under_way_ GUARDED_BY(mutex_) = 0;
  int64_t begun_ns_ GUARDED_BY(mutex_) = 0;  // when the first of those under way began
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace llama::aws
