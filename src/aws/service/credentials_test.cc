#include "aws/service/credentials.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "aws/http/engine.h"
#include "aws/service/credential_sources.h"
#include "aws/service/sts.h"
#include "base/file.h"
#include "base/mutex.h"

namespace llama::aws {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr char kSecret[] = "the-secret-of-a-test";
// Of FakeClock: 2020-09-13T12:26:40Z.
constexpr int64_t kNowS = 1'600'000'000;

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

std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

std::string Json(const std::string& id, const std::string& expiration = "") {
  std::string out = "{\"Version\":1,\"Code\":\"Success\",\"AccessKeyId\":\"" + id +
                    "\",\"SecretAccessKey\":\"" + kSecret + "\",\"Token\":\"tok\"";
  if (!expiration.empty()) out += ",\"Expiration\":\"" + expiration + "\"";
  return out + "}";
}

std::string StsAnswer(const std::string& action, const std::string& id) {
  return "<" + action + "Response><" + action + "Result><Credentials><AccessKeyId>" + id +
         "</AccessKeyId><SecretAccessKey>" + kSecret +
         "</SecretAccessKey><SessionToken>tok</SessionToken>"
         "<Expiration>2020-09-13T13:26:40Z</Expiration></Credentials></" +
         action + "Result></" + action + "Response>";
}

constexpr char kSts[] = "POST http://127.0.0.1:1/";
constexpr char kToken[] = "PUT http://127.0.0.1:2/latest/api/token";
constexpr char kRoles[] = "GET http://127.0.0.1:2/latest/meta-data/iam/security-credentials/";

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

TEST_F(CredentialsTest, AsksThePlacesInAwssOrder) {
  sender_.On(kToken, 200, "t");
  sender_.On(kRoles, 200, "role");
  sender_.On(std::string(kRoles) + "role", 200, Json("INSTANCE"));
  EXPECT_EQ(Find(), "INSTANCE");
  Set("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:3/creds");
  sender_.On("GET http://127.0.0.1:3/creds", 200, Json("CONTAINER"));
  EXPECT_EQ(Find(), "CONTAINER");
  Write("credentials",
        std::string("[default]\naws_access_key_id=FILE\naws_secret_access_key=") + kSecret);
  EXPECT_EQ(Find(), "FILE");
  ASSERT_TRUE(WriteFileAtomic(dir_.path() + "/token", "web-token", 0600));
  Set("AWS_WEB_IDENTITY_TOKEN_FILE=" + dir_.path() + "/token");
  Set("AWS_ROLE_ARN=arn:aws:iam::1:role/r");
  sender_.On(kSts, 200, StsAnswer("AssumeRoleWithWebIdentity", "WEB"));
  EXPECT_EQ(Find(), "WEB");
  Set("AWS_ACCESS_KEY_ID=ENV");
  Set(std::string("AWS_SECRET_ACCESS_KEY=") + kSecret);
  EXPECT_EQ(Find(), "ENV");
}

TEST_F(CredentialsTest, WithoutAnySaysWhereItLooked) {
  ExpectError(Code::kNotFound, "AWS_ACCESS_KEY_ID");
  Set("AWS_EC2_METADATA_DISABLED=true");
  sender_.asked.clear();
  ExpectError(Code::kNotFound, "instance metadata is disabled");
  EXPECT_TRUE(sender_.asked.empty());
}

TEST_F(CredentialsTest, HalfAKeyPairIsAnError) {
  Set("AWS_ACCESS_KEY_ID=ENV");
  ExpectError(Code::kInvalid, "no secret access key");
  Set(std::string("AWS_SECRET_ACCESS_KEY=") + kSecret + "\nX-Evil: 1");
  ExpectError(Code::kInvalid, "unprintable");
}

TEST_F(CredentialsTest, AssumesRolesThroughProfiles) {
  Write("config",
        "[profile base]\naws_access_key_id=BASE\naws_secret_access_key=s\n"
        "[profile middle]\nrole_arn=arn:middle\nsource_profile=base\n"
        "[profile top]\nrole_arn=arn:top\nsource_profile=middle\nexternal_id=x y\n"
        "duration_seconds=900\nrole_session_name=me\n");
  std::vector<std::string> bodies;
  sender_.On(kSts, [&](const HttpRequest& request) {
    bodies.emplace_back(request.body);
    HttpAnswer answer;
    answer.status = 200;
    answer.body = StsAnswer("AssumeRole", "ROLE" + std::to_string(bodies.size()));
    return answer;
  });
  options_.profile = "top";
  const Result<Credentials> found = NewChain()->Get();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->keys.access_key_id, "ROLE2");
  EXPECT_EQ(found->keys.session_token, "tok");
  EXPECT_EQ(found->expires_s, kNowS + 3600);
  ASSERT_EQ(bodies.size(), 2u);
  EXPECT_NE(bodies[0].find("RoleArn=arn%3Amiddle&RoleSessionName=llama-1600000000"),
            std::string::npos)
      << bodies[0];
  EXPECT_NE(bodies[1].find("RoleSessionName=me&ExternalId=x%20y&DurationSeconds=900"),
            std::string::npos)
      << bodies[1];
}

