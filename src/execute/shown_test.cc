#include "execute/shown.h"

#include <gtest/gtest.h>

namespace llama::execute {
namespace {

tree::Entry File(const std::string& bytes) {
  tree::Entry entry;
  entry.size_bytes = bytes.size();
  entry.digest = store::Sha256(bytes);
  return entry;
}

tree::Entry Link(const std::string& target) {
  tree::Entry entry;
  entry.type = tree::EntryType::kSymlink;
  entry.target = target;
  return entry;
}

tree::Entry Folder() { return {tree::EntryType::kDir, false, 0, {}, {}}; }

class ShownTest : public testing::Test {
 protected:
  // A layer that holds all of it, of which an action's closure is a part.
  void Layer(const tree::Manifest& manifest) {
    layers_.push_back({"L" + std::to_string(layers_.size()), 1});
    ASSERT_TRUE(index_->Add(layers_.back(), manifest));
  }
  void Closed(const tree::Manifest& own) {
    auto closure = std::make_shared<Closure>();
    closure->own = own;
    action_.closure = std::move(closure);
  }
  tree::Manifest Shown(const std::vector<std::string>& found) {
    return ShownBeyond(action_, layers_, *index_, found);
  }

  std::unique_ptr<tree::LayerIndex> index_ = *tree::LayerIndex::Open("", "");
  std::vector<tree::LayerRef> layers_;
  Action action_;
};

TEST_F(ShownTest, NothingIsBeyondAClosureThatDecides) {
  Layer({{"/p/inc/a.h", File("a")}, {"/p/l", Link("inc")}, {"/p/inc/b.h", File("b")}});
  Closed({{"/p/inc/a.h", File("a")}, {"/p/l", Link("inc")}});
  action_.inline_files = {{"/p/src/a.c", false, ""}};
  EXPECT_EQ(Shown({"/p", "/p/inc", "/p/inc/../inc/a.h", "/p/inc/a.h", "/p/l", "/p/l/a.h", "/p/src",
                   "/p/src/../l/a.h", "/p/src/a.c"}),
            tree::Manifest());
}

TEST_F(ShownTest, AFileBesideTheClosuresIsBeyondIt) {
  Layer({{"/p/inc/a.h", File("a")}, {"/p/inc/b.h", File("b")}});
  Closed({{"/p/inc/a.h", File("a")}});
  EXPECT_EQ(Shown({"/p/inc/../inc/b.h"}), (tree::Manifest{{"/p/inc/b.h", File("b")}}));
}

TEST_F(ShownTest, EveryStepOfAWayBeyondTheClosureIsTold) {
  Layer({{"/p/a.h", File("a")},
         {"/p/old", Link("/p/older")},
         {"/p/older", Link("gone/sub")},
         {"/p/gone/sub/x.h", File("x")}});
  Closed({{"/p/a.h", File("a")}});
  EXPECT_EQ(Shown({"/p/old/x.h"}), (tree::Manifest{{"/p/gone", Folder()},
                                                   {"/p/gone/sub", Folder()},
                                                   {"/p/gone/sub/x.h", File("x")},
                                                   {"/p/old", Link("/p/older")},
                                                   {"/p/older", Link("gone/sub")}}));
}

TEST_F(ShownTest, AClosuresLinkMayLeadBeyondIt) {
  Layer({{"/p/x.h", File("x")}, {"/p/a.h", File("a")}});
  Closed({{"/p/l.h", Link("x.h")}, {"/p/a.h", File("a")}});
  EXPECT_EQ(Shown({"/p/l.h"}), (tree::Manifest{{"/p/x.h", File("x")}}));
}

TEST_F(ShownTest, NeitherALoopNorTheWorkersOwnIsAnything) {
  Closed({{"/p/l", Link("l")}, {"/p/f", File("f")}});
  EXPECT_EQ(Shown({"/made/by/it", "/p/f/x", "/p/l", "/p/none"}), tree::Manifest());
}

TEST_F(ShownTest, NamesThatBeginAlikeAreNotBelow) {
  Layer({{"/p/inc", Link("other")}, {"/p/other/a.h", File("a")}});
  Closed({{"/p/inc-old/a.h", File("o")}, {"/p/inc.h", File("i")}});
  EXPECT_EQ(Shown({"/p/inc"}).count("/p/inc"), 1u);
  Closed({{"/p/inc-old/a.h", File("o")}, {"/p/inc/a.h", File("i")}});
  EXPECT_EQ(Shown({"/p/inc"}), tree::Manifest());
}

}  // namespace
}  // namespace llama::execute
