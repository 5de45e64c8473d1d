// A Service whose answers a test gives, and which keeps what it was asked.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "aws/service/service.h"
#include "base/mutex.h"

namespace llama::aws {

class FakeService final : public Service {
 public:
  struct Asked {
    std::string method;
    std::string host_prefix;
    std::string target;
    Headers headers;
    std::string body;

    std::string Header(std::string_view name) const {
      for (const auto& [key, value] : headers) {
        if (key == name) return value;
      }
      return "";
    }
  };

  FakeService() {
    settings.name = "s3";
    settings.region = "eu-west-1";
  }

  // Given in this order; more calls than answers fail.
  void Answer(int status, std::string body = "", Headers headers = {}, int attempts = 1) {
    ServiceAnswer answer;
    answer.http.status = status;
    answer.http.body = std::move(body);
    answer.http.headers = std::move(headers);
    answer.attempts = attempts;
    answers_.emplace_back(std::move(answer));
  }
  void Fail(Code code, std::string message) {
    answers_.emplace_back(Error{code, std::move(message)});
  }

  Result<ServiceAnswer> Call(const ServiceCall& call) override {
    const MutexLock lock(mutex_);
    asked.push_back(
        {call.method, call.host_prefix, call.target, call.headers, std::string(call.body)});
    if (answers_.empty()) {
      return Error{Code::kInternal, "not expected: " + call.method + " " + call.target};
    }
    Result<ServiceAnswer> answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }
  const ServiceOptions& options() const override { return settings; }

  bool AllGiven() const { return answers_.empty(); }

  std::vector<Asked> asked;
  ServiceOptions settings;

 private:
  Mutex mutex_;
  std::deque<Result<ServiceAnswer>> answers_;
};

}  // namespace llama::aws
