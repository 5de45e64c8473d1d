#include "emulator/admin.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "emulator/emulator_files.h"

namespace llama::emulator {
namespace {

class Waiting final : public Exchange {
 public:
  bool Abandoned() const override { return false; }
  bool SleepUntil(int64_t) const override { return true; }
};

class AdminTest : public testing::Test {
 protected:
  Response Ask(const std::string& method, const std::string& name, const std::string& token,
               const std::string& body = "") {
    Request request;
    request.method = method;
    request.path = request.target = "/_emulator/" + name;
    request.body = body;
    if (!token.empty()) request.headers = {{"authorization", token}};
    return admin_.Handle(request, Waiting());
  }
  FakeClock clock_;
  Model model_;
  Authority authority_{"us-east-1", clock_};
  RequestLog log_;
  Admin admin_{{"the-token", 60}, model_, authority_, log_};
};

TEST_F(AdminTest, AnswersOnlyToItsToken) {
  for (const char* name : {"metrics", "model", "credentials", "none"}) {
    for (const char* token : {"", "the-toke", "the-token ", "Bearer other"}) {
      EXPECT_EQ(Ask("GET", name, token).status, 403) << name << token;
    }
    const int status = std::string_view(name) == "none" ? 404 : 200;
    EXPECT_EQ(Ask("GET", name, "the-token").status, status) << name;
    EXPECT_EQ(Ask("GET", name, "Bearer the-token").status, status) << name;
  }
  EXPECT_EQ(Ask("GET", "health", "").status, 200);
}

TEST_F(AdminTest, ReplacesTheModelByAValidOneOnly) {
  EXPECT_EQ(Ask("PUT", "model", "the-token", "s3.latency = 7ms").status, 200);
  EXPECT_EQ(model_.Draw("s3", "get").latency_ns, 7'000'000);
  const Response refused = Ask("PUT", "model", "the-token", "s3.latency = 7");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("s3.latency"), std::string::npos);
  EXPECT_EQ(Ask("PUT", "model", "", "").status, 403);
  EXPECT_EQ(model_.Draw("s3", "get").latency_ns, 7'000'000);
}

TEST_F(AdminTest, HandsOutKeysThatExpire) {
  const std::string body = Ask("GET", "credentials", "the-token").body;
  for (const char* member : {"\"AccessKeyId\":\"ASIA", "\"SecretAccessKey\":", "\"Token\":"}) {
    EXPECT_NE(body.find(member), std::string::npos) << member;
  }
  // A minute after FakeClock's beginning.
  EXPECT_NE(body.find("\"Expiration\":\"2020-09-13T12:27:40Z\""), std::string::npos) << body;
}

TEST(EmulatorFiles, KeepKeysAndTokenAcrossStarts) {
  const TempDir dir = *TempDir::Create("files");
  const signing::Keys keys = *LoadOrMakeKeys(dir.path() + "/credentials");
  const signing::Keys again = *LoadOrMakeKeys(dir.path() + "/credentials");
  EXPECT_EQ(again.access_key_id, keys.access_key_id);
  EXPECT_EQ(again.secret_access_key, keys.secret_access_key);
  EXPECT_EQ(*LoadOrMakeToken(dir.path() + "/token"), *LoadOrMakeToken(dir.path() + "/token"));
  ASSERT_TRUE(WriteEnvFile(dir.path() + "/env", {"http://h:1", "r", "", keys, "t", false}));
  for (const char* name : {"/credentials", "/token", "/env"}) {
    struct stat st {};
    ASSERT_EQ(stat((dir.path() + name).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u) << name;
  }
  ASSERT_TRUE(WriteFileAtomic(dir.path() + "/credentials", "[default]\n", 0600));
  EXPECT_EQ(LoadOrMakeKeys(dir.path() + "/credentials").error().code, Code::kInvalid);
}

// The certificate's path is the user's.
TEST(EmulatorFiles, QuoteForTheShell) {
  const TempDir dir = *TempDir::Create("files");
  ASSERT_TRUE(WriteEnvFile(dir.path() + "/env", {"http://h:1", "r", "/it's $HOME", {}, "t", true}));
  const std::string text = *ReadFile(dir.path() + "/env");
  EXPECT_NE(text.find("AWS_CA_BUNDLE='/it'\\''s $HOME'\n"), std::string::npos);
  EXPECT_EQ(text.find("export AWS_SECRET_ACCESS_KEY"), std::string::npos) << "keys are temporary";
}

}  // namespace
}  // namespace llama::emulator