TEST_F(CredentialsTest, ARoleMayBeItsOwnSourceWithKeysBesideIt) {
  Write("config",
        "[default]\nrole_arn=arn:r\nsource_profile=default\naws_access_key_id=K\n"
        "aws_secret_access_key=s\n");
  sender_.On(kSts, 200, StsAnswer("AssumeRole", "ROLE"));
  EXPECT_EQ(Find(), "ROLE");
}

TEST_F(CredentialsTest, RolesFromOtherPlaces) {
  Write("config",
        "[profile env]\nrole_arn=arn:r\ncredential_source=Environment\n"
        "[profile ec2]\nrole_arn=arn:r\ncredential_source=Ec2InstanceMetadata\n"
        "[profile odd]\nrole_arn=arn:r\ncredential_source=Elsewhere\n");
  sender_.On(kSts, 200, StsAnswer("AssumeRole", "ROLE"));
  options_.profile = "ec2";
  ExpectError(Code::kInvalid, "instance metadata");
  options_.profile = "env";
  ExpectError(Code::kInvalid, "AWS_ACCESS_KEY_ID");
  options_.profile = "odd";
  ExpectError(Code::kInvalid, "credential_source");
}

TEST_F(CredentialsTest, ProfilesThatCantWorkSayWhatToDo) {
  Write("config",
        "[profile loop]\nrole_arn=arn:r\nsource_profile=back\n"
        "[profile back]\nrole_arn=arn:r\nsource_profile=loop\n"
        "[profile sso]\nsso_session=s\n"
        "[profile oldsso]\nsso_start_url=u\n"
        "[profile mfa]\nrole_arn=arn:r\nsource_profile=sso\nmfa_serial=arn:m\n"
        "[profile days]\nrole_arn=arn:r\nsource_profile=sso\nduration_seconds=9x\n"
        "[profile alone]\nrole_arn=arn:r\n"
        "[profile gone]\nrole_arn=arn:r\nsource_profile=nowhere\n");
  const std::pair<const char*, const char*> cases[] = {
      {"loop", "itself"},  {"sso", "no [sso-session s]"}, {"oldsso", "no sso_region"},
      {"mfa", "MFA"},      {"days", "duration_seconds"},  {"alone", "source_profile"},
      {"gone", "nowhere"}, {"unknown", "profile unknown"}};
  for (const auto& [profile, words] : cases) {
    options_.profile = profile;
    ExpectError(Code::kInvalid, words);
  }
}

