#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "base/file.h"
#include "scan/closure.h"
#include "scan/closure_project_testing.h"

namespace llama::scan {
namespace {

// Changes, seen by inotify and by stamps.
class ClosureChangeTest : public testing::TestWithParam<bool> {
 protected:
  ClosureChangeTest() : project_(GetParam()) {
    project_.Write("src/main.c", "#include \"a.h\"\n#include <b.h>");
    project_.Write("src/a.h", "int a;");
    project_.Write("two/b.h", "#include <c.h>");
    project_.Write("two/c.h", "");
    project_.Write("real/d.h", "");
    project_.Link("l", "real");
    project_.Search({}, {"one", "two", "l"});
    before_ = *project_.Find();
  }
  ClosureProject project_;
  std::shared_ptr<const Closure> before_;
};

INSTANTIATE_TEST_SUITE_P(Sources, ClosureChangeTest, testing::Bool(),
                         [](const auto& source) { return source.param ? "Inotify" : "Stamps"; });

TEST_P(ClosureChangeTest, StaysTheSameAfterWhatDoesNotMatter) {
  project_.Write("src/main.o", "object");
  project_.Write("two/unrelated.h", "");
  project_.Write("src/a.h", "int a;");
  EXPECT_EQ((*project_.Find())->id, before_->id);
  EXPECT_EQ(project_.FirstChange(before_), "");
}

TEST_P(ClosureChangeTest, IsAnotherAfterAnEditThatLeavesTheDirectivesAlone) {
  const Names files = project_.Files();
  project_.Write("src/a.h", "int b;");
  EXPECT_EQ(project_.FirstChange(before_), "src/a.h");
  EXPECT_NE((*project_.Find())->id, before_->id);
  EXPECT_EQ(project_.Files(), files);
}

TEST_P(ClosureChangeTest, FollowsAnEditOfTheDirectives) {
  project_.Write("src/a.h", "#include <c.h>\n#include <d.h>");
  EXPECT_EQ(project_.Files(), Names({"real/d.h", "src/a.h", "two/b.h", "two/c.h"}));
}

TEST_P(ClosureChangeTest, SeesAFileThatShadowsAnother) {
  project_.Write("one/b.h", "");
  EXPECT_NE(project_.FirstChange(before_), "");
  EXPECT_EQ(project_.Files(), Names({"one/b.h", "src/a.h"}));
}

TEST_P(ClosureChangeTest, SeesAFileGo) {
  ASSERT_EQ(unlink(project_.Path("two/c.h").c_str()), 0);
  EXPECT_EQ(project_.FirstChange(before_), "two/c.h");
  ASSERT_EQ(unlink(project_.Path("src/main.c").c_str()), 0);
  EXPECT_EQ(project_.FirstChange(before_), "src/main.c");
}

TEST_P(ClosureChangeTest, SeesAnotherWayToTheSameFile) {
  project_.Link("a", "src/a.h");
  project_.Link("b", "src/a.h");
  project_.Write("src/main.c", "#include \"../x.h\"");
  for (const char* target : {"a", "b", "./b", "a"}) {
    project_.Link("x.h", target);
    const Names entries = project_.Entries();
    EXPECT_NE(std::find(entries.begin(), entries.end(), "x.h>" + std::string(target)),
              entries.end())
        << target;
  }
}

TEST_P(ClosureChangeTest, SeesAFolderBecomeALinkToItself) {
  project_.Write("src/main.c", "#include \"../two/../src/a.h\"");
  project_.Search({}, {});
  EXPECT_EQ(project_.Entries(), Names({"src/", "src/a.h", "src/main.c", "two/"}));
  ASSERT_EQ(rename(project_.Path("two").c_str(), project_.Path("moved").c_str()), 0);
  project_.Link("two", "moved");
  EXPECT_EQ(project_.Entries(), Names({"moved/", "src/", "src/a.h", "src/main.c", "two>moved"}));
}

// What was left out as the same folder as another one comes to matter.
TEST_P(ClosureChangeTest, SeesAFolderTurnThatWasLeftOutOfTheSearchPath) {
  project_.Link("same", "two");
  auto path = std::make_shared<SearchPath>(*project_.request.preprocessing.path);
  path->id = 100;
  path->left_out = {project_.Path("same")};
  project_.request.preprocessing.path = path;
  const auto closure = *project_.Find();
  project_.Write("two/unrelated.h", "");
  EXPECT_EQ(project_.FirstChange(closure), "");
  project_.Link("same", "real");
  EXPECT_EQ(project_.FirstChange(closure), "same");
}

TEST_P(ClosureChangeTest, SeesTheSearchPathTurn) {
  project_.Write("other/d.h", "");
  project_.Link("l", "other");
  EXPECT_EQ(project_.FirstChange(before_), "l");
}

}  // namespace
}  // namespace llama::scan
