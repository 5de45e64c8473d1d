#include "aws/settings/settings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "aws/http/endpoint.h"
#include "aws/settings/llama_config.h"
#include "base/file.h"

namespace llama::aws {
namespace {

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() : dir_(*TempDir::Create()) {}

  void WriteAws(const std::string& config) {
    ASSERT_TRUE(MakeDirs(dir_.path() + "/.aws"));
    ASSERT_TRUE(WriteFileAtomic(dir_.path() + "/.aws/config", config, 0600));
  }
  void WriteOwn(const std::string& config) {
    ASSERT_TRUE(WriteFileAtomic(dir_.path() + "/config", config, 0600));
  }
  Result<Settings> Resolve(std::vector<std::string> env = {}) {
    env.push_back("HOME=" + dir_.path());
    return ResolveSettings(env, dir_.path());
  }
  static std::string SourceOf(const Settings& settings, const std::string& name) {
    const auto it = std::find_if(settings.all.begin(), settings.all.end(),
                                 [&](const Setting& s) { return s.name == name; });
    return it == settings.all.end() ? "none" : it->source;
  }

  const TempDir dir_;
};

TEST_F(SettingsTest, WithoutAnyTheEmbeddedCloudIsUsed) {
  const auto settings = Resolve();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_FALSE(settings->UsesAws());
  EXPECT_EQ(settings->region, "");
  EXPECT_EQ(settings->max_concurrency, 1000);
  for (const Setting& setting : settings->all) EXPECT_EQ(setting.source, "default");
  EXPECT_EQ(settings->all.size(), 15u);
}

TEST_F(SettingsTest, EnvironmentGoesBeforeOwnFileBeforeProfile) {
  WriteAws("[default]\nregion = profile-1\n");
  EXPECT_EQ(Resolve()->region, "profile-1");
  EXPECT_EQ(SourceOf(*Resolve(), "region"), dir_.path() + "/.aws/config:2");
  WriteOwn("# mine\n\n  region=own-1  \n");
  EXPECT_EQ(Resolve()->region, "own-1");
  EXPECT_EQ(SourceOf(*Resolve(), "region"), dir_.path() + "/config:3");
  EXPECT_EQ(Resolve({"AWS_DEFAULT_REGION=env-2"})->region, "env-2");
  EXPECT_EQ(Resolve({"AWS_DEFAULT_REGION=env-2", "AWS_REGION=env-1"})->region, "env-1");
  EXPECT_EQ(SourceOf(*Resolve({"AWS_REGION=env-1"}), "region"), "environment: AWS_REGION");
  EXPECT_EQ(Resolve({"AWS_REGION="})->region, "own-1");
}

TEST_F(SettingsTest, ProfileMayComeFromVariableOrOwnFile) {
  WriteAws("[default]\nregion=d\n[profile a]\nregion=a\nca_bundle=/ca\n[profile b]\nregion=b\n");
  EXPECT_EQ(Resolve()->region, "d");
  WriteOwn("profile = a\n");
  EXPECT_EQ(Resolve()->region, "a");
  EXPECT_EQ(Resolve()->ca_file, "/ca");
  EXPECT_EQ(Resolve({"AWS_PROFILE=b"})->region, "b");
  EXPECT_EQ(Resolve({"AWS_PROFILE=b"})->profile, "b");
  EXPECT_EQ(Resolve({"AWS_PROFILE=b", "AWS_CA_BUNDLE=/env"})->ca_file, "/env");
}

TEST_F(SettingsTest, EndpointsAreFoundInAwssOrder) {
  WriteAws(
      "[default]\nendpoint_url = http://localhost:1\nservices = mine\n"
      "[services mine]\ns3 =\n  endpoint_url = http://localhost:2/\n"
      "cloudwatch_logs =\n  endpoint_url = http://localhost:3\n");
  auto settings = Resolve();
  EXPECT_EQ(settings->endpoint_s3, "http://localhost:2");
  EXPECT_EQ(settings->endpoint_logs, "http://localhost:3");
  EXPECT_EQ(settings->endpoint_lambda, "http://localhost:1");
  settings = Resolve({"AWS_ENDPOINT_URL=http://localhost:4"});
  EXPECT_EQ(settings->endpoint_s3, "http://localhost:4");
  settings = Resolve({"AWS_ENDPOINT_URL=http://localhost:4",
                      "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=https://localhost:5",
                      "AWS_ENDPOINT_URL_S3=https://s3.example"});
  EXPECT_EQ(settings->endpoint_s3, "https://s3.example");
  EXPECT_EQ(settings->endpoint_logs, "https://localhost:5");
  EXPECT_EQ(settings->endpoint_iam, "http://localhost:4");
  settings =
      Resolve({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "AWS_ENDPOINT_URL=http://localhost:4"});
  EXPECT_EQ(settings->endpoint_s3, "");
  EXPECT_EQ(settings->endpoint_lambda, "");
}

TEST_F(SettingsTest, PathStyleIsForServersThatAreNotAws) {
  EXPECT_FALSE(Resolve()->path_style);
  EXPECT_TRUE(Resolve({"AWS_ENDPOINT_URL=http://127.0.0.1:9000"})->path_style);
  EXPECT_FALSE(Resolve({"AWS_ENDPOINT_URL_S3=https://s3.eu-west-1.amazonaws.com"})->path_style);
  WriteAws("[default]\ns3 =\n  addressing_style = virtual\n");
  EXPECT_FALSE(Resolve({"AWS_ENDPOINT_URL=http://127.0.0.1:9000"})->path_style);
  WriteOwn("path_style = true\n");
  EXPECT_TRUE(Resolve()->path_style);
}

TEST_F(SettingsTest, WrongValuesAreNamedWithTheirPlace) {
  struct Case {
    std::vector<std::string> env;
    std::string own;
    std::vector<std::string> words;
  };
  const Case cases[] = {
      {{"LLAMA_OBJECT_STORE=relative/path"}, "", {"LLAMA_OBJECT_STORE", "relative/path"}},
      {{"LLAMA_OBJECT_STORE=s3://UPPER"}, "", {"LLAMA_OBJECT_STORE", "UPPER"}},
      {{"AWS_ENDPOINT_URL=localhost:9"}, "", {"AWS_ENDPOINT_URL", "https://"}},
      {{"AWS_REGION=no/such"}, "", {"no/such"}},
      {{"LLAMA_MAX_CONCURRENCY=0"}, "", {"LLAMA_MAX_CONCURRENCY", "max_concurrency"}},
      {{"LLAMA_MAX_CONCURRENCY=7x"}, "", {"7x"}},
      {{}, "regoin = x", {"/config:1", "regoin", "did you mean 'region'"}},
      {{}, "zzz = x", {"/config:1", "unknown setting 'zzz'"}},
      {{}, "region = a\nregion = b", {"/config:2", "twice"}},
      {{}, "region", {"/config:1", "no value"}},
      {{}, "= x", {"/config:1"}},
      {{}, "path_style = maybe", {"/config:1", "maybe"}},
      {{}, "endpoint_s3 = ftp://x", {"/config:1", "ftp://x"}},
  };
  for (const Case& c : cases) {
    WriteOwn(c.own);
    const auto settings = Resolve(c.env);
    ASSERT_FALSE(settings) << c.words[0];
    EXPECT_EQ(settings.error().code, Code::kInvalid);
    for (const std::string& word : c.words) {
      EXPECT_NE(settings.error().message.find(word), std::string::npos) << settings.error().message;
    }
  }
}

TEST_F(SettingsTest, ABrokenAwsFileMattersOnlyToThoseWhoUseAws) {
  WriteAws("nonsense");
  const auto settings = Resolve();
  ASSERT_TRUE(settings);
  const auto options = ServiceOptionsOf(*settings, "s3");
  ASSERT_FALSE(options);
  EXPECT_NE(options.error().message.find("/.aws/config:1"), std::string::npos);
}

TEST_F(SettingsTest, ServicesAreAtAwssOwnAddresses) {
  struct Case {
    const char* region;
    const char* service;
    const char* endpoint;
    const char* signed_for;
    bool fips;
    bool dual_stack;
  };
  const Case cases[] = {
      // What botocore 1.43 makes of them.
      {"eu-west-1", "s3", "https://s3.eu-west-1.amazonaws.com", "eu-west-1", false, false},
      {"eu-west-1", "logs", "https://logs.eu-west-1.amazonaws.com", "eu-west-1", false, false},
      {"eu-west-1", "iam", "https://iam.amazonaws.com", "us-east-1", false, false},
      {"cn-north-1", "lambda", "https://lambda.cn-north-1.amazonaws.com.cn", "cn-north-1", false,
       false},
      {"cn-northwest-1", "iam", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1", false,
       false},
      {"us-gov-east-1", "iam", "https://iam.us-gov.amazonaws.com", "us-gov-west-1", false, false},
      {"eusc-de-east-1", "s3", "https://s3.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", false,
       false},
      {"eusc-de-east-1", "iam", "https://iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", false,
       false},
      {"us-iso-east-1", "lambda", "https://lambda.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", false,
       false},
      {"us-isob-east-1", "sts", "https://sts.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", false,
       false},
      {"eu-isoe-west-1", "logs", "https://logs.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1",
       false, false},
      {"us-isof-south-1", "s3", "https://s3.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1",
       false, false},
      {"eu-west-1", "s3", "https://s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1", false, true},
      {"eu-west-1", "lambda", "https://lambda.eu-west-1.api.aws", "eu-west-1", false, true},
      {"us-east-1", "s3", "https://s3-fips.us-east-1.amazonaws.com", "us-east-1", true, false},
      {"us-east-1", "iam", "https://iam-fips.amazonaws.com", "us-east-1", true, false},
      {"us-east-1", "s3", "https://s3-fips.dualstack.us-east-1.amazonaws.com", "us-east-1", true,
       true},
      {"us-gov-west-1", "sts", "https://sts.us-gov-west-1.amazonaws.com", "us-gov-west-1", true,
       false},
      {"us-gov-west-1", "lambda", "https://lambda-fips.us-gov-west-1.api.aws", "us-gov-west-1",
       true, true},
      {"cn-north-1", "s3", "https://s3.dualstack.cn-north-1.amazonaws.com.cn", "cn-north-1", false,
       true},
      {"cn-north-1", "sts", "https://sts.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1",
       false, true},
  };
  for (const Case& c : cases) {
    const auto settings =
        Resolve({std::string("AWS_REGION=") + c.region,
                 std::string("AWS_USE_FIPS_ENDPOINT=") + (c.fips ? "true" : "false"),
                 std::string("AWS_USE_DUALSTACK_ENDPOINT=") + (c.dual_stack ? "true" : "false")});
    const auto options = ServiceOptionsOf(*settings, c.service);
    ASSERT_TRUE(options);
    EXPECT_EQ(options->endpoint, c.endpoint);
    EXPECT_EQ(options->region, c.signed_for);
    EXPECT_EQ(options->name, c.service);
  }
  const auto china = Resolve({"AWS_REGION=cn-north-1", "AWS_USE_FIPS_ENDPOINT=true"});
  const auto none = ServiceOptionsOf(*china, "s3");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("no FIPS endpoints"), std::string::npos);
}

