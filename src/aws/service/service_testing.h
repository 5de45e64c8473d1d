// What the tests of Service stand on: a sender whose replies a test gives, on a clock that stands
// still but for what replies and waits take.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/http/engine.h"
#include "aws/service/credentials.h"
#include "aws/service/service.h"
#include "base/clock.h"

namespace llama::aws {

inline constexpr int64_t kMs = 1'000'000;

struct Reply {
  HttpAnswer answer;  // status 0: `error` instead
  Error error = {};
  bool begun = true;
  int64_t takes_ms = 10;
};

inline Reply Status(int status, std::string body = "", Headers headers = {}) {
  Reply reply;
  reply.answer.status = status;
  reply.answer.body = std::move(body);
  reply.answer.headers = std::move(headers);
  return reply;
}

inline Reply Fails(Code code, bool begun = true) {
  Reply reply;
  reply.error = {code, "http://h/: it broke"};
  reply.begun = begun;
  return reply;
}

class ScriptedSender final : public HttpSender {
 public:
  explicit ScriptedSender(FakeClock& clock) : clock_(clock) {}
  Result<HttpAnswer> Send(const HttpRequest& request) override {
    sent.push_back(request);
    bodies.emplace_back(request.body);
    Reply reply = replies.empty() ? otherwise : replies.front();
    if (!replies.empty()) replies.pop_front();
    if (reply.begun && request.on_begun) request.on_begun();
    clock_.AdvanceNs(reply.takes_ms * kMs);
    if (reply.answer.status == 0) return reply.error;
    return reply.answer;
  }
  std::string Header(size_t request, std::string_view name) const {
    for (const auto& [key, value] : sent[request].headers) {
      if (key == name) return value;
    }
    return "";
  }

  std::deque<Reply> replies;
  Reply otherwise = Status(200, "fine");
  std::vector<HttpRequest> sent;
  std::vector<std::string> bodies;

 private:
  FakeClock& clock_;
};

class FakeCredentials final : public CredentialsProvider {
 public:
  Result<Credentials> Get() override {
    if (failure) return *failure;
    return Credentials{{"AKID" + std::to_string(generation), "secret", ""}, 0, "the test"};
  }
  void Refused(const Credentials&) override {
    ++refused;
    if (renews) ++generation;
  }
  std::optional<Error> failure;
  bool renews = true;
  int generation = 1;
  int refused = 0;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    options_.name = "lambda";
    options_.region = "eu-west-1";
    options_.endpoint = "https://lambda.test:8443";
    options_.jitter_seed = 1;
    options_.pause = [this](int64_t ms) {
      paused_ms_ += ms;
      clock_.AdvanceNs(ms * kMs);
    };
    Restart();
  }
  void Restart() { service_ = NewService(options_, sender_, credentials_, clock_); }
  static ServiceCall Post() {
    ServiceCall call;
    call.method = "POST";
    call.target = "/path?q=secret";
    call.body = "body";
    return call;
  }

  FakeClock clock_;
  ScriptedSender sender_{clock_};
  FakeCredentials credentials_;
  ServiceOptions options_;
  std::unique_ptr<Service> service_;
  int64_t paused_ms_ = 0;
};

}  // namespace llama::aws
