// A live tree that has seen many changes against one that sees the files for the first time.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "files/live_tree.h"

namespace llama::files {
namespace {

// Files, folders, and links to either come, go, are renamed and replaced, with all that is below
// them.
class RandomChanges {
 public:
  RandomChanges(std::string root, unsigned seed) : root_(std::move(root)), random_(seed) {}

  std::string Name() {
    std::string name;
    const size_t depth = 1 + Below(3);
    for (size_t i = 0; i < depth; ++i) name += (i > 0 ? "/" : "") + Part();
    return name;
  }
  std::string Part() { return std::string(1, "abcd"[Below(4)]); }
  size_t Below(size_t limit) { return random_() % limit; }

  void Change() {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::path path = root_ + "/" + Name();
    switch (Below(6)) {
      case 0:
        fs::remove_all(path, ignored);
        break;
      case 1:
        fs::create_directories(path, ignored);
        break;
      case 2:
        fs::rename(path, root_ + "/" + Name(), ignored);
        break;
      case 3:
        fs::create_symlink(Below(2) == 0 ? Part() : "../" + Part(), path, ignored);
        break;
      default:
        fs::create_directories(path.parent_path(), ignored);
        (void)WriteFileAtomic(path, std::to_string(1 + Below(3)), 0644);
    }
  }

 private:
  const std::string root_;
  std::mt19937 random_;
};

class LiveTreeRandomTest : public testing::TestWithParam<bool> {
 protected:
  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  // Of which of the few contents a file is.
  static std::string ContentIn(const FileDigest& content) {
    for (const char* text : {"1", "2", "3"}) {
      if (store::Sha256(text) == content.digest) return text;
    }
    return "?";
  }

  TempDir dir_ = TempDir::Create("live-tree").value();
  std::string root_ = *RealPath(dir_.path());
  std::unique_ptr<DigestCache> digests_ = DigestCache::Open("", SystemClock()).value();
  const LiveTreeOptions options_{.use_inotify = GetParam()};
  LiveTree tree_{*digests_, SystemClock(), options_};
};

INSTANTIATE_TEST_SUITE_P(Sources, LiveTreeRandomTest, testing::Bool(),
                         [](const auto& source) { return source.param ? "Inotify" : "Stamps"; });

TEST_P(LiveTreeRandomTest, SaysWhatANewTreeSaysWhateverHasChanged) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    RandomChanges random(Path("tree"), seed);
    ASSERT_TRUE(MakeDirs(Path("tree")));
    std::vector<std::string> names;
    std::vector<std::string> folders;
    for (int i = 0; i < 40; ++i) names.push_back("tree/" + random.Name());
    for (int i = 0; i < 4; ++i) folders.push_back(Path("tree/" + random.Name()));
    const auto ask = [&](LiveTree& tree, bool as_path) NO_THREAD_SAFETY_ANALYSIS {
      tree.Refresh();
      std::string said;
      const auto add = [&](LookupId lookup) NO_THREAD_SAFETY_ANALYSIS {
        const std::span<const Found> span = tree.Results(lookup);
        for (const Found& found : std::vector<Found>(span.begin(), span.end())) {
          said += tree.PathOf(found.entry) + " ";
          if (tree.KindOf(found.entry) != EntryKind::kFile) continue;
          const auto content = tree.ContentOf(found.entry);
          said += content ? ContentIn(**content) : content.error().message;
        }
        said += "\n";
      };
      for (const std::string& name : names) add(tree.Find(kRootFolder, Path(name)));
      for (const char* part : {"a", "b"}) {
        const std::span<const Found> from = tree.Results(tree.Find(kRootFolder, Path("tree/a")));
        if (from.empty() || tree.KindOf(from[0].entry) != EntryKind::kFolder) break;
        add(tree.Find(tree.AsFolder(from[0].entry), part));
      }
      if (!as_path) return said;
      const PathId path = tree.AddPath(folders);
      for (const char* part : {"a", "b", "c/d", "d"}) {
        add(tree.FindAlong(path, part, false));
        add(tree.FindAlong(path, part, true));
      }
      return said;
    };
    for (int step = 0; step < 60; ++step) {
      const size_t changes = 1 + random.Below(3);
      for (size_t i = 0; i < changes; ++i) random.Change();
      // A lookup that is not asked for each time has more to catch up with.
      const bool as_path = random.Below(2) == 0;
      LiveTree anew(*digests_, SystemClock(), options_);
      const MutexLock lock(tree_.mutex());
      const MutexLock other(anew.mutex());
      ASSERT_EQ(ask(tree_, as_path), ask(anew, as_path)) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace llama::files