TEST_F(CredentialsTest, UsesTheTokenThatTheCliLeaves) {
  Set("AWS_ENDPOINT_URL_SSO=http://127.0.0.1:4");
  Write("config",
        "[default]\nsso_session=my team\nsso_account_id=1234\nsso_role_name=Build\n"
        "[sso-session 'my team']\nsso_region=eu-west-1\nsso_start_url=https://d.awsapps.com/start\n"
        "[profile old]\nsso_start_url=https://old/start\nsso_region=eu-west-1\n"
        "sso_account_id=5\nsso_role_name=a b\n");
  const auto token = [](const std::string& text, const std::string& expires) {
    return R"({"startUrl":"u","region":"eu-west-1","accessToken":")" + text + R"(","expiresAt":")" +
           expires + "\"}";
  };
  const char* at = "GET http://127.0.0.1:4/federation/credentials?account_id=1234&role_name=Build";
  const auto portal = [](const HttpRequest& request) {
    HttpAnswer answer;
    answer.status = HeaderOf(request, "x-amz-sso_bearer_token") == kSecret ? 200 : 401;
    answer.body = std::string(R"({"roleCredentials":{"accessKeyId":"SSO","secretAccessKey":")") +
                  kSecret + R"(","sessionToken":"t","expiration":1600003600000}})";
    return answer;
  };
  sender_.On(at, portal);
  ExpectError(Code::kInvalid, "nobody is signed in; sign in by 'aws sso login --profile default'");
  // sha1sum of "my team", and of "https://old/start".
  const std::string session = "sso/cache/cd59fe8a6e954656aa78540d540d909d8225c93e.json";
  const std::string start = "sso/cache/85096cd4931eb1372a63d460a9c91b7600c9ba2b.json";
  ASSERT_TRUE(MakeDirs(dir_.path() + "/.aws/sso/cache"));
  Write(session, token(kSecret, "2020-09-13T13:26:40Z"));
  const Result<Credentials> found = NewChain()->Get();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->keys.access_key_id, "SSO");
  EXPECT_EQ(found->keys.session_token, "t");
  EXPECT_EQ(found->expires_s, kNowS + 3'600);

  Write(session, token(kSecret, "2020-09-13T12:26:40Z"));
  ExpectError(Code::kInvalid, "the sign-in has expired");
  Write(session, token("other", "2020-09-13T13:26:40Z"));
  ExpectError(Code::kInvalid, "status 401; sign in by");
  for (const char* bad :
       {"", "[]", "{}", R"({"accessToken":"a\nb","expiresAt":"2020-09-13T13:26:40Z"})"}) {
    Write(session, bad);
    ExpectError(Code::kInvalid, "sign in by");
  }
  Write(session, token(kSecret, "2020-09-13T13:26:40Z"));
  for (const auto& [status, code] :
       {std::pair{403, Code::kInvalid}, {429, Code::kUnavailable}, {503, Code::kUnavailable}}) {
    sender_.On(at, status, kSecret);
    ExpectError(code, "status " + std::to_string(status));
  }
  for (const char* bad : {"", "{}", R"({"roleCredentials":{}})", R"({"roleCredentials":7})"}) {
    sender_.On(at, 200, bad);
    ExpectError(Code::kInvalid, "profile default, SSO");
  }
  options_.profile = "old";
  Write(start, token(kSecret, "2020-09-13T13:26:40Z"));
  sender_.On("GET http://127.0.0.1:4/federation/credentials?account_id=5&role_name=a%20b", portal);
  EXPECT_EQ(Find(), "SSO");
}

TEST_F(CredentialsTest, StsSaysWhyItRefuses) {
  Write("config",
        "[default]\nrole_arn=arn:r\nsource_profile=k\n"
        "[profile k]\naws_access_key_id=K\naws_secret_access_key=s\n");
  sender_.On(kSts, 403,
             "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
             "</ErrorResponse>");
  ExpectError(Code::kInvalid, "AccessDenied: not you");
}

TEST_F(CredentialsTest, RunsCredentialProcessWithoutAShell) {
  const std::string script = Script("[ \"$1\" = 'a b' ] && [ \"$2\" = '$HOME' ] && echo '" +
                                    Json("PROCESS", "2020-09-13T12:56:40+00:00") + "'\n");
  Write("config", "[default]\ncredential_process = " + script + " 'a b' $HOME\n");
  const Result<Credentials> found = NewChain()->Get();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->keys.access_key_id, "PROCESS");
  EXPECT_EQ(found->expires_s, kNowS + 1800);
}

TEST_F(CredentialsTest, ACredentialProcessThatFailsIsNamedWithoutItsArgumentsOrOutput) {
  const std::pair<std::string, std::string> cases[] = {
      {Script("echo the-secret-of-a-test >&2; exit 3\n") + " the-secret-of-a-test", "status 3"},
      {"'unclosed", "quote"},
      {"no-such-program-of-a-test", "no such program"},
  };
  for (const auto& [command, words] : cases) {
    Write("config", "[default]\ncredential_process = " + command + "\n");
    ExpectError(Code::kInvalid, words);
  }
}

