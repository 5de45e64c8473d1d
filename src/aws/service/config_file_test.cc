#include "aws/service/config_file.h"

#include <gtest/gtest.h>

#include "aws/service/shell_words.h"
#include "base/file.h"

namespace llama::aws {
namespace {

// One line a setting: "section|key=text" or "section|key.nested=text"; values' newlines as "\n".
std::string Show(const ConfigFile& file) {
  std::string out;
  const auto line = [&](const std::string& name, std::string text) {
    for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; ++at) {
      text.replace(at, 1, "\\n");
    }
    out.append(name).append("=").append(text).append(";");
  };
  for (const auto& [header, section] : file) {
    if (section.empty()) out.append(header).append("|;");
    for (const auto& [key, value] : section) {
      if (value.nested.empty()) line(header + "|" + key, value.text);
      for (const auto& [inner, text] : value.nested) line(header + "|" + key + "." + inner, text);
    }
  }
  return out;
}

// What botocore makes of the same text; tests/aws/config_against_botocore.py compares many more.
TEST(ConfigFile, ReadsAsBotocoreDoes) {
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"", ""},
      {"[a]", "a|;"},
      {"[a]\nk=v", "a|k=v;"},
      {"[a]\r\nk = v \r\n", "a|k=v;"},
      {"[a]\nK: v=w", "a|k=v=w;"},
      {"[a]\nk=v # not a comment", "a|k=v # not a comment;"},
      {"# c\n; c\n[a]\n  # c\nk=v\n", "a|k=v;"},
      {"[a]\nk=v\n  more\n\n  still", "a|k=v\\nmore\\n\\nstill;"},
      {"[a]\nk=v\n  # c\n  more", "a|k=v\\nmore;"},
      {"[a]\nk=\n", "a|k=;"},
      {"[a]\ns3 =\n  x = 1\n  y=2=3\nk=v", "a|k=v;a|s3.x=1;a|s3.y=2=3;"},
      {"[a]\ns3 =\n\n  x = 1\n", "a|s3.x=1;"},
      {"[a] trailing\nk=v", "a|k=v;"},
      {"  [a]\n  k=v\n  l=w", "a|k=v;a|l=w;"},
      {"[profile \"a b\"]\nk=v", "profile \"a b\"|k=v;"},
      {"[a]\n[]=x", "a|[]=x;"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseConfigFile(c.text, "f", Nesting::kAllowed);
    ASSERT_TRUE(parsed) << c.text << ": " << parsed.error().message;
    EXPECT_EQ(Show(*parsed), c.expected) << c.text;
  }
}

TEST(ConfigFile, RefusesWhatBotocoreRefusesNamingTheLine) {
  struct Case {
    const char* text;
    const char* where;
  };
  const Case cases[] = {{"k=v", "f:1"},           {"[a]\nk", "f:2"},
                        {"[a]\n=v", "f:2"},       {"[a]\nk=v\nK=w", "f:3"},
                        {"[a]\n[b]\n[a]", "f:3"}, {"[a]\n\ns3 =\n  x", "f:3"}};
  for (const Case& c : cases) {
    const auto parsed = ParseConfigFile(c.text, "f", Nesting::kAllowed);
    ASSERT_FALSE(parsed) << c.text;
    EXPECT_EQ(parsed.error().code, Code::kInvalid);
    EXPECT_TRUE(parsed.error().message.starts_with(c.where)) << parsed.error().message;
  }
}

TEST(ConfigFile, NeverRepeatsALineThatMayBeASecret) {
  const auto parsed = ParseConfigFile("[a]\nwJalrXUtnFEMI", "f", Nesting::kNone);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message.find("wJalr"), std::string::npos);
}

TEST(ConfigFile, CredentialsFileWinsAndNamesItsProfilesPlainly) {
  const ConfigFile config = *ParseConfigFile(
      "[default]\nregion=r\n[profile dev]\nregion=c\naws_access_key_id=c\n"
      "[profile \"two words\"]\nregion=w\n[services s]\nlambda =\n  endpoint_url = u\n[plain]\nx=y",
      "config", Nesting::kAllowed);
  const ConfigFile credentials = *ParseConfigFile(
      "[dev]\naws_access_key_id=k\n[only]\n[profile odd]\na=b", "credentials", Nesting::kNone);
  const AwsConfig merged = MergeConfig(config, credentials);
  EXPECT_EQ(ConfigText(merged.profiles.at("default"), "region"), "r");
  EXPECT_EQ(ConfigText(merged.profiles.at("dev"), "aws_access_key_id"), "k");
  EXPECT_EQ(ConfigText(merged.profiles.at("dev"), "region"), "c");
  EXPECT_EQ(ConfigText(merged.profiles.at("two words"), "region"), "w");
  EXPECT_TRUE(merged.profiles.contains("only"));
  EXPECT_FALSE(merged.profiles.contains("plain"));
  EXPECT_EQ(merged.services.at("s").at("lambda").nested.at("endpoint_url"), "u");
}

TEST(ConfigFile, IsFoundByVariableOrBelowHome) {
  const auto dir = TempDir::Create();
  ASSERT_TRUE(dir);
  ASSERT_TRUE(MakeDirs(dir->path() + "/.aws"));
  ASSERT_TRUE(WriteFileAtomic(dir->path() + "/.aws/config", "[default]\nregion=home", 0600));
  ASSERT_TRUE(WriteFileAtomic(dir->path() + "/other", "[default]\nregion=other", 0600));
  const std::string home = "HOME=" + dir->path();
  const auto region = [](const std::vector<std::string>& env) {
    const auto config = LoadAwsConfig(env);
    EXPECT_TRUE(config);
    const auto it = config->profiles.find("default");
    return it == config->profiles.end() ? "" : std::string(ConfigText(it->second, "region"));
  };
  EXPECT_EQ(region({home}), "home");
  EXPECT_EQ(region({home, "AWS_CONFIG_FILE=" + dir->path() + "/other"}), "other");
  EXPECT_EQ(region({home, "AWS_CONFIG_FILE=~/other"}), "other");
  EXPECT_EQ(region({home, "AWS_CONFIG_FILE=/nonexistent"}), "");
  EXPECT_EQ(region({}), "");
}

TEST(ShellWords, SplitsAsAShellDoesWithoutExpanding) {
  using Words = std::vector<std::string>;
  const std::pair<const char*, Words> cases[] = {
      {"", {}},
      {"  a  b\tc ", {"a", "b", "c"}},
      {"'a b' \"c d\" e\\ f", {"a b", "c d", "e f"}},
      {"a'b'\"c\"d", {"abcd"}},
      {"''", {""}},
      {"\"\\\"\\\\\\n$X\"", {"\"\\\\n$X"}},
      {"'\\'", {"\\"}},
      {"$HOME `x` a;b|c #d", {"$HOME", "`x`", "a;b|c", "#d"}},
  };
  for (const auto& [line, words] : cases) {
    const auto split = SplitShellWords(line);
    ASSERT_TRUE(split) << line;
    EXPECT_EQ(*split, words) << line;
  }
  for (const char* bad : {"'", "\"a", "a\\", "\"\\\""}) EXPECT_FALSE(SplitShellWords(bad)) << bad;
}

}  // namespace
}  // namespace llama::aws
