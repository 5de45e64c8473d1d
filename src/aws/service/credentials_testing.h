// For tests of where credentials come from: endpoints that answer as told, a home of its own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "aws/http/engine.h"
#include "aws/service/credential_sources.h"
#include "aws/service/credentials.h"
#include "base/file.h"
#include "base/mutex.h"

namespace llama::aws {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr char kSecret[] = "the-secret-of-a-test";
// Of FakeClock: 2020-09-13T12:26:40Z.
inline constexpr int64_t kNowS = 1'600'000'000;

// Answers by "METHOD url"; whatever else is asked finds nobody.
class FakeEndpoints final : public HttpSender {
 public:
  using Handler = std::function<HttpAnswer(const HttpRequest&)>;

  void On(const std::string& what, Handler handler) { handlers_[what] = std::move(handler); }
  void On(const std::string& what, int status, const std::string& body) {
    On(what, [=](const HttpRequest&) {
      HttpAnswer answer;
      answer.status = status;
      answer.body = body;
      return answer;
    });
  }

  Result<HttpAnswer> Send(const HttpRequest& request) override {
    Handler handler;
    {
      const MutexLock lock(mutex_);
      const std::string what = request.method + " " + request.url;
      asked.push_back(what);
      const auto it = handlers_.find(what);
      if (it == handlers_.end()) return Error{Code::kUnavailable, request.url + ": nobody there"};
      handler = it->second;
    }
    return handler(request);
  }

  std::vector<std::string> asked;

 private:
  Mutex mutex_;
  std::map<std::string, Handler> handlers_;
};

inline std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

inline std::string Json(const std::string& id, const std::string& expiration = "") {
  std::string out = "{\"Version\":1,\"Code\":\"Success\",\"AccessKeyId\":\"" + id +
                    "\",\"SecretAccessKey\":\"" + kSecret + "\",\"Token\":\"tok\"";
  if (!expiration.empty()) out += ",\"Expiration\":\"" + expiration + "\"";
  return out + "}";
}

inline std::string StsAnswer(const std::string& action, const std::string& id) {
  return "<" + action + "Response><" + action + "Result><Credentials><AccessKeyId>" + id +
         "</AccessKeyId><SecretAccessKey>" + kSecret +
         "</SecretAccessKey><SessionToken>tok</SessionToken>"
         "<Expiration>2020-09-13T13:26:40Z</Expiration></Credentials></" +
         action + "Result></" + action + "Response>";
}

inline constexpr char kSts[] = "POST http://127.0.0.1:1/";
inline constexpr char kToken[] = "PUT http://127.0.0.1:2/latest/api/token";
inline constexpr char kRoles[] =
    "GET http://127.0.0.1:2/latest/meta-data/iam/security-credentials/";

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() : dir_(*TempDir::Create()) {
    options_.env = {"HOME=" + dir_.path(), "PATH=/usr/bin:/bin"};
    options_.endpoint_sts = "http://127.0.0.1:1";
    options_.env.emplace_back("AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:2");
  }

  void Set(const std::string& variable) { options_.env.insert(options_.env.begin(), variable); }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(MakeDirs(dir_.path() + "/.aws"));
    ASSERT_TRUE(WriteFileAtomic(dir_.path() + "/.aws/" + name, text, 0600));
  }
  std::string Script(const std::string& text) {
    const std::string path = dir_.path() + "/script";
    EXPECT_TRUE(WriteFileAtomic(path, "#!/bin/sh\n" + text, 0755));
    return path;
  }
  std::unique_ptr<CredentialsProvider> NewChain() {
    return NewCredentialsChain(options_, sender_, clock_);
  }
  // The access key id that is found, or the error, which must not hold the secret.
  std::string Find() {
    const Result<Credentials> found = NewChain()->Get();
    if (found) return found->keys.access_key_id;
    EXPECT_EQ(found.error().message.find(kSecret), std::string::npos) << found.error().message;
    return found.error().message;
  }
  void ExpectError(Code code, const std::string& words) {
    const Result<Credentials> found = NewChain()->Get();
    ASSERT_FALSE(found) << found->keys.access_key_id;
    EXPECT_EQ(found.error().code, code) << found.error().message;
    EXPECT_NE(found.error().message.find(words), std::string::npos) << found.error().message;
    EXPECT_EQ(found.error().message.find(kSecret), std::string::npos) << found.error().message;
  }

  const TempDir dir_;
  FakeEndpoints sender_;
  FakeClock clock_;
  ChainOptions options_;
};

}  // namespace llama::aws