TEST(CredentialsJson, RefusesWhatIsNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not JSON"},
      {"[]", "not JSON"},
      {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"the-secret-of-a-test\"", "not JSON"},
      {"{\"AccessKeyId\":\"A\"}", "no secret"},
      {"{\"AccessKeyId\":5,\"SecretAccessKey\":\"the-secret-of-a-test\"}", "no access key"},
      {"{\"AccessKeyId\":\"A\\n\",\"SecretAccessKey\":\"the-secret-of-a-test\"}", "unprintable"},
      {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"the-secret-of-a-test\","
       "\"Expiration\":\"soon\"}",
       "Expiration"},
      {"{\"Code\":\"AssumeRoleUnauthorizedAccess\"}", "AssumeRoleUnauthorizedAccess"}};
  for (const auto& [json, words] : cases) {
    const auto parsed = ParseCredentialsJson(json, "here");
    ASSERT_FALSE(parsed) << json;
    EXPECT_NE(parsed.error().message.find(words), std::string::npos) << parsed.error().message;
    EXPECT_EQ(parsed.error().message.find(kSecret), std::string::npos);
  }
}

TEST_F(CredentialsTest, InstanceMetadataIsAskedByTokenAndPastProxies) {
  sender_.On(kToken, [](const HttpRequest& request) {
    EXPECT_EQ(HeaderOf(request, "X-aws-ec2-metadata-token-ttl-seconds"), "21600");
    EXPECT_TRUE(request.direct);
    EXPECT_LE(request.deadlines.connect_ms, 1000);
    HttpAnswer answer;
    answer.status = 200;
    answer.body = "the-token";
    return answer;
  });
  sender_.On(kRoles, [](const HttpRequest& request) {
    EXPECT_EQ(HeaderOf(request, "X-aws-ec2-metadata-token"), "the-token");
    HttpAnswer answer;
    answer.status = 200;
    answer.body = "a role\n";
    return answer;
  });
  sender_.On(std::string(kRoles) + "a%20role", 200, Json("I"));
  EXPECT_EQ(Find(), "I");
  sender_.On(kRoles, 404, "");
  ExpectError(Code::kNotFound, "instance metadata");
}

TEST_F(CredentialsTest, ContainerTokensGoOnlyWhereTheyMay) {
  Set("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.com/creds");
  ExpectError(Code::kInvalid, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  EXPECT_TRUE(sender_.asked.empty());
  ASSERT_TRUE(WriteFileAtomic(dir_.path() + "/token", "file-token", 0600));
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN=variable-token");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + dir_.path() + "/token");
  Set("AWS_CONTAINER_CREDENTIALS_FULL_URI=https://example.com/creds?x=1");
  sender_.On("GET https://example.com/creds?x=1", [](const HttpRequest& request) {
    EXPECT_EQ(HeaderOf(request, "Authorization"), "file-token");
    HttpAnswer answer;
    answer.status = 200;
    answer.body = Json("C");
    return answer;
  });
  EXPECT_EQ(Find(), "C");
  Set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/creds");
  sender_.On("GET http://169.254.170.2/v2/creds", 200, Json("ECS"));
  EXPECT_EQ(Find(), "ECS");
  sender_.On("GET http://169.254.170.2/v2/creds", 500, "");
  ExpectError(Code::kUnavailable, "container metadata");
}

// A container's agent whose credentials end an hour after each asking.
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

TEST(Iso8601, ReadsTheFormsThatAwsWrites) {
  const std::pair<const char*, int64_t> good[] = {{"2020-09-13T12:26:40Z", kNowS},
                                                  {"2020-09-13T12:26:40.123Z", kNowS},
                                                  {"2020-09-13T14:26:40+02:00", kNowS},
                                                  {"2020-09-13T07:26:40-05:00", kNowS},
                                                  {"2020-09-13 12:26:40", kNowS}};
  for (const auto& [text, seconds] : good) {
    const auto parsed = ParseIso8601(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, seconds) << text;
  }
  for (const char* bad : {"", "soon", "2020-09-13", "2020-09-13T12:26:40X", "2020-09-13T12:26:40+2",
                          "2020-09-13T12:26:40Zx"}) {
    EXPECT_FALSE(ParseIso8601(bad)) << bad;
  }
}

TEST_F(CredentialsTest, DescribesThePlaceWithoutAskingOrShowing) {
  EXPECT_EQ(DescribeCredentials(options_).value, "");
  Write("config", "[default]\nrole_arn=arn:r\nsource_profile=x\n");
  EXPECT_EQ(DescribeCredentials(options_).value, "role arn:r");
  Set("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(DescribeCredentials(options_).value, "keys …MPLE");
  EXPECT_EQ(DescribeCredentials(options_).source, "environment: AWS_ACCESS_KEY_ID");
  EXPECT_TRUE(sender_.asked.empty());
}

}  // namespace
}  // namespace llama::aws