TEST_F(SettingsTest, WithoutRegionOnlyServersThatAreNotAwsAreUsed) {
  const auto none = ServiceOptionsOf(*Resolve(), "s3");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("AWS_REGION"), std::string::npos);
  const auto own = ServiceOptionsOf(*Resolve({"AWS_ENDPOINT_URL=http://[::1]:9"}), "s3");
  ASSERT_TRUE(own);
  EXPECT_EQ(own->region, "us-east-1");
  EXPECT_EQ(own->endpoint, "http://[::1]:9");
}

TEST_F(SettingsTest, AnArnTellsTheRegion) {
  EXPECT_EQ(Resolve({"LLAMACC_FUNCTION=arn:aws:lambda:ap-south-1:123456789012:function:f"})->region,
            "ap-south-1");
  EXPECT_EQ(Resolve({"LLAMACC_FUNCTION=f:alias"})->region, "");
}

TEST_F(SettingsTest, OwnFileIsChangedLineByLine) {
  WriteOwn("# about this\nregion = old\n\nfunction = f\n");
  ASSERT_TRUE(ChangeLlamaConfig(
      dir_.path(), {{"region", "new"}, {"object_store", "s3://bkt"}, {"function", ""}}));
  EXPECT_EQ(*ReadFile(dir_.path() + "/config"),
            "# about this\nregion = new\n\nobject_store = s3://bkt\n");
  ASSERT_TRUE(ChangeLlamaConfig(dir_.path() + "/fresh", {{"function", "f"}}));
  EXPECT_EQ((*ReadLlamaConfig(dir_.path() + "/fresh")).at("function").value, "f");
}

