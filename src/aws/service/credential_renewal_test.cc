#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "aws/service/credentials.h"
#include "aws/service/credentials_testing.h"

namespace llama::aws {
namespace {

class RenewalTest : public CredentialsTest {
 protected:
  RenewalTest() {
    Set("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:3/");
    sender_.On("GET http://127.0.0.1:3/", [this](const HttpRequest&) {
      const int n = ++asked_;
      HttpAnswer answer;
      answer.status = status_;
      const int64_t end_s = clock_.NowNs() / kSecond + lifetime_s_;
      const std::time_t time = end_s;
      char text[32];
      std::tm parts{};
      gmtime_r(&time, &parts);
      std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
      answer.body = Json("K" + std::to_string(same_ ? 1 : n), text);
      return answer;
    });
    chain_ = NewChain();
  }
  std::string Get() {
    const Result<Credentials> found = chain_->Get();
    return found ? found->keys.access_key_id : "error: " + found.error().message;
  }

  std::atomic<int> asked_{0};
  std::atomic<int> status_{200};
  std::atomic<bool> same_{false};
  int64_t lifetime_s_ = 3600;
  std::unique_ptr<CredentialsProvider> chain_;
};

TEST_F(RenewalTest, KeepsWhatIsValidAndRenewsBeforeItEnds) {
  EXPECT_EQ(Get(), "K1");
  clock_.AdvanceNs(3000 * kSecond);
  EXPECT_EQ(Get(), "K1");
  clock_.AdvanceNs(400 * kSecond);
  EXPECT_EQ(Get(), "K2");
}

TEST_F(RenewalTest, GoesOnWithWhatIsValidWhenRenewingFails) {
  EXPECT_EQ(Get(), "K1");
  clock_.AdvanceNs(3400 * kSecond);
  status_ = 500;
  EXPECT_EQ(Get(), "K1");
  EXPECT_EQ(Get(), "K1");
  EXPECT_EQ(asked_, 2) << "a source that just failed was asked again";
  clock_.AdvanceNs(6 * kSecond);
  EXPECT_EQ(Get(), "K1");
  EXPECT_EQ(asked_, 3);
  clock_.AdvanceNs(200 * kSecond);
  const std::string error = Get();
  EXPECT_NE(error.find("have expired; renewing them failed: container metadata: status 500"),
            std::string::npos)
      << error;
  status_ = 200;
  clock_.AdvanceNs(6 * kSecond);
  EXPECT_EQ(Get(), "K5");
}

TEST_F(RenewalTest, RefusedCredentialsAreAskedForAnew) {
  const Credentials first = *chain_->Get();
  chain_->Refused(first);
  EXPECT_EQ(Get(), "K2");
  chain_->Refused(first);  // by a slow request: newer ones are there already
  EXPECT_EQ(Get(), "K2");
}

TEST_F(RenewalTest, TheSameKeysAgainAreAClearErrorAndTriedLater) {
  same_ = true;
  chain_->Refused(*chain_->Get());
  const std::string error = Get();
  EXPECT_NE(error.find("AWS refuses the credentials of container metadata"), std::string::npos)
      << error;
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(Get(), error);
  EXPECT_EQ(asked_, 2);
  clock_.AdvanceNs(31 * kSecond);
  EXPECT_EQ(Get(), "K1") << "new keys may take a while to be known everywhere";
}

TEST_F(RenewalTest, ManyCallersAskTheSourceOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 100; ++n) right += Get() == "K1" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 1600);
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace llama::aws
