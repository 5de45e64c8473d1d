#include "daemon/jobs/shipping_rules.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "execute/shippable.h"

namespace llama::daemon {
namespace {

class ShippingRulesTest : public testing::Test {
 protected:
  std::string Add(const std::string& name, mode_t mode = 0644) {
    const std::string path = home_ + "/" + name;
    EXPECT_TRUE(MakeDirs(std::string(DirName(path))));
    EXPECT_TRUE(WriteFileAtomic(path, "x", mode));
    return path;
  }

  TempDir dir_ = TempDir::Create("rules").value();
  const std::string home_ = RealPath(dir_.path()).value();
  ShippingRules rules_{{home_ + "/path"}, home_};
};

TEST_F(ShippingRulesTest, LetsTheSystemsFilesGo) {
  EXPECT_TRUE(rules_.Allow("/bin/sh"));
  EXPECT_TRUE(rules_.Allow("/usr/bin"));
  EXPECT_TRUE(execute::IsSystemPath("/usr/lib/x"));
  EXPECT_FALSE(execute::IsSystemPath("/usr/../root/x"));
  EXPECT_FALSE(execute::IsSystemPath("/usrx"));
}

TEST_F(ShippingRulesTest, KeepsWhatIsNeitherTheSystemsNorAPrograms) {
  EXPECT_FALSE(rules_.Allow("/etc/passwd"));
  EXPECT_FALSE(rules_.Allow("/usr/../etc/passwd"));
  EXPECT_FALSE(rules_.Allow(Add("file")));
  EXPECT_FALSE(rules_.Allow(home_ + "/nowhere"));
  ASSERT_EQ(symlink("/etc/passwd", (home_ + "/link").c_str()), 0);
  rules_.AddProgram(Add("tool/run", 0755));
  EXPECT_FALSE(rules_.Allow(home_ + "/link"));
}

TEST_F(ShippingRulesTest, LetsAProgramsOwnFolderGoButNothingHiddenInIt) {
  rules_.AddProgram(Add("tool/run", 0755));
  EXPECT_TRUE(rules_.Allow(Add("tool/data")));
  EXPECT_TRUE(rules_.Allow(Add("tool/deeper/data")));
  EXPECT_FALSE(rules_.Allow(Add("tool/.git/config")));
  EXPECT_FALSE(rules_.Allow(Add("tool/.env")));
  EXPECT_FALSE(rules_.Allow(Add("toolbox/data")));
  ASSERT_EQ(symlink((home_ + "/secret").c_str(), (home_ + "/tool/link").c_str()), 0);
  Add("secret");
  EXPECT_FALSE(rules_.Allow(home_ + "/tool/link"));
}

TEST_F(ShippingRulesTest, TakesABinWithWhatStandsBesideIt) {
  rules_.AddProgram(Add("opt/bin/run", 0755));
  EXPECT_TRUE(rules_.Allow(Add("opt/lib/run/data")));
  EXPECT_FALSE(rules_.Allow(Add("opt/share/data")));
}

TEST_F(ShippingRulesTest, NeverTakesTheHomeFolderForAPrograms) {
  rules_.AddProgram(Add("run", 0755));
  EXPECT_FALSE(rules_.Allow(Add("data")));
}

TEST_F(ShippingRulesTest, LetsProgramsOfTheSearchPathGo) {
  EXPECT_TRUE(rules_.Allow(Add("path/run", 0755)));
  EXPECT_FALSE(rules_.Allow(Add("path/data")));
}

}  // namespace
}  // namespace llama::daemon