TEST(StoreLocation, IsAFolderOrABucketWithAPrefix) {
  EXPECT_EQ(ParseStoreLocation("/a/b")->folder, "/a/b");
  EXPECT_EQ(ParseStoreLocation("s3://bkt")->bucket, "bkt");
  EXPECT_EQ(ParseStoreLocation("s3://bkt/")->prefix, "");
  EXPECT_EQ(ParseStoreLocation("s3://bkt/a/b")->prefix, "a/b/");
  EXPECT_EQ(ParseStoreLocation("s3://bkt/a/")->prefix, "a/");
  for (const char* bad : {"", "a", "s3://", "s3:///x", "s3://bkt//", "s3://bkt/a b", "s3://b--x-s3",
                          "S3://bkt", "s3://bkt/../x"}) {
    EXPECT_FALSE(ParseStoreLocation(bad)) << bad;
  }
}

TEST(Endpoint, IsSchemeHostAndPort) {
  struct Case {
    const char* url;
    const char* host;
    bool is_loopback;
  };
  const Case good[] = {{"http://127.0.0.1:9000", "127.0.0.1", true},
                       {"https://s3.eu-west-1.amazonaws.com/", "s3.eu-west-1.amazonaws.com", false},
                       {"http://localhost", "localhost", true},
                       {"http://s3.localhost:1", "s3.localhost", true},
                       {"http://127.example.com", "127.example.com", false},
                       {"http://[::1]:80", "[::1]", true},
                       {"http://[fd00::1]", "[fd00::1]", false}};
  for (const Case& c : good) {
    const auto endpoint = ParseEndpoint(c.url);
    ASSERT_TRUE(endpoint) << c.url;
    EXPECT_EQ(endpoint->host, c.host);
    EXPECT_EQ(endpoint->is_loopback, c.is_loopback) << c.url;
  }
  for (const char* bad :
       {"", "localhost", "ftp://a", "http://", "https:///", "http://a/b", "http://a?b",
        "http://a:0", "http://a:x", "http://a:70000", "http://a b", "http://:80"}) {
    EXPECT_FALSE(ParseEndpoint(bad)) << bad;
  }
  const auto user = ParseEndpoint("http://me:hidden@host");
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().message.find("hidden"), std::string::npos);
}

}  // namespace
}  // namespace llama::aws
